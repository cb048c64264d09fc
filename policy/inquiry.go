package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// query is how what a check rests on is asked for.
type query struct {
	// begin asks for what is neither known nor asked for already, if it can be asked
	// yet.
	begin func(*inquiry, context.Context) progress
	// take waits for the answers that are under way, and sets the facts.
	take func(*inquiry, context.Context)
}

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
	evaluation
	g        *Gatherer
	options  resolver.Options
	waiting  Queries // those under way
	ptr      func(context.Context) resolver.Answer
	forwards []forward // what names resolve to, asked so far

	lookups lookups // to be counted

	asked, cached bool // an answer has come; all came from the cache
	aged          bool // one was older than fresh
	judged        int  // how often the rules were held against the facts
}

// inquiries are used again, those that had nothing to wait for.
var inquiries = sync.Pool{New: func() any { return new(inquiry) }}

// forward is the query what a name resolves to in the client's address family.
type forward struct {
	name string
	to   Forward
	wait func(context.Context) resolver.Answer // nil: there is the answer
}

// begin sets the facts to those that need no query.
func (in *inquiry) begin(g *Gatherer, req *Request, rules *Rules, facts *Facts) {
	in.g, in.req, in.rules, in.facts, in.guess = g, req, rules, facts, Undetermined
	in.options = resolver.Options{Client: req.Client, Uncounted: true}
	in.judged, in.lookups.n = 0, 0
	in.restart(0)
}

// restart asks all again, for answers of an age that is not above maxAge; 0: any.
func (in *inquiry) restart(maxAge time.Duration) {
	in.options.MaxAge = maxAge
	in.waiting, in.ptr, in.forwards = 0, nil, in.forwards[:0]
	in.asked, in.cached, in.aged = false, true, false
	f := in.facts
	*f = Facts{Names: f.Names[:0]}
	f.HELO.judge(in.req.HELO, in.req.Client)
	f.OwnClient = slices.Contains(in.g.HostAddrs, in.req.Client)
	f.OwnHELO = f.HELO.Name != "" && slices.Contains(in.g.HostNames, f.HELO.Name)
}

// end gives an inquiry back. It keeps nothing alive.
func (in *inquiry) end() {
	clear(in.forwards)
	in.req, in.facts, in.rules, in.g, in.options = nil, nil, nil, nil, resolver.Options{}
	inquiries.Put(in)
}

// run judges and asks in turn. It is false if the decision has to wait for answers, where
// only the cache may be asked, or if it rests on answers that are too old for it.
func (in *inquiry) run(ctx context.Context, d *Decision) bool {
	for {
		in.judge(d)
		ask := d.Ask
		if in.g.Complete && in.req.Client.IsValid() || in.options.CacheOnly && d.Undetermined {
			ask = ^Queries(0) // what is at hand costs nobody anything, and the log has it
		}
		switch in.ask(ctx, ask) {
		case answered:
			continue
		case underWay:
			in.takeOne(ctx)
			continue
		}
		if d.Undetermined {
			return d.Ask == 0 // nobody can be asked
		}
		if in.log(ctx) {
			in.judge(d) // that the checks tell what the facts do; it was determined before
		}
		return !(in.aged && in.options.MaxAge == 0 && d.Decided.Permanent())
	}
}

// judge holds the rules against the facts as they are now.
func (in *inquiry) judge(d *Decision) {
	in.judged++
	in.brief = in.options.CacheOnly // all that is at hand is taken anyway
	f := in.facts
	f.Cached = in.asked && in.cached
	f.Outage = len(f.Errors) > 0 && in.g.DNS.Outage()
	in.draw()
	*d = in.evaluation.judge()
}

// ask begins queries, those that follow from a cached answer included: the checks are
// in such an order.
func (in *inquiry) ask(ctx context.Context, wanted Queries) progress {
	best := idle
	for c, check := range checks {
		if check.query == nil || !wanted.Has(Check(c)) || in.waiting.Has(Check(c)) {
			continue
		}
		p := check.query.begin(in, ctx)
		if p == underWay {
			in.waiting |= queries(Check(c))
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

// takeOne waits for the first of the queries that are under way.
func (in *inquiry) takeOne(ctx context.Context) {
	for c, check := range checks {
		if in.waiting.Has(Check(c)) {
			check.query.take(in, ctx)
			in.waiting &^= queries(Check(c))
			return
		}
	}
}

// log waits a little for what the log line alone would like to have, now that the
// decision is determined. It reports whether the facts have changed.
func (in *inquiry) log(ctx context.Context) bool {
	if !in.waiting.Has(CheckHELO) {
		return false
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, resolver.ErrUnneeded)
	defer cancel()
	h := &in.facts.HELO
	i := slices.IndexFunc(in.forwards, func(f forward) bool { return f.name == h.Name })
	if f := &in.forwards[i]; f.wait != nil {
		a := f.wait(ctx)
		if a.Outcome == resolver.TempError && ctx.Err() != nil {
			in.lookups.see(h.Name, &a)
			return false // not asked, as far as the facts go: nobody needs it
		}
		f.to, f.wait = in.noted(h.Name, &a), nil
	}
	h.Forward = in.forwards[i].to
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

// forward asks what a name resolves to, if that was not asked for this client before.
// A HELO name for whose lookup there is no room is asked again when the client's names
// are known: it may be one of them.
func (in *inquiry) forward(ctx context.Context, name string, to *Forward, o resolver.Options) progress {
	i := slices.IndexFunc(in.forwards, func(f forward) bool { return f.name == name })
	if i < 0 {
		a, wait := in.g.DNS.BeginAddrs(ctx, in.network(), name, o)
		if wait == nil && a.Outcome == resolver.NotQueried {
			return idle // not in the cache
		}
		if wait == nil && refused(&a) && o.HELO && in.waiting.Has(CheckPTR) {
			return idle
		}
		i = len(in.forwards)
		in.forwards = append(in.forwards, forward{name: name, wait: wait})
		if wait == nil {
			in.forwards[i].to = in.noted(name, &a)
		}
	}
	if in.forwards[i].wait != nil {
		return underWay
	}
	*to = in.forwards[i].to
	return answered
}

// refused reports whether there was no room to ask, or none any more.
func refused(a *resolver.Answer) bool {
	return errors.Is(a.Err, resolver.ErrShare) || errors.Is(a.Err, resolver.ErrBusy)
}

// raise has the lookup of a HELO name, if it is under way, count as one of a name of the
// client, which is more than what it says: such a lookup need not give way to others. If
// it has given way, it is made once more.
func (in *inquiry) raise(ctx context.Context, name string) {
	i := slices.IndexFunc(in.forwards, func(f forward) bool { return f.name == name })
	if i < 0 || in.forwards[i].wait == nil || in.g.DNS.Raise(in.network(), name, in.options) {
		return
	}
	f := &in.forwards[i]
	a := f.wait(ctx) // it has just ended
	if f.wait = nil; refused(&a) {
		a, f.wait = in.g.DNS.BeginAddrs(ctx, in.network(), name, in.options)
	}
	if f.wait == nil {
		f.to = in.noted(name, &a)
	}
}

// take waits for what a name resolves to, if that was asked for.
func (in *inquiry) take(ctx context.Context, name string, to *Forward) {
	i := slices.IndexFunc(in.forwards, func(f forward) bool { return f.name == name })
	if i < 0 {
		return
	}
	f := &in.forwards[i]
	if f.wait != nil {
		a := f.wait(ctx)
		f.to, f.wait = in.noted(name, &a), nil
	}
	*to = f.to
}

// chooseNames chooses the names to try: well-formed ones, HELO first. If
// nobody knows whether there is any, that is a temporary failure.
func (f *Facts) chooseNames(ptr *resolver.Answer, in *inquiry) {
	if ptr.Outcome != resolver.Found {
		return
	}
	f.MoreNames = ptr.More
	var malformed []Name
	if f.HELO.Form == hostname.FQDN && slices.Contains(ptr.Names, f.HELO.Name) {
		// Both by their looks alone, and the looks are the same.
		f.Names = append(f.Names, Name{Name: f.HELO.Name, Valid: hostname.Valid(f.HELO.Name), Verdict: f.HELO.Verdict})
	}
	for _, name := range ptr.Names {
		switch {
		case len(f.Names) > 0 && name == f.Names[0].Name:
		case !hostname.Valid(name):
			malformed = append(malformed, Name{Name: name})
		case len(f.Names) == MaxNames:
			f.MoreNames = true
		default:
			f.Names = append(f.Names, NewName(name, in.req.Client))
		}
	}
	switch {
	case len(f.Names) > 0:
	case f.MoreNames: // well-formed, perhaps
		ptr.Outcome, ptr.Err = resolver.TempError, fmt.Errorf("more than %d names, the first of them malformed", resolver.MaxRecords)
		f.MoreNames = false
	default:
		f.Names = append(f.Names, malformed[:min(len(malformed), MaxNames)]...)
	}
}

// noted is what the facts hold of an answer; the answer is noted for the record.
func (in *inquiry) noted(name string, a *resolver.Answer) Forward {
	l := in.addrs(a)
	in.note(name, a)
	return l
}

// addrs are the addresses of an answer that the facts hold, the client's own among
// them.
func (in *inquiry) addrs(a *resolver.Answer) Forward {
	l := Forward{Outcome: a.Outcome}
	if a.Outcome != resolver.Found {
		return l
	}
	client := in.req.Client
	first := nearest(a.Addrs, client)
	switch {
	case a.More && (first < 0 || a.Addrs[first] != client):
		a.Outcome, a.Err = resolver.TempError, fmt.Errorf("more than %d addresses", resolver.MaxRecords)
		return Forward{Outcome: resolver.TempError}
	case first <= 0 && len(a.Addrs) <= MaxAddrs:
		l.Addrs = a.Addrs // the cache's own: nobody changes them
		return l
	case first >= 0:
		l.Addrs = append(l.Addrs, a.Addrs[first])
	}
	for i, addr := range a.Addrs {
		if len(l.Addrs) == MaxAddrs {
			break
		}
		if i != first {
			l.Addrs = append(l.Addrs, addr)
		}
	}
	return l
}

// note keeps what the log line and a reject want to know of an answer beside
// its outcome: of a temperror what it was about. The empty name is for the client's
// names.
func (in *inquiry) note(name string, a *resolver.Answer) {
	f := in.facts
	in.lookups.see(name, a)
	in.asked, in.cached = true, in.cached && a.Cached
	f.Stale = f.Stale || a.Stale
	if a.Outcome == resolver.TempError {
		about := name
		if name == "" {
			about = in.req.Client.String()
		}
		for _, r := range resolver.Reasons(a.Err) {
			f.Errors = append(f.Errors, LookupError{About: about, Server: r.Server, Reason: r.Text})
		}
		f.Overload = f.Overload || errors.Is(a.Err, resolver.ErrBusy) || errors.Is(a.Err, resolver.ErrOwn)
		return
	}
	if a.Stale || a.Cached && a.Age > fresh {
		in.aged = true
	}
}
