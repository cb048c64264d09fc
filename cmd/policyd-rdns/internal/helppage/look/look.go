// Package look finds out what the DNS says of a client's address for the page of the
// refused, and what mail from there would meet.
//
// It has a resolver of its own: nothing that is asked by way of the page takes a place
// among the lookups of mail, or in their cache, or makes a server count as failing for
// them.
package look

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/gather"
	"policyd-rdns/resolver"
)

const (
	// deadline bounds one look.
	deadline = 5 * time.Second
	// cacheEntries and maxInFlight are the budget of all of them together: a look has 12
	// lookups at most.
	cacheEntries = 2000
	maxInFlight  = 24
	// fresh is how old an answer may be that is past the cache: it was given during this
	// very look.
	fresh = time.Millisecond
	// negativeMost is how long "there is none" is kept at most, by the resolver: the DNS
	// server behind it may keep it for longer.
	negativeMost = 15 * time.Minute
)

// Config is what a Looker needs to know.
type Config struct {
	Servers []netip.AddrPort // recursive DNS servers, as of resolver.Config
	Timeout time.Duration    // for one try at one of them
	Log     *slog.Logger     // of the resolver; nil: nobody hears of it
	// Dial makes connections to DNS servers; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Looker looks. Its methods may be called from any number of goroutines. Close ends it. The
// nil Looker has nothing to set and to close.
type Looker struct{ dns *resolver.Resolver }

// New makes a Looker.
func New(c Config) (*Looker, error) {
	dns, err := resolver.New(resolver.Config{
		Servers: c.Servers, Timeout: c.Timeout, CacheEntries: cacheEntries, MaxInFlight: maxInFlight, Log: c.Log, Dial: c.Dial,
	})
	if err != nil {
		return nil, err
	}
	return &Looker{dns}, nil
}

// SetServers replaces the servers and the time for one try.
func (l *Looker) SetServers(servers []netip.AddrPort, timeout time.Duration) {
	if l != nil {
		l.dns.SetServers(servers, timeout)
	}
}

// Close ends the lookups that run on behind.
func (l *Looker) Close() {
	if l != nil {
		l.dns.Close()
	}
}

// Found is what was found of an address.
type Found struct {
	Client netip.Addr
	At     time.Time // when the oldest of the answers was given
	State  State
	// Verdict is what mail from the address would meet.
	Verdict Verdict
	PTR     resolver.Outcome
	PTRKept Kept
	Names   []Name // at most policy.MaxNames
	More    bool   // there are more names, which nobody has tried
}

// Name is a name of the address, with what it resolves to in the address's family.
type Name struct {
	Name      string // lower case, as the DNS has it: a stranger chose it
	Host      bool   // it is a host name, so that it was tried
	Generic   bool   // it was made from the address
	Outcome   resolver.Outcome
	Addrs     []netip.Addr // at most policy.MaxAddrs
	Confirmed bool         // the address is among them
	Kept      Kept
}

// Kept is how long our resolver may go on to give an answer that it has.
type Kept struct {
	For time.Duration
	// OrMore: as far as we know; the DNS server behind may keep it for longer.
	OrMore bool
}

// State is what the DNS says of an address, in a word: [Well], or that of the cause for
// which it is refused.
type State string

// Well is the state of an address of which the DNS says nothing that would be held
// against it.
const Well State = "well"

var stateUndetermined = State(casenumber.Undetermined.String())

// Verdict is what mail from an address would meet.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota // the DNS could not say
	Passes                 // it would be taken, whatever HELO says that is not forged
	ByHELO                 // it would be taken if HELO is a name that resolves to the address
	Waits                  // it would be taken when it is tried again
	Refused
)

// A Site is what an address is judged by.
type Site struct {
	Rules *policy.Rules
	Addrs []netip.Addr // of this machine
	Names []string     // of this machine
}

// Look looks at an address, as [address.Plain] has it; again: past the cache. It returns
// within 5 seconds, and what could not be learnt is told so.
func (l *Looker) Look(ctx context.Context, site Site, client netip.Addr, again bool) Found {
	dns := &observer{Resolver: l.dns, kept: map[string]Kept{}}
	if again {
		dns.maxAge = fresh
	}
	g := gather.Gatherer{DNS: dns, Deadline: deadline, HostAddrs: site.Addrs, HostNames: site.Names, Complete: true}
	rules := withoutExemptions(site.Rules)
	req := request(client)
	var facts policy.Facts
	g.Decide(ctx, &req, rules, &facts)
	findings := rules.Findings(&req, &facts)
	f := Found{
		Client: client, PTR: facts.PTR, More: facts.MoreNames, State: stateOf(&findings),
		PTRKept: dns.keptFor(""), At: req.Time.Add(-dns.oldest),
	}
	for i := range facts.Names {
		n := &facts.Names[i]
		f.Names = append(f.Names, Name{
			Name: n.Name, Host: n.Valid, Generic: n.Verdict.Generic, Outcome: n.Forward.Outcome,
			Addrs: n.Forward.Addrs, Confirmed: n.Forward.To(client), Kept: dns.keptFor(n.Name),
		})
	}
	f.Verdict = judge(rules, req, facts, f.State)
	return f
}

// stateOf is the state by the checks of the names.
func stateOf(f *policy.Findings) State {
	state := func(c casenumber.Cause) State { return State(c.String()) }
	switch f[policy.CheckPTR].Result {
	case policy.None:
		return state(casenumber.NoPTR)
	case policy.Malformed:
		return state(casenumber.MalformedPTR)
	}
	switch f[policy.CheckFCrDNS].Result {
	case policy.Unresolved:
		return state(casenumber.Unresolved)
	case policy.Mismatch:
		return state(casenumber.Elsewhere)
	case policy.Pass:
		if f[policy.CheckName].Result == policy.Generic {
			return state(casenumber.Generic)
		}
		return Well
	}
	return state(casenumber.Undetermined)
}

// observer has the queries of one look made, and notes how old the answers are and for
// how long they go on to hold.
type observer struct {
	*resolver.Resolver
	maxAge time.Duration

	mu     sync.Mutex
	kept   map[string]Kept // by name; "" is for the address's names
	oldest time.Duration
}

// BeginPTR is that of [gather.DNS].
func (o *observer) BeginPTR(ctx context.Context, addr netip.Addr, opts resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	opts.MaxAge = o.maxAge
	a, wait := o.Resolver.BeginPTR(ctx, addr, opts)
	return o.see("", a, wait)
}

// BeginAddrs is that of [gather.DNS].
func (o *observer) BeginAddrs(ctx context.Context, network, name string, opts resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	opts.MaxAge = o.maxAge
	a, wait := o.Resolver.BeginAddrs(ctx, network, name, opts)
	return o.see(name, a, wait)
}

// see notes an answer when it has come.
func (o *observer) see(name string, a resolver.Answer, wait func(context.Context) resolver.Answer) (resolver.Answer, func(context.Context) resolver.Answer) {
	if wait == nil {
		o.note(name, &a)
		return a, nil
	}
	return a, func(ctx context.Context) resolver.Answer {
		a := wait(ctx)
		o.note(name, &a)
		return a
	}
}

func (o *observer) note(name string, a *resolver.Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.oldest = max(o.oldest, a.Age)
	o.kept[name] = Kept{a.TTL, a.Outcome == resolver.None && a.TTL+a.Age >= negativeMost}
}

func (o *observer) keptFor(name string) Kept {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept[name]
}
