package trial

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/load"
)

// cpu measures the cost of a request to a daemon that knows its clients.
func (t *trial) cpu(ctx context.Context, what string, s settings, cost *time.Duration) func() error {
	return func() error {
		return t.known(ctx, crowd.Only(crowd.Named), s, func(d *daemon, clients *load.Clients) error {
			r, err := t.ask(ctx, d, usual, 0, clients)
			if err != nil {
				return err
			}
			*cost = r.CPUPerRequest()
			t.report.note("policyd-rdns, "+what+": CPU per request", " µs", micros(*cost))
			return nil
		})
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// processors compares a daemon on two processors to one on a single one.
func (t *trial) processors(ctx context.Context) error {
	var one, two time.Duration
	err := t.inTurn(
		t.cpu(ctx, "GOMAXPROCS=1", settings{env: []string{"GOMAXPROCS=1"}}, &one),
		t.cpu(ctx, "GOMAXPROCS=2", settings{env: []string{"GOMAXPROCS=2"}}, &two),
	)
	if err == nil {
		t.report.judge(scaling, ratio(two, one))
	}
	return err
}

// rules compares a list of networks to a single one, and many exemptions to one.
func (t *trial) rules(ctx context.Context) error {
	const many = 1000
	var short, long time.Duration
	err := t.inTurn(
		t.cpu(ctx, "1 CIDR entry", settings{rules: networksRule(1)}, &short),
		t.cpu(ctx, fmt.Sprint(many, " CIDR entries"), settings{rules: networksRule(many)}, &long),
	)
	if err != nil {
		return err
	}
	t.report.judge(growRules, ratio(long, short))
	err = t.inTurn(
		t.cpu(ctx, "1 exemption", settings{rules: exemptions(1)}, &short),
		t.cpu(ctx, fmt.Sprint(many, " exemptions"), settings{rules: exemptions(many)}, &long),
	)
	if err == nil {
		t.report.judge(growExemptions, ratio(long, short))
	}
	return err
}

// exemptions are so many, each of an address or of a domain, none of them a client's.
func exemptions(n int) string {
	var b strings.Builder
	for i := range n {
		what := fmt.Sprintf("client = \"198.51.%d.%d\"", i>>8, i&0xff)
		if i%2 == 1 {
			what = fmt.Sprintf("ptr_name = \".partner%d.example.net\"", i)
		}
		fmt.Fprintf(&b, "[[exempt]]\nwhen = { %s }\nwhy = \"partner %d\"\n", what, i)
	}
	return b.String()
}

// networksRule is a rule about so many networks, none of them a client's: those
// of RFC 5737, at most 1533, cut in all ways from a /24 to single addresses.
func networksRule(n int) string {
	var list []string
	for bits := 24; bits <= 32; bits++ {
		for _, block := range []string{"192.0.2", "198.51.100", "203.0.113"} {
			for octet := 0; octet < 256 && len(list) < n; octet += 1 << (32 - bits) {
				list = append(list, fmt.Sprintf("\"%s.%d/%d\"", block, octet, bits))
			}
		}
	}
	return fmt.Sprintf("[[rule]]\nname = \"networks\"\naction = \"reject\"\nwhen = { client = [%s] }\n", strings.Join(list, ", "))
}

// starts measures how soon the daemon listens.
func (t *trial) starts(ctx context.Context) error {
	w, err := t.world(ctx, worldKind{mix: crowd.Only(crowd.Named)})
	if err != nil {
		return err
	}
	path := filepath.Join(t.dir, "networks")
	if err := writeNetworks(path, t.options.Plan.Lines); err != nil {
		return err
	}
	list := fmt.Sprintf("[[rule]]\nname = \"networks\"\naction = \"reject\"\nwhen = { client = [%q] }\n", "@"+path)
	for d, s := range map[demand]settings{
		startEmpty: {world: w.address},
		startList:  {world: w.address, rules: list},
	} {
		if err := t.withDaemon(ctx, s, func(started *daemon) error {
			t.report.judge(d, millis(started.started))
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// writeNetworks writes a list of networks of RFC 3849, one a line.
func writeNetworks(path string, lines int) error {
	var b []byte
	for n := range lines {
		b = fmt.Appendf(b, "2001:db8:%x:%x::/64\n", n>>16, n&0xffff)
	}
	return os.WriteFile(path, b, 0o600)
}
