package gather

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// progress is what became of the beginning of a query.
type progress uint8

const (
	idle     progress = iota // there is nothing to ask, or not yet
	answered                 // the facts have it
	underWay                 // an answer has to be waited for
)

// inquiry is the way to one decision: the rules are held against the facts, what is
// lacking is asked, and so on until the decision is determined.
type inquiry struct {
	g       *Gatherer
	req     *policy.Request
	rules   *policy.Rules
	facts   *policy.Facts
	judging policy.Judging
	options resolver.Options
	queries []policy.Query // of one check after the other

	waiting  policy.CheckSet // those of which queries are under way
	ptr      func(context.Context) resolver.Answer
	past     func(context.Context) policy.Past
	domain   func(context.Context) policy.Sender // of MAIL FROM
	spf      func(context.Context) spf.Result
	list     func(context.Context) resolver.Answer
	forwards []forward // what names resolve to, queried so far
	asked    int       // messages that were sent for SPF

	lookups  lookups // to be counted
	validity validity
	helo     string // in memory of its own, which what is said of it may share
	restored bool   // the facts are those of an earlier request, and no answer has come since

	known, cached bool // an answer has come; all came from the cache
	aged          bool // one was older than fresh
	judged        int  // how often the rules were held against the facts
}

// inquiries are used again.
var inquiries = sync.Pool{New: func() any { return new(inquiry) }}

// forward is the query what a name resolves to in the client's address family.
type forward struct {
	name    string
	claimed bool // when queried, nobody but the client had said the name
	to      resolver.Forward
	wait    func(context.Context) resolver.Answer // nil: there is the answer
}

// begin sets the facts to those that need no query. None will be sent before finish.
func (in *inquiry) begin(g *Gatherer, req *policy.Request, rules *policy.Rules, facts *policy.Facts) {
	in.g, in.req, in.rules, in.facts = g, req, rules, facts
	in.options = resolver.Options{Client: req.Client, Uncounted: true, CacheOnly: true}
	in.judged, in.lookups.n, in.asked, in.helo = 0, 0, 0, ""
	in.restart(0)
}

// restart asks all again, for answers of an age that is not above maxAge; 0: any.
func (in *inquiry) restart(maxAge time.Duration) {
	in.options.MaxAge = maxAge
	in.waiting, in.ptr, in.past, in.domain, in.spf, in.list, in.forwards = 0, nil, nil, nil, nil, nil, in.forwards[:0]
	in.known, in.cached, in.aged = false, true, false
	in.validity, in.restored = validity{}, false
	f := in.facts
	if !in.options.CacheOnly || !in.recall() {
		in.helo = strings.Clone(in.req.HELO)
		f.Reset(policy.NewHELO(in.helo, in.req.Client))
	}
	f.OwnClient = slices.Contains(in.g.HostAddrs, in.req.Client)
	f.OwnHELO = f.HELO.Name != "" && slices.Contains(in.g.HostNames, f.HELO.Name)
	in.judgeAnew()
}

// judgeAnew has the rules held against the facts from the first one on.
func (in *inquiry) judgeAnew() {
	in.judging.Begin(in.rules, in.req, in.facts, in.options.CacheOnly) // all that is at hand is taken anyway
}

// end ends an inquiry, which keeps nothing alive.
func (in *inquiry) end() {
	in.lookups.count(in.g.DNS)
	in.keep()
	in.ptr, in.past, in.domain, in.spf, in.list = nil, nil, nil, nil, nil
	clear(in.forwards)
	clear(in.queries)
	in.judging.Forget()
	in.req, in.facts, in.rules, in.g, in.options = nil, nil, nil, nil, resolver.Options{}
	inquiries.Put(in)
}

// run judges and asks in turn. It is false if the decision has to wait for answers, where
// only the cache may be asked, or if it rests on answers that are too old for it.
func (in *inquiry) run(ctx context.Context, d *policy.Decision) bool {
	atHand := ^policy.AskedOfOthers() // what is at hand costs nobody anything, and the log has it
	if in.restored {
		in.query(ctx, atHand)
	}
	for {
		in.judge(d)
		wanted := d.Lacks
		switch all := ^policy.CheckSet(0); {
		case in.g.Complete && in.req.Client.IsValid():
			wanted = all
		case in.options.CacheOnly && d.Undetermined:
			wanted |= atHand
		}
		switch in.query(ctx, wanted) {
		case answered:
			continue
		case underWay:
			in.takeOne(ctx)
			continue
		}
		if d.Undetermined {
			return d.Lacks == 0 // nobody can be asked
		}
		if in.log(ctx) {
			in.judge(d) // that the checks tell what the facts do; it was determined before
		}
		return !(in.aged && in.options.MaxAge == 0 && d.Decided.Permanent())
	}
}

// judge holds the rules against the facts as they are now.
func (in *inquiry) judge(d *policy.Decision) {
	in.judged++
	f := in.facts
	f.Cached = in.known && in.cached
	f.Outage = len(f.Errors) > 0 && in.g.DNS.Outage()
	in.judging.Judge(d)
}

// lacking are the queries of a check that nobody has made.
func (in *inquiry) lacking(c policy.Check) []policy.Query {
	in.queries = c.Queries(in.facts, in.queries[:0])
	return in.queries
}

// query begins the queries of checks, those that follow from a cached answer included: the
// checks are in such an order.
func (in *inquiry) query(ctx context.Context, wanted policy.CheckSet) progress {
	best := idle
	for c := range policy.NumChecks {
		if !wanted.Has(c) || in.waiting.Has(c) {
			continue
		}
		p := idle
		for _, q := range in.lacking(c) {
			switch {
			case q.Past != nil:
				p = max(p, in.queryPast(q))
			case q.SPF != nil:
				p = max(p, in.querySPF(q.SPF))
			case q.List != nil:
				p = max(p, in.queryList(ctx, q.List))
			case q.To == nil:
				p = max(p, in.queryNames(ctx))
			default:
				p = max(p, in.queryForward(ctx, q))
			}
		}
		if p == underWay {
			in.waiting.Add(c)
		}
		if best == idle || p == answered {
			best = p
		}
	}
	if best == idle && in.waiting&wanted != 0 {
		return underWay
	}
	return best
}

// takeOne waits for the queries of the first check of which any are under way.
func (in *inquiry) takeOne(ctx context.Context) {
	for c := range policy.NumChecks {
		if !in.waiting.Has(c) {
			continue
		}
		names := false
		for _, q := range in.lacking(c) {
			switch {
			case q.Past != nil:
				in.waitPast(ctx, q)
				continue
			case q.SPF != nil:
				in.takeSPF(q.SPF, in.spf(ctx))
				continue
			case q.List != nil:
				a := in.list(ctx)
				in.takeList(q.List, &a)
				continue
			case q.To == nil:
				in.takeNames(ctx)
				names = true
				continue
			}
			if f := in.find(q.Name); f != nil {
				in.take(ctx, f)
				*q.To = f.to
			}
		}
		in.waiting.Remove(c)
		if names {
			in.raiseNames(ctx)
		}
		return
	}
}

// log waits a little for what the log line alone would like to have, now that the
// decision is determined. It reports whether the facts have changed.
func (in *inquiry) log(ctx context.Context) (changed bool) {
	if in.waiting == 0 {
		return false
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, resolver.ErrUnneeded)
	defer cancel()
	for c := range policy.NumChecks {
		if !in.waiting.Has(c) {
			continue
		}
		for _, q := range in.lacking(c) {
			if f := in.find(q.Name); f != nil && in.takeSoon(ctx, f) {
				*q.To, changed = f.to, true
			}
		}
	}
	return changed
}

// takeSoon waits for an answer that nobody needs. It reports whether one has come: if
// not, it was not queried as far as the facts go.
func (in *inquiry) takeSoon(ctx context.Context, f *forward) bool {
	if f.wait == nil {
		return true
	}
	a := f.wait(ctx)
	if a.Outcome == resolver.TempError && ctx.Err() != nil {
		in.lookups.see(f.name, in.kind(), &a)
		return false
	}
	f.to, f.wait = in.noted(f.name, &a), nil
	return true
}

// network is the client's address family, as [DNS] has it.
func (in *inquiry) network() string {
	if in.req.Client.Is4() {
		return "ip4"
	}
	return "ip6"
}

// kind is what names are asked for.
func (in *inquiry) kind() resolver.Kind {
	if in.req.Client.Is4() {
		return resolver.KindA
	}
	return resolver.KindAAAA
}

// queryPast asks what is remembered of the client.
func (in *inquiry) queryPast(q policy.Query) progress {
	switch {
	case !in.req.Messages():
		return idle
	case in.g.History == nil && in.options.CacheOnly:
		return idle // the log need not have it
	case in.g.History == nil:
		q.Past.Asked, q.Past.DomainAsked = true, true
		return answered
	case q.Domain:
		return in.queryDomain(q.Past)
	}
	in.facts.Parties = in.judging.Parties()
	past, wait := in.g.History.Begin(in.req, &in.facts.Parties, in.options.CacheOnly)
	switch {
	case wait != nil:
		in.past = wait
		return underWay
	case !past.Asked:
		return idle
	}
	in.takePast(q.Past, past)
	return answered
}

// waitPast waits for what is remembered, or for what is known of the domain.
func (in *inquiry) waitPast(ctx context.Context, q policy.Query) {
	switch {
	case q.Domain && in.domain != nil:
		takeDomain(q.Past, in.domain(ctx))
		in.domain = nil
	case !q.Domain && in.past != nil:
		in.takePast(q.Past, in.past(ctx))
		in.past = nil
	}
}

// takePast puts among the facts what is remembered, beside what is known of the domain.
func (in *inquiry) takePast(to *policy.Past, past policy.Past) {
	past.Correspondent, past.DomainKnown, past.DomainAsked = to.Correspondent, to.DomainKnown, to.DomainAsked
	past.Unsure = past.Unsure || to.Unsure
	*to = past
}

// takeDomain puts among the facts what is remembered of the domain.
func takeDomain(to *policy.Past, is policy.Sender) {
	to.Correspondent, to.DomainKnown, to.DomainAsked = is.Correspondent == policy.Yes, is.Known == policy.Yes, true
	to.Unsure = to.Unsure || is.Correspondent == policy.Unknown || is.Known == policy.Unknown
}

// queryDomain asks what is remembered of the domain of the sender.
func (in *inquiry) queryDomain(past *policy.Past) progress {
	is, wait := in.g.History.Sender(in.req.SenderDomain(), in.options.CacheOnly)
	switch {
	case wait != nil:
		in.domain = wait
		return underWay
	case is.Correspondent == policy.Undetermined:
		return idle
	}
	takeDomain(past, is)
	return answered
}

// queryNames asks for the client's names.
func (in *inquiry) queryNames(ctx context.Context) progress {
	a, wait := in.g.DNS.BeginPTR(ctx, in.req.Client, in.options)
	if wait != nil {
		in.ptr = wait
		return underWay
	}
	return in.names(&a)
}

// takeNames waits for the client's names.
func (in *inquiry) takeNames(ctx context.Context) {
	a := in.ptr(ctx)
	in.ptr = nil
	in.names(&a)
}

// raiseNames raises the lookups that are under way of names that turn out to be the
// client's.
func (in *inquiry) raiseNames(ctx context.Context) {
	for c := range policy.NumChecks {
		if !in.waiting.Has(c) {
			continue
		}
		for _, q := range in.lacking(c) {
			if f := in.find(q.Name); q.To != nil && f != nil && f.claimed && !q.Claimed {
				in.raise(ctx, f)
			}
		}
	}
}

// find finds the query what a name resolves to; nil: it was not made for this client.
func (in *inquiry) find(name string) *forward {
	for i := range in.forwards {
		if in.forwards[i].name == name {
			return &in.forwards[i]
		}
	}
	return nil
}

// queryForward queries what a name resolves to, if that was not queried for this client before.
// That of a name which the client alone has said may find no room, and is queried again when
// the client's names are known: it may be one of them.
func (in *inquiry) queryForward(ctx context.Context, q policy.Query) progress {
	f := in.find(q.Name)
	if f == nil {
		o := in.options
		o.HELO = q.Claimed
		a, wait := in.g.DNS.BeginAddrs(ctx, in.network(), q.Name, o)
		if wait == nil && a.Outcome == resolver.NotQueried {
			return idle // not in the cache
		}
		if wait == nil && refused(&a) && q.Claimed && in.ptr != nil {
			return idle
		}
		in.forwards = append(in.forwards, forward{name: q.Name, claimed: q.Claimed, wait: wait})
		f = &in.forwards[len(in.forwards)-1]
		if wait == nil {
			f.to = in.noted(q.Name, &a)
		}
	}
	if f.wait != nil {
		return underWay
	}
	*q.To = f.to
	return answered
}

// refused reports whether there was no room to ask, or none any more.
func refused(a *resolver.Answer) bool {
	return errors.Is(a.Err, resolver.ErrShare) || errors.Is(a.Err, resolver.ErrBusy)
}

// raise has the lookup of a HELO name, if it is under way, count as one of a name of the
// client, which is more than what it says: such a lookup need not give way to others. If
// it has given way, it is made once more.
func (in *inquiry) raise(ctx context.Context, f *forward) {
	f.claimed = false
	if f.wait == nil || in.g.DNS.Raise(in.network(), f.name, in.options) {
		return
	}
	a := f.wait(ctx) // it has just ended
	if f.wait = nil; refused(&a) {
		a, f.wait = in.g.DNS.BeginAddrs(ctx, in.network(), f.name, in.options)
	}
	if f.wait == nil {
		f.to = in.noted(f.name, &a)
	}
}

// take waits for what a name resolves to.
func (in *inquiry) take(ctx context.Context, f *forward) {
	if f.wait != nil {
		a := f.wait(ctx)
		f.to, f.wait = in.noted(f.name, &a), nil
	}
}
