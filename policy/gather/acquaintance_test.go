package gather_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
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

// The zone before and after an administrator's work.
var zones = []string{`10.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. 300 A 203.0.113.10
20.113.0.203.in-addr.arpa. PTR ip-203-0-113-20.example.net.
ip-203-0-113-20.example.net. 120 A 203.0.113.20
30.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.31
helo.example.org. A 203.0.113.30
!servfail 40.113.0.203.in-addr.arpa
!servfail helo.example.com
`, `10.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. 300 A 203.0.113.11
20.113.0.203.in-addr.arpa. PTR mail.example.net.
mail.example.net. 120 A 203.0.113.20
30.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.30
helo.example.org. A 203.0.113.30
40.113.0.203.in-addr.arpa. PTR helo.example.com.
helo.example.com. A 203.0.113.40
`}

// TestAcquaintance: who is remembered is decided about as who is not, whatever becomes of the
// DNS meanwhile and however much time passes; only fewer lookups are made in the cache.
func TestAcquaintance(t *testing.T) {
	clients := []string{ // none asks what another one does
		"203.0.113.10 helo:MAIL.example.com", "203.0.113.20 helo:localhost", "203.0.113.30 helo:helo.example.org",
		"203.0.113.40 helo:helo.example.com", "203.0.113.50 helo:helo.example.net", "203.0.113.60 helo:[203.0.113.60]",
	}
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { beside(t, clients, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

// beside has requests decided about by one who remembers, and by one who never does, each with
// a resolver of its own.
func beside(t *testing.T, clients []string, random *rand.Rand) {
	t.Helper()
	w, err := world.Parse(zones[0])
	if err != nil {
		t.Fatal(err)
	}
	var dns [2]*resolver.Resolver
	for i := range dns {
		dns[i], err = resolver.New(resolver.Config{
			Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")},
			Timeout: 2 * time.Second, CacheEntries: 1000, MaxInFlight: 100, Dial: w.Dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer dns[i].Close()
	}
	rules := policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()}
	remembers := &gather.Gatherer{DNS: dns[0], Deadline: 5 * time.Second}
	for range 60 {
		switch random.IntN(10) {
		case 0:
			if err := w.Set(zones[random.IntN(len(zones))]); err != nil {
				t.Fatal(err)
			}
		case 1, 2, 3:
			// No answer is ever in the last tenth of its time, when it is prefetched if it was
			// often of use: what counts as a use depends on which of two answers comes first.
			time.Sleep(time.Duration(1+random.Int64N(2)) * time.Minute)
		}
		client := clients[random.IntN(len(clients))] + " from:<a@example.com> to:b@example.net"
		decide := func(g *gather.Gatherer) (policy.Decision, policy.Facts, string) {
			e, err := cases.Client(client)
			if err != nil {
				t.Fatal(err)
			}
			e.Req.Time, e.Req.HELO = time.Now(), strings.Clone(e.Req.HELO)
			var f policy.Facts
			d := g.Decide(t.Context(), &e.Req, &rules, &f)
			slices.SortFunc(f.Errors, func(a, b resolver.LookupError) int { return strings.Compare(a.About, b.About) }) // in whichever order
			return d, f, cases.Show(&e.Req, &f)
		}
		d, f, shown := decide(remembers)
		want, facts, wanted := decide(&gather.Gatherer{DNS: dns[1], Deadline: 5 * time.Second})
		f.Past, facts.Past = policy.Past{}, policy.Past{} // that of nobody, which is asked only where it matters
		if shown != wanted || cases.Told(d) != cases.Told(want) || f.Queries != facts.Queries || f.Cached != facts.Cached || !reflect.DeepEqual(f.HELO, facts.HELO) {
			t.Fatalf("%s: %s, %s, %d queries, cached %v; who does not remember %s, %s, %d queries, cached %v",
				client, cases.Told(d), shown, f.Queries, f.Cached, cases.Told(want), wanted, facts.Queries, facts.Cached)
		}
	}
}
