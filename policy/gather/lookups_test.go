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
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
)

// counted is what the lookups were since those before.
func (h *host) counted(before map[string]uint64) string {
	var words []string
	for _, l := range h.g.DNS.(*resolver.Resolver).Stats().Lookups {
		key := fmt.Sprintf("%v %v %v", l.Kind, l.Outcome, l.Source)
		if n := l.N - before[key]; n > 0 {
			words = append(words, fmt.Sprintf("%s %d", key, n))
		}
		before[key] = l.N
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// TestCountedOnce: each lookup of a decision counts once, whatever part of it was
// cached, and however often that was looked at.
func TestCountedOnce(t *testing.T) {
	const zone = `$TTL 3600
10.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 203.0.113.10
11.113.0.203.in-addr.arpa. PTR a.example.com.
11.113.0.203.in-addr.arpa. PTR b.example.com.
a.example.com. A 203.0.113.11
b.example.com. A 203.0.113.11
20.113.0.203.in-addr.arpa. PTR mail.example.net.
mail.example.net. A 198.51.100.7
!drop silent.example.org`
	type request struct {
		after  time.Duration
		client string
		want   string
	}
	for _, test := range []struct {
		name     string
		requests []request
	}{
		{"one name, also in HELO", []request{
			{0, "203.0.113.10 helo:mail.example.com", "A found queried 1, PTR found queried 1"},
			{0, "203.0.113.10 helo:mail.example.com", "A found cache 1, PTR found cache 1"},
		}},
		{"a HELO that the cache does not know", []request{
			{0, "203.0.113.10 helo:mail.example.com", "A found queried 1, PTR found queried 1"},
			{0, "203.0.113.10 helo:other.example.org", "A found cache 1, A none queried 1, PTR found cache 1"},
		}},
		{"a name that the cache does not know", []request{
			{0, "203.0.113.9 helo:a.example.com", "A found queried 1, PTR none queried 1"},
			{0, "203.0.113.11 helo:a.example.com", "A found cache 1, A found queried 1, PTR found queried 1"},
			{0, "203.0.113.11 helo:a.example.com", "A found cache 2, PTR found cache 1"},
		}},
		{"a part expired", []request{
			{0, "203.0.113.9 helo:none.example.com", "A none queried 1, PTR none queried 1"},
			{59 * time.Second, "203.0.113.9 helo:other.example.com", "PTR none cache 1"}, // HELO is not needed
			{2 * time.Second, "203.0.113.9 helo:other.example.com", "A none queried 1, PTR none queried 1"},
			{59 * time.Second, "203.0.113.9 helo:other.example.com", "A none cache 1, PTR none cache 1"},
		}},
		{"all too old for a reject", []request{
			{0, "203.0.113.20 helo:mail.example.net", "A found queried 1, PTR found queried 1"},
			{2 * time.Minute, "203.0.113.20 helo:mail.example.net", "A found queried 1, PTR found queried 1"},
		}},
		{"a part too old, a part not cached", []request{
			{0, "203.0.113.20 helo:mail.example.net", "A found queried 1, PTR found queried 1"},
			{2 * time.Minute, "203.0.113.20 helo:other.example.net", "A found queried 1, A none queried 1, PTR found queried 1"},
		}},
		{"a HELO that is not needed", []request{
			{0, "203.0.113.9 helo:silent.example.org", "A temperror queried 1, PTR none queried 1"},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, zone)
			before := make(map[string]uint64)
			for i, r := range test.requests {
				time.Sleep(r.after)
				e, err := cases.Client(r.client)
				if err != nil {
					t.Fatal(err)
				}
				e.Req.Time = time.Now()
				h.g.Decide(t.Context(), &e.Req, &h.rules, new(policy.Facts))
				if got := h.counted(before); got != r.want {
					t.Errorf("%s: request %d, %s: %s; want %s", test.name, i+1, r.client, got, r.want)
				}
			}
		})
	}
}

// TestUnneededHELO: a lookup of a HELO name that the rules do not need ends when
// they have decided and half a second has passed; one that they need goes on.
func TestUnneededHELO(t *testing.T) {
	const silent = named + "\n!drop *.example.net"
	for _, test := range []struct {
		client string
		want   string
		flying int // afterwards
	}{
		{"203.0.113.9 helo:a.example.net", "reject (no reverse name)", 0},
		{"203.0.113.10 helo:a.example.net", "dunno, would defer (HELO not its own)", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, silent)
			h.g.Deadline = time.Second
			begin := time.Now()
			e, err := cases.Client(test.client)
			if err != nil {
				t.Fatal(err)
			}
			d := h.g.Decide(t.Context(), &e.Req, &h.rules, new(policy.Facts))
			took := time.Since(begin)
			synctest.Wait()
			s := h.g.DNS.(*resolver.Resolver).Stats()
			if got := cases.Told(d); got != test.want || s.InFlight != test.flying || took > time.Second {
				t.Errorf("%s: %s in %v, %d under way; want %s, %d", test.client, got, took, s.InFlight, test.want, test.flying)
			}
		})
	}
}

// TestNameOfFloodedZone: a client that says HELO its own name is judged by that,
// though others keep HELO names of the zone from being looked up.
func TestNameOfFloodedZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, named+"\n!drop *.flood.example.com")
		dns := h.g.DNS.(*resolver.Resolver)
		for i := range 25 { // a quarter of all, of one zone
			_, wait := dns.BeginAddrs(t.Context(), "ip4", fmt.Sprintf("h%d.flood.example.com", i), resolver.Options{HELO: true})
			if wait == nil {
				t.Fatalf("HELO %d of the zone is refused; want it begun", i)
			}
		}
		if a, wait := dns.BeginAddrs(t.Context(), "ip4", "mail.example.com", resolver.Options{HELO: true}); wait != nil || a.Err == nil {
			t.Fatalf("one HELO more of the zone is begun; want it refused")
		}
		synctest.Wait() // all that is begun is sent
		f := h.expect("under a flood", helo, "dunno", 2)
		if f.Overload || len(f.Errors) > 0 || f.HELO.Forward.Outcome != resolver.Found {
			t.Errorf("overload %v, errors %q, HELO %v; want it found", f.Overload, f.Errors, f.HELO.Forward.Outcome)
		}
	})
}

// TestOwnNameKeepsItsPlace: the lookup of a HELO name that is the client's own is not
// among those that give way to others.
func TestOwnNameKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, named+"\n!delay mail.example.com 100ms\n!drop *.flood.example\n!drop *.51.198.in-addr.arpa")
		dns := h.g.DNS.(*resolver.Resolver)
		time.AfterFunc(10*time.Millisecond, func() {
			for i := range 100 {
				dns.BeginAddrs(t.Context(), "ip4", fmt.Sprintf("h%d.flood.example", i), resolver.Options{HELO: true})
			}
			for i := range 100 {
				client := netip.AddrFrom4([4]byte{198, 51, byte(i), 1})
				go dns.LookupPTR(t.Context(), client, resolver.Options{Client: client})
			}
		})
		e, err := cases.Client(helo)
		if err != nil {
			t.Fatal(err)
		}
		e.Req.Time = time.Now()
		var f policy.Facts
		if got := cases.Told(h.g.Decide(t.Context(), &e.Req, &h.rules, &f)); got != "dunno" || f.Overload || len(f.Errors) > 0 {
			t.Errorf("under a flood %s, overload %v, errors %q; want dunno and none", got, f.Overload, f.Errors)
		}
		if s := dns.Stats(); s.Displaced == 0 || s.Busy == 0 {
			t.Errorf("%d displaced, %d refused; want both", s.Displaced, s.Busy)
		}
	})
}

var _ gather.DNS = (*resolver.Resolver)(nil)
