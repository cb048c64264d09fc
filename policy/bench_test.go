package policy_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/policy"
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

// confirmed is a client that is well set up.
func confirmed(b *testing.B) (evidence, policy.Rules) {
	b.Helper()
	e, err := readEvidence("203.0.113.10 mail.example.com>me helo:mail.example.com>me from:<a@example.com> to:b@example.net")
	if err != nil {
		b.Fatal(err)
	}
	return e, policy.Rules{OnDoubt: policy.Defer, List: policy.Builtin()}
}

func BenchmarkJudge(b *testing.B) {
	e, rules := confirmed(b)
	b.ReportAllocs()
	for b.Loop() {
		if d := rules.Judge(&e.req, &e.facts); d.Decided != policy.DUNNO {
			b.Fatal(told(d))
		}
	}
}

func BenchmarkJudgeReject(b *testing.B) {
	e, rules := confirmed(b)
	e.facts.PTR, e.facts.Names = resolver.None, nil
	b.ReportAllocs()
	for b.Loop() {
		if d := rules.Judge(&e.req, &e.facts); d.Decided != policy.Reject {
			b.Fatal(told(d))
		}
	}
}

func BenchmarkGatherCached(b *testing.B) {
	e, rules := confirmed(b)
	dns := &cacheDNS{
		ptr:   resolver.Answer{Outcome: resolver.Found, Names: []string{"mail.example.com"}, Age: time.Second, Cached: true},
		addrs: resolver.Answer{Outcome: resolver.Found, Addrs: []netip.Addr{e.req.Client}, Age: time.Second, Cached: true},
	}
	g := policy.Gatherer{DNS: dns, Deadline: 5 * time.Second}
	b.ReportAllocs()
	for b.Loop() {
		var f policy.Facts
		if g.Decide(b.Context(), &e.req, &rules, &f); !f.Cached {
			b.Fatal(show(&e.req, &f))
		}
	}
}
