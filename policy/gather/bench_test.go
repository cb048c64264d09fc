package gather_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
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
