package gather_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// cacheDNS has all answers at hand.
type cacheDNS struct{ ptr, addrs resolver.Answer }

func (c *cacheDNS) BeginPTR(context.Context, netip.Addr, resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	return c.ptr, nil
}

func (c *cacheDNS) BeginAddrs(context.Context, string, string, resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	return c.addrs, nil
}

func (*cacheDNS) Raise(string, string, resolver.Options) bool { return true }

func (c *cacheDNS) Outage() bool { return false }

func (c *cacheDNS) Count(resolver.Kind, resolver.Outcome, resolver.Source) {}

func BenchmarkGatherCached(b *testing.B) {
	e, err := cases.Client("203.0.113.10 helo:mail.example.com from:<a@example.com> to:b@example.net")
	if err != nil {
		b.Fatal(err)
	}
	rules := policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()}
	dns := &cacheDNS{
		ptr:   resolver.Answer{Outcome: resolver.Found, Names: []string{"mail.example.com"}, Age: time.Second, Cached: true},
		addrs: resolver.Answer{Outcome: resolver.Found, Addrs: []netip.Addr{e.Req.Client}, Age: time.Second, Cached: true},
	}
	g := gather.Gatherer{DNS: dns, Deadline: 5 * time.Second}
	b.ReportAllocs()
	for b.Loop() {
		var f policy.Facts
		if g.Decide(b.Context(), &e.Req, &rules, &f); !f.Cached {
			b.Fatal(cases.Show(&e.Req, &f))
		}
	}
}

// BenchmarkGatherSPF is what SPF costs a client of whom all is cached: one whom no rule
// asks it of, and one with a generic name, whom its domain spares, beside the same under
// rules that do not ask.
func BenchmarkGatherSPF(b *testing.B) {
	w, err := world.Parse(`10.113.0.203.in-addr.arpa. PTR ip-203-0-113-10.example.net.
ip-203-0-113-10.example.net. A 203.0.113.10
20.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 203.0.113.20
example.com. TXT "v=spf1 ip4:203.0.113.0/24 -all"`)
	if err != nil {
		b.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")},
		Timeout: 2 * time.Second, CacheEntries: 1000, MaxInFlight: 100, Dial: w.Dial,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	plain := builtin.Rules()
	for i := range plain {
		plain[i].Unless = slices.DeleteFunc(plain[i].Unless, func(t policy.Table) bool { return t.Has("spf") })
		if plain[i].When.Has("spf") || plain[i].Name == "generic name, foreign HELO" {
			plain[i].Action = policy.Defer // no reject, which asks again what is old
			plain[i].When = slices.DeleteFunc(plain[i].When, func(e policy.Entry) bool { return e.Key == "spf" })
		}
	}
	for _, test := range []struct {
		name, client string
		list         []policy.Rule
	}{
		{"named/asked", "203.0.113.20 helo:mail.example.com from:<a@example.com> to:b@example.net", builtin.Rules()},
		{"named/not", "203.0.113.20 helo:mail.example.com from:<a@example.com> to:b@example.net", plain},
		{"generic/asked", "203.0.113.10 helo:nowhere.example.com from:<a@example.com> to:b@example.net", builtin.Rules()},
		{"generic/not", "203.0.113.10 helo:nowhere.example.com from:<a@example.com> to:b@example.net", plain},
	} {
		b.Run(test.name, func(b *testing.B) {
			e, err := cases.Client(test.client)
			if err != nil {
				b.Fatal(err)
			}
			rules := policy.Rules{OnDoubt: policy.Defer, List: test.list}
			past := history.New(history.Options{Settings: history.Settings{Delay: time.Minute, Window: time.Hour, Keep: time.Hour}, Entries: 100})
			g := gather.Gatherer{DNS: r, History: past, SPF: &spf.Checker{DNS: r, Cache: spf.NewCache(100, nil)}, Deadline: 5 * time.Second}
			var f policy.Facts
			g.Decide(b.Context(), &e.Req, &rules, &f)
			b.ReportAllocs()
			for b.Loop() {
				if g.Decide(b.Context(), &e.Req, &rules, &f); !f.Cached {
					b.Fatal(cases.Show(&e.Req, &f))
				}
			}
		})
	}
}
