package gather_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// host is a mail host with a resolver before a DNS in memory, for use under
// synctest.
type host struct {
	t     *testing.T
	world *world.World
	g     gather.Gatherer
	rules policy.Rules
	facts policy.Facts // about the last client: their memory is used again, as the daemon does
}

func newHost(t *testing.T, zone string) *host {
	t.Helper()
	w, err := world.Parse(zone)
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")},
		Timeout: 2 * time.Second, CacheEntries: 1000, MaxInFlight: 100, Dial: w.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return &host{
		t: t, world: w,
		g:     gather.Gatherer{DNS: r, Deadline: 5 * time.Second},
		rules: policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()},
		facts: policy.Facts{
			PTR: resolver.Found, MoreNames: true, OwnClient: true, OwnHELO: true, Errors: []resolver.LookupError{{Reason: "of another"}}, Queries: 7,
			Names: slices.Repeat([]policy.Name{policy.NewName("mail.example.net", netip.MustParseAddr("192.0.2.1"))}, policy.MaxNames),
			Stale: true, Outage: true, Overload: true,
		},
	}
}

// set replaces the zone.
func (h *host) set(zone string) {
	h.t.Helper()
	if err := h.world.Set(zone); err != nil {
		h.t.Fatal(err)
	}
}

// expect judges a client, and compares the decision and the number of questions
// that reached the DNS for it.
func (h *host) expect(when, client, want string, questions int) policy.Facts {
	h.t.Helper()
	facts, asked := h.judge(when, client, want)
	if len(asked) != questions || facts.Queries != questions {
		h.t.Errorf("%s: %s: %d questions told, %d asked: %s; want %d",
			when, client, facts.Queries, len(asked), strings.Join(asked, ", "), questions)
	}
	return facts
}

// judge judges a client, compares the decision, and tells which questions reached the DNS.
func (h *host) judge(when, client, want string) (facts policy.Facts, asked []string) {
	h.t.Helper()
	e, err := cases.Client(client)
	if err != nil {
		h.t.Fatal(err)
	}
	e.Req.Time = time.Now()
	before := len(h.world.Queries())
	d := h.g.Decide(h.t.Context(), &e.Req, &h.rules, &h.facts)
	facts = h.facts
	facts.Names = slices.Clone(facts.Names)
	asked = h.world.Queries()[before:]
	if got := cases.Told(d); got != want {
		h.t.Errorf("%s: %s: %s; want %s; %s", when, client, got, want, cases.Show(&e.Req, &facts))
	}
	return facts, asked
}

const (
	nameless = `
113.0.203.in-addr.arpa. 900 SOA ns.example.com. root.example.com. 1 3600 600 86400 900
mail.example.com. 3600 A 203.0.113.10`
	named = nameless + `
10.113.0.203.in-addr.arpa. 86400 PTR mail.example.com.`
	broken = nameless + `
!servfail 10.113.0.203.in-addr.arpa`
	helo = "203.0.113.10 helo:mail.example.com"
)

// A host that gets its PTR record is let in within a minute, though the "no"
// may be kept for a quarter of an hour.
func TestRepairedPTR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nameless)
		h.expect("at first", helo, "reject (no reverse name)", 2)
		h.set(named)
		time.Sleep(time.Minute)
		if f := h.expect("a minute later", helo, "reject (no reverse name)", 0); !f.Cached {
			t.Error("a minute later: not all from the cache")
		}
		time.Sleep(time.Second)
		h.expect("more than a minute later", helo, "dunno", 2) // PTR, and the HELO's address
	})
}

// Where asking again fails, the old "no" supports no reject; and one client has
// it asked again once a minute at most.
func TestFailingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nameless)
		h.expect("at first", "203.0.113.10", "reject (no reverse name)", 1)
		h.set(broken)
		time.Sleep(61 * time.Second)
		h.expect("when it fails", "203.0.113.10", "defer (no reverse name), downgraded", 1)
		time.Sleep(59 * time.Second)
		h.expect("within a minute of that", "203.0.113.10", "defer (no reverse name), downgraded", 0)
		h.set(nameless)
		time.Sleep(2 * time.Second)
		h.expect("when it is well again", "203.0.113.10", "reject (no reverse name)", 1)
	})
}

// Old news only helps: whoever passed goes on to do so while his records hold.
func TestOldNewsHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, named)
		h.expect("at first", helo, "dunno", 2)
		h.set("!servfail *")
		time.Sleep(59 * time.Minute)
		if f := h.expect("an hour later", helo, "dunno", 0); !f.Cached {
			t.Error("an hour later: not all from the cache")
		}
		time.Sleep(2 * time.Minute)
		h.expect("when the address has expired", helo, "defer (reverse name does not resolve), downgraded", 1)
	})
}

// A zone that makes work gets no more than 20 questions out of us.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := "!nochase *\n"
		for i := range 10 {
			zone += fmt.Sprintf("10.113.0.203.in-addr.arpa. PTR n%d.example.net.\n", i)
			zone += fmt.Sprintf("n%d.example.net. CNAME a.n%d.example.org.\na.n%d.example.org. CNAME b.n%d.example.com.\n", i, i, i, i)
			zone += fmt.Sprintf("b.n%d.example.com. A 198.51.100.7\n", i)
		}
		h := newHost(t, zone)
		f := h.expect("at first", "203.0.113.10 helo:n3.example.net", "defer (reverse name resolves elsewhere), downgraded", 20)
		if len(f.Names) != 10 || f.Names[0].Name != "n3.example.net" || len(f.Errors) == 0 ||
			!strings.HasSuffix(f.Errors[0].String(), ": more than 20 queries for one decision") {
			t.Errorf("%d names, errors %q; want 10 and the reason", len(f.Names), f.Errors)
		}
	})
}

// A lookup that the deadline cuts short runs on behind and fills the cache.
func TestSlowDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, named+"\n!delay 10.113.0.203.in-addr.arpa 1900ms\n!delay mail.example.com 1900ms")
		h.g.Deadline = time.Second
		begin := time.Now()
		h.expect("at first", helo, "defer (no reverse name), downgraded", 2)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v; want the deadline", took)
		}
		time.Sleep(time.Second)
		h.expect("a second later", helo, "dunno", 0)
	})
}

// No more than two round trips in sequence for a client that nobody knows.
func TestRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, named+`
10.113.0.203.in-addr.arpa. 86400 PTR other.example.com.
other.example.com. 3600 A 198.51.100.7
smtp.example.net. 3600 A 198.51.100.7
!delay * 100ms`)
		begin := time.Now()
		h.expect("at first", "203.0.113.10 helo:smtp.example.net", "dunno, would reject (HELO not its own)", 4)
		if took := time.Since(begin); took != 200*time.Millisecond {
			t.Errorf("took %v; want two round trips of 100ms", took)
		}
	})
}
