package gather_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// Outage says that the fake answers as it should.
func (d *fakeDNS) Outage() bool { return false }

func (*fakeDNS) Raise(string, string, resolver.Options) bool { return true }

// Count counts nothing.
func (d *fakeDNS) Count(resolver.Kind, resolver.Outcome, resolver.Source) {}

// brokenDNS fails every lookup.
type brokenDNS struct {
	err    error
	outage bool
}

func (d brokenDNS) BeginPTR(_ context.Context, _ netip.Addr, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	return d.BeginAddrs(context.Background(), "", "", o)
}

func (d brokenDNS) BeginAddrs(_ context.Context, _, _ string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	if o.CacheOnly {
		return resolver.Answer{}, nil
	}
	return resolver.Answer{}, func(context.Context) resolver.Answer {
		return resolver.Answer{Outcome: resolver.TempError, Err: d.err}
	}
}

func (d brokenDNS) Outage() bool { return d.outage }

func (brokenDNS) Raise(string, string, resolver.Options) bool { return true }

func (d brokenDNS) Count(resolver.Kind, resolver.Outcome, resolver.Source) {}

// ptrIs asks for one outcome of the check ptr.
func ptrIs(t *testing.T, result string) policy.Table {
	t.Helper()
	e, errs := policy.NewEntry("ptr", []string{result}, []string{result})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return policy.Table{e}
}

// TestOwnTrouble judges clients of which nothing can be learnt, for reasons
// that are theirs or ours.
func TestOwnTrouble(t *testing.T) {
	servfail := errors.New("SERVFAIL from 127.0.0.1:53")
	reject := policy.Rule{Name: "reject", When: ptrIs(t, "none"), Action: policy.Reject}
	listed := policy.Rule{Name: "listed", When: ptrIs(t, "temperror"), Action: policy.Reject}
	deferring := policy.Rule{Name: "defer", When: ptrIs(t, "temperror"), Action: policy.Defer}
	plain := policy.Rule{Name: "plain", Action: policy.Defer}
	tests := []struct {
		name     string
		dns      brokenDNS
		rule     policy.Rule
		onDoubt  policy.Action
		onOutage policy.Action
		want     string
	}{
		{"one zone fails", brokenDNS{servfail, false}, reject, policy.Defer, policy.DUNNO, "defer downgraded"},
		{"all servers are silent", brokenDNS{servfail, true}, reject, policy.Defer, policy.DUNNO, "dunno downgraded outage"},
		{"all are silent, defer wanted", brokenDNS{servfail, true}, reject, policy.Defer, policy.Defer, "defer downgraded outage"},
		{"all are silent, no defer for any doubt", brokenDNS{servfail, true}, reject, policy.DUNNO, policy.Defer, "dunno downgraded outage"},
		{"temperror under a reject", brokenDNS{servfail, false}, listed, policy.Defer, policy.DUNNO, "defer downgraded"},
		{"temperror under a reject, all silent", brokenDNS{servfail, true}, listed, policy.Defer, policy.DUNNO, "dunno downgraded outage"},
		{"temperror under a defer", brokenDNS{servfail, false}, deferring, policy.Defer, policy.DUNNO, "defer"},
		{"temperror under a defer, all silent", brokenDNS{servfail, true}, deferring, policy.Defer, policy.DUNNO, "dunno downgraded outage"},
		{"a defer that rests on no doubt", brokenDNS{servfail, true}, plain, policy.Defer, policy.DUNNO, "defer"},
		{"we ask too much", brokenDNS{resolver.ErrBusy, false}, reject, policy.Defer, policy.Defer, "dunno downgraded overload"},
		{"we ask too much, wrapped", brokenDNS{fmt.Errorf("x: %w", resolver.ErrBusy), false}, listed, policy.Defer, policy.Defer, "dunno downgraded overload"},
		{"no descriptors", brokenDNS{resolver.ErrOwn, false}, reject, policy.Defer, policy.Defer, "dunno downgraded overload"},
		{"its network asks too much", brokenDNS{resolver.ErrShare, false}, reject, policy.Defer, policy.DUNNO, "defer downgraded"},
	}
	for _, test := range tests {
		rules := &policy.Rules{OnDoubt: test.onDoubt, OnOutage: test.onOutage, List: []policy.Rule{test.rule}}
		g := gather.Gatherer{DNS: test.dns, Deadline: 1e9}
		req := &policy.Request{Client: netip.MustParseAddr("203.0.113.10"), HELO: "mail.example.org", State: "RCPT"}
		var f policy.Facts
		d := g.Decide(t.Context(), req, rules, &f)
		got := d.Decided.String()
		if d.Downgraded {
			got += " downgraded"
		}
		if f.Outage {
			got += " outage"
		}
		if f.Overload {
			got += " overload"
		}
		if got != test.want || f.HELO.Form != hostname.FQDN {
			t.Errorf("%s: %s; want %s", test.name, got, test.want)
		}
	}
}

// panickingDNS has an error of the program in it.
type panickingDNS struct{ brokenDNS }

func (panickingDNS) BeginAddrs(_ context.Context, _, _ string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	if o.CacheOnly {
		return resolver.Answer{}, nil
	}
	return resolver.Answer{}, func(context.Context) resolver.Answer { panic("an error of the program") }
}

// TestPanicReachesTheRequest: a panic of a lookup ends on the goroutine of the
// request, where it can be answered for, and not the process.
func TestPanicReachesTheRequest(t *testing.T) {
	defer func() {
		if p := recover(); p != "an error of the program" {
			t.Errorf("recovered %v; want the panic of the lookup", p)
		}
	}()
	rules := &policy.Rules{List: builtin.Rules()}
	g := gather.Gatherer{DNS: panickingDNS{brokenDNS{err: errors.New("SERVFAIL")}}, Deadline: 1e9, Complete: true}
	req := &policy.Request{Client: netip.MustParseAddr("203.0.113.10"), HELO: "mail.example.org", State: "RCPT"}
	g.Decide(t.Context(), req, rules, new(policy.Facts))
	t.Error("Decide returned; want a panic")
}
