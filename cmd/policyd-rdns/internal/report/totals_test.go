package report

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// randomTries are tries of many clients, some of several recipients.
func randomTries(random *rand.Rand, n int) []try {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	var tries []try
	at := time.Duration(0)
	for range n {
		at += time.Duration(random.IntN(3600)) * time.Second
		tries = append(tries, try{
			at:     at,
			client: netip.AddrFrom4([4]byte{203, 0, 113, byte(random.IntN(256))}).String(),
			ptr:    pick("", "mail.example.org", "mail.example.net?", "203-0-113-9.dyn.example.net", "x.<b>.example"),
			helo:   pick("localhost", "mail.example.org=", "mail.example.net", "203.0.113.9", "pc"),
			sender: pick("a@example.org", "", "b@example.net", "c@<script>.example"),
			config: pick("", "", "4567", "89ab"),
		})
	}
	return tries
}

// TestTotals: whatever is counted of random decisions, it comes to their
// number.
func TestTotals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 20, 300, 3000} {
		rules := builtinRules()
		rules.Mode = policy.Mode(random.IntN(3))
		r := read(t, logOf(t, rules, randomTries(random, n)), rules)
		var outcomes, times, rulings, configs int
		for o := range numOutcomes {
			outcomes += r.Outcomes[o].Decisions
			for _, b := range r.Times {
				times += b.Outcomes[o].Decisions
			}
		}
		would := 0
		for _, one := range r.Rules {
			if !one.Observed {
				rulings += one.Decisions
			} else {
				would += one.Decisions
			}
			if sum := sumOf(one.Times); sum != one.Decisions {
				t.Errorf("rule %q: %d decisions over time; want %d", one.Name, sum, one.Decisions)
			}
		}
		for _, c := range r.Config.Made {
			configs += c.Decisions
		}
		refused := n - r.Outcomes[Passed].Decisions
		if rules.Mode == policy.Enforce && rulings != n || outcomes != n || times != n || configs != n || r.Total.Decisions != n || r.Total.Messages != n {
			t.Errorf("of %d: %d decisions, %d messages, %d by outcome, %d by time, %d by rule, %d by configuration",
				n, r.Total.Decisions, r.Total.Messages, outcomes, times, rulings, configs)
		}
		if got := decisionsOf(r.Networks); got != refused {
			t.Errorf("%d refused decisions by network; want %d", got, refused)
		}
		if rules.Mode != policy.Enforce && r.Outcomes.Refused() != r.Outcomes[Observed].Decisions {
			t.Errorf("mode observe: %v; want nothing refused", r.Outcomes)
		}
	}
}

func sumOf(counts []int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// decisionsOf are those of all groups.
func decisionsOf(g Groups) int {
	sum := g.Others.Decisions
	for _, one := range g.List {
		sum += one.Decisions
	}
	return sum
}

// TestBounds: more networks, domains, clients and senders than are kept lose
// nothing of the sums, and the greatest group stays.
func TestBounds(t *testing.T) {
	c := Config{Rules: builtinRules(), Place: time.UTC}
	totals := newTotals(&c, newDigester(&c))
	const clients = 3 * maxGroups
	for n := range clients {
		network := netip.AddrFrom4([4]byte{byte(10 + n>>16), byte(n >> 8), byte(n), 1})
		one := item{at: begin, outcome: Rejected, rule: "r", decided: policy.Reject, carried: true, who: who{
			client: network, name: fmt.Sprintf("mail.example-%d.test", n), sender: fmt.Sprintf("s%d.test", n), helo: fmt.Sprintf("h%d", n),
			refusal: policy.Ruling{Action: policy.Reject, Rule: "r"}, objection: policy.Ruling{Action: policy.Reject, Rule: "r"}, mail: uint64(n),
		}, faults: lookupFaults([]resolver.LookupError{{
			About: fmt.Sprintf("mail.example-%d.test", n), Server: netip.MustParseAddrPort("192.0.2.53:53"), Reason: "SERVFAIL",
		}})}
		totals.add(&one)
		if n%10 == 0 {
			one.who.client, one.who.name = netip.MustParseAddr("203.0.113.1"), "mail.example.org"
			totals.add(&one)
		}
	}
	r := totals.report(Lines{})
	const all = clients + clients/10
	for name, g := range map[string]Groups{"networks": r.Networks, "domains": r.Domains} {
		if len(g.List) > maxGroups || g.Cut == 0 || decisionsOf(g) != all || g.List[0].Decisions != clients/10 {
			t.Errorf("%s: %d kept, %d let go, %d decisions in all, the greatest %d; want %d at most, some, %d, %d",
				name, len(g.List), g.Cut, decisionsOf(g), g.List[0].Decisions, maxGroups, all, clients/10)
		}
	}
	if len(totals.clients.byClient) > maxCandidates || len(totals.clients.owners.byDomain) > maxOwners || len(r.DNS.Zones) > maxZones || r.DNS.Cut == 0 || r.Wanted.Cut == 0 {
		t.Errorf("%d candidates, %d senders, %d zones are kept", len(totals.clients.byClient), len(totals.clients.owners.byDomain), len(r.DNS.Zones))
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "networks with few decisions were let go") {
		t.Errorf("the report does not say what was let go (%v)", err)
	}
}

// TestMessages: recipients of one message are one, wherever they are counted.
func TestMessages(t *testing.T) {
	var seen counted
	var a, b Count
	for i, message := range []uint64{1, 2, 1, 1, 0, 0, 2} {
		a.add(message, &seen)
		if i%2 == 0 {
			b.add(message, &seen)
		}
	}
	if a != (Count{7, 4}) || b != (Count{4, 3}) {
		t.Errorf("counted %v and %v; want 4 messages of 7 decisions, 3 of 4", a, b)
	}
}

// TestTimeline: units as long as the period asks for, without gaps, across
// changes of the clocks.
func TestTimeline(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("needs the time zones of the system")
	}
	day := 24 * time.Hour
	tests := []struct {
		from  string
		after []time.Duration
		unit  string
		bars  int
	}{
		{"2026-11-16T08:30:00Z", []time.Duration{0}, "hour", 1},
		{"2026-11-16T08:30:00Z", []time.Duration{0, 5 * time.Hour}, "hour", 6},
		{"2026-11-16T08:30:00Z", []time.Duration{0, 47 * time.Hour}, "hour", 48},
		{"2026-11-16T08:30:00Z", []time.Duration{0, 49 * time.Hour}, "day", 3},
		{"2026-10-24T22:30:00Z", []time.Duration{0, 4 * time.Hour}, "hour", 5}, // the clocks are put back
		{"2026-10-20T22:30:00Z", []time.Duration{0, 10 * day}, "day", 10},
		{"2026-03-27T22:30:00Z", []time.Duration{0, 3 * day}, "day", 5}, // put forward: 23:30 to 00:30
		{"2026-01-10T00:30:00Z", []time.Duration{0, 99 * day}, "day", 100},
		{"2026-01-10T00:30:00Z", []time.Duration{0, 101 * day}, "month", 4},
		{"2016-01-10T00:30:00Z", []time.Duration{0, 5000 * day}, "year", 14},
	}
	for _, test := range tests {
		from, err := time.Parse(time.RFC3339, test.from)
		if err != nil {
			t.Fatal(err)
		}
		line := timeline{place: berlin}
		var p period
		for _, after := range test.after {
			line.at(from.Add(after)).outcomes[Passed].Decisions++
			p.add(from.Add(after))
		}
		bars := line.bars(p)
		sum := 0
		for _, b := range bars {
			sum += b.Outcomes[Passed].Decisions
		}
		if line.unit.String() != test.unit || len(bars) != test.bars || sum != len(test.after) {
			t.Errorf("%s, %v: %d %ss with %d decisions; want %d %ss with %d", test.from, test.after,
				len(bars), line.unit, sum, test.bars, test.unit, len(test.after))
		}
	}
}

// TestTimelineBounded: a wrong clock does not make it long.
func TestTimelineBounded(t *testing.T) {
	line := timeline{place: time.UTC}
	var p period
	random := rand.New(rand.NewPCG(3, 4))
	const n = 20_000
	for range n {
		at := time.Unix(random.Int64N(9000*365*24*3600), 0)
		p.add(at)
		line.at(at).outcomes[Passed].Decisions++
	}
	if len(line.buckets) > 9100 {
		t.Errorf("%d buckets; want no more than years", len(line.buckets))
	}
	if bars := line.bars(p); len(bars) > maxBars {
		t.Errorf("%d bars; want %d at most", len(bars), maxBars)
	}
}

// TestSilent: rules that did nothing, and exemptions about to end, by the time
// of the last decision.
func TestSilent(t *testing.T) {
	rules := builtinRules()
	for i, until := range []string{"2026-11-15", "2026-11-16", "2026-12-15", "2026-12-17"} {
		r := rule(t, fmt.Sprintf("until %d", i), policy.DUNNO, "until", until)
		e, _ := policy.NewEntry("client", []string{"198.51.100.1"}, []string{"198.51.100.1"})
		r.When = append(policy.Table{e}, r.When...)
		rules.List = append(rules.List, r)
	}
	r := read(t, logOf(t, rules, again(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "mail.example.org=", sender: "a@example.org"}, 0)), rules)
	var states []string
	for _, e := range r.Exemptions {
		if e.Until != "" {
			states = append(states, e.State)
		}
	}
	if want := []string{"expired", "soon", "soon", "unused"}; !slices.Equal(states, want) {
		t.Errorf("states %q; want %q", states, want)
	}
	if len(r.Silent) != len(rules.List) {
		t.Errorf("silent are %q; want all rules", r.Silent)
	}
}
