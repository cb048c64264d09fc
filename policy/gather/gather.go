// Package gather collects the facts about clients: it holds the rules against what is
// known, asks for what they lack, the cache first and then the DNS, and so on until the
// decision is determined. It is the only step of a request that waits.
package gather

import (
	"context"
	"net/netip"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// maxQueries bounds the messages to DNS servers for one decision, retries
// included: a PTR, a HELO and [policy.MaxNames] names, and some trouble on the way. What SPF
// asks has a budget of its own.
const maxQueries = 20

// fresh is how old a cached answer may be that a reject rests on. Older ones
// are queried again, so that a host whose DNS was repaired is refused no longer
// than this.
const fresh = time.Minute

// patience is how long HELO is looked up for the log line alone, when the
// rules have decided without it. The lookup ends then.
const patience = 500 * time.Millisecond

// DNS answers the queries of a [Gatherer]. [resolver.Resolver] does. What is at hand is
// given at once, and wait is nil; else the query is on its way, and wait waits for the
// answer, until its context is over. With Options.CacheOnly nothing is sent: the outcome
// is NotAsked.
type DNS interface {
	// BeginPTR asks for the names of an address.
	BeginPTR(ctx context.Context, addr netip.Addr, o resolver.Options) (a resolver.Answer, wait func(context.Context) resolver.Answer)
	// BeginAddrs asks for the addresses of a name, network "ip4" or "ip6".
	BeginAddrs(ctx context.Context, network, name string, o resolver.Options) (a resolver.Answer, wait func(context.Context) resolver.Answer)
	// Raise has a lookup of a HELO name that is under way count as one of a name of
	// the client, and reports whether it is.
	Raise(network, name string, o resolver.Options) bool
	// Count counts a lookup that was made with resolver.Options.Uncounted.
	Count(k resolver.Kind, o resolver.Outcome, s resolver.Source)
	// Outage reports whether no server answers.
	Outage() bool
}

// History is who came before; *[policyd-rdns/policy/history.History] is one.
type History interface {
	// Begin asks what is remembered of a client, by its parties. If nearby, only what is
	// known at once is wanted, and the answer is not asked if that is not all. wait waits
	// for the answer, which comes soon; nil: there it is.
	Begin(req *policy.Request, p *policy.Parties, nearby bool) (past policy.Past, wait func(context.Context) policy.Past)
	// Sender asks what is remembered of a domain of MAIL FROM, in the same way. Of the
	// empty domain nothing is.
	Sender(domain string, nearby bool) (is policy.Sender, wait func(context.Context) policy.Sender)
}

// SPF asks the domain of a sender; *[spf.Checker] does. If nearby, only a result at hand is
// wanted, and the code is NotChecked if there is none. wait asks, until its context is over;
// nil: there is the result.
type SPF interface {
	Begin(q spf.Query, nearby bool) (r spf.Result, wait func(context.Context) spf.Result)
}

// Gatherer collects the facts about clients and has them judged. It is safe for
// concurrent use.
type Gatherer struct {
	DNS      DNS
	History  History       // nil: nothing is remembered of anybody
	SPF      SPF           // nil: no domain has a policy
	Deadline time.Duration // for all queries about one client
	// HostAddrs and HostNames are this machine's own: lower case, no final dot.
	HostAddrs []netip.Addr
	HostNames []string
	// Complete asks every query, though the rules may have decided.
	Complete bool

	known acquaintances
}

// Decide decides about a request, and sets the facts that the decision rests on; the
// memory of facts.Names is used again. Where the rules decide without the DNS, no query
// is sent; else what they need is asked, the cache first. It returns within the
// deadline, whatever the DNS does, and it cannot fail: what could not be learnt is a
// temperror. Before a reject, answers older than a minute are queried again.
func (g *Gatherer) Decide(ctx context.Context, req *policy.Request, rules *policy.Rules, facts *policy.Facts) policy.Decision {
	d, finish := g.Begin(req, rules, facts)
	if finish != nil {
		d = finish(ctx)
	}
	return d
}

// Begin is Decide in two steps: it decides if nothing has to be waited for, and else
// returns finish, which waits and decides. The request must not change meanwhile.
func (g *Gatherer) Begin(req *policy.Request, rules *policy.Rules, facts *policy.Facts) (d policy.Decision, finish func(context.Context) policy.Decision) {
	in := inquiries.Get().(*inquiry)
	in.begin(g, req, rules, facts)
	if in.run(context.Background(), &d) && !g.Complete { // nothing is waited for
		in.end()
		return d, nil
	}
	again := d.Decided.Permanent() && !g.Complete // it is only too old
	return d, func(ctx context.Context) policy.Decision { return in.finish(ctx, again) }
}

// finish asks what the cache does not hold, or, if again, holds only of too great an
// age.
func (in *inquiry) finish(ctx context.Context, again bool) (d policy.Decision) {
	ctx, cancel := context.WithTimeout(ctx, in.g.Deadline)
	defer cancel()
	in.options.CacheOnly, in.options.Budget = false, resolver.NewBudget(maxQueries)
	in.options.Kept = 0 // that was told
	if again {
		in.restart(fresh)
	} else {
		in.judgeAnew()
	}
	if !in.run(ctx, &d) {
		in.restart(fresh)
		in.run(ctx, &d)
	}
	in.facts.Queries = in.options.Budget.Sent() + in.asked
	in.end()
	return d
}
