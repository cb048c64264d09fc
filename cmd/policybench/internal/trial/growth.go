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

// rules compares a list of networks to a single one.
func (t *trial) rules(ctx context.Context) error {
	const many = 1000
	var short, long time.Duration
	err := t.inTurn(
		t.cpu(ctx, "1 CIDR entry", settings{rules: networksRule(1)}, &short),
		t.cpu(ctx, fmt.Sprint(many, " CIDR entries"), settings{rules: networksRule(many)}, &long),
	)
	if err == nil {
		t.report.judge(growRules, ratio(long, short))
	}
	return err
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

// entries compares a cache of many answers to one of few, of which the same clients
// make use; and then clients that make use of all of it.
func (t *trial) entries(ctx context.Context) error {
	few, many := t.options.Plan.Few, t.options.Plan.Many
	var small, large, whole *load.Result
	err := t.inTurn(
		t.filled(ctx, few, func(d *daemon, w *world) (err error) {
			small, err = t.asking(ctx, d, w, few)
			return err
		}),
		t.filled(ctx, many, func(d *daemon, w *world) (err error) {
			if large, err = t.asking(ctx, d, w, few); err == nil {
				whole, err = t.asking(ctx, d, w, many)
			}
			return err
		}))
	if err != nil {
		return err
	}
	t.report.judge(growEntries, ratio(large.CPUPerRequest(), small.CPUPerRequest()))
	t.report.note(fmt.Sprintf("CPU per request of %d clients in turn, to that of %d", many, few), " times", ratio(whole.CPUPerRequest(), small.CPUPerRequest()))
	for _, c := range []struct {
		cached, asking uint32
		r              *load.Result
	}{{few, few, small}, {many, few, large}, {many, many, whole}} {
		t.report.note(fmt.Sprintf("policyd-rdns, %d cached answers, %d clients: CPU per request", 2*c.cached, c.asking), " µs", micros(c.r.CPUPerRequest()))
	}
	t.report.note(fmt.Sprintf("policyd-rdns, %d cached answers: peak memory", 2*few), " MiB", mebis(small.ServerPeak))
	t.report.note(fmt.Sprintf("policyd-rdns, %d cached answers: peak memory", 2*many), " MiB", mebis(whole.ServerPeak))
	return nil
}

// filled measures a daemon that has read the answers about clients from a file.
func (t *trial) filled(ctx context.Context, clients uint32, measure func(*daemon, *world) error) func() error {
	return func() error {
		w, err := t.world(ctx, worldKind{mix: crowd.Only(crowd.Named)})
		if err != nil {
			return err
		}
		path := filepath.Join(t.dir, "cache")
		defer os.Remove(path)
		if err := writeCache(path, clients, time.Now()); err != nil {
			return err
		}
		s := settings{world: w.address, entries: 4 * int(t.options.Plan.Many), cache: path}
		return t.withDaemon(ctx, s, func(d *daemon) error { return measure(d, w) })
	}
}

// asking measures requests of clients whose answers are cached.
func (t *trial) asking(ctx context.Context, d *daemon, w *world, clients uint32) (*load.Result, error) {
	before, err := w.counts(ctx)
	if err != nil {
		return nil, err
	}
	r, err := t.ask(ctx, d, usual, 0, &load.Clients{Crowd: w.crowd, Family: crowd.IPv6, Count: clients})
	if err != nil {
		return nil, err
	}
	after, err := w.counts(ctx)
	if err != nil {
		return nil, err
	}
	if asked := after.Questions() - before.Questions(); asked > 0 {
		return nil, fmt.Errorf("%d questions were asked; want none, for all answers are cached", asked)
	}
	return r, nil
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
