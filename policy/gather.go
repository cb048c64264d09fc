package policy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// maxQuestions bounds the messages to DNS servers for one decision, retries
// included: a PTR, a greeting and MaxNames names, and some trouble on the way.
const maxQuestions = 20

// fresh is how old a cached answer may be that a reject rests on. Older ones
// are asked again, so that a host whose DNS was repaired is refused no longer
// than this.
const fresh = time.Minute

// DNS answers the questions of Gather. [resolver.Resolver] does.
type DNS interface {
	// LookupPTR asks for the names of an address.
	LookupPTR(ctx context.Context, addr netip.Addr, o resolver.Options) resolver.Answer
	// LookupAddrs asks for the addresses of a name, network "ip4" or "ip6".
	LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer
	// BeginAddrs is LookupAddrs in two steps: wait waits for the answer; it is
	// nil if that is at hand.
	BeginAddrs(ctx context.Context, network, name string, o resolver.Options) (a resolver.Answer, wait func(context.Context) resolver.Answer)
	// Raise has a lookup of a HELO name that is under way count as one of a name of
	// the client, and reports whether it is.
	Raise(network, name string, o resolver.Options) bool
	// Outage says that no server answers.
	Outage() bool
	// Count counts a lookup that was made with resolver.Options.Uncounted.
	Count(k resolver.Kind, o resolver.Outcome, s resolver.Source)
}

// Gatherer collects the facts about clients. It is safe for concurrent use.
type Gatherer struct {
	DNS      DNS
	Deadline time.Duration // for all questions about one client
	// HostAddrs and HostNames are this machine's own: lower case, no final dot.
	HostAddrs []netip.Addr
	HostNames []string
	// Complete asks every question, though the rules may have decided.
	Complete bool
}

// Gather collects the facts that the rules need to judge a request. Where they
// decide already no question is sent; else it asks for the client's names and
// for the greeting at once, then for where the names lead. It returns within
// the deadline, whatever the DNS does, and it cannot fail: what could not be
// learnt is a temperror. Before a reject, answers older than a minute are asked
// again.
func (g *Gatherer) Gather(ctx context.Context, req *Request, rules *Rules) Facts {
	var facts Facts
	if learn := g.Begin(req, rules, &facts); learn != nil {
		learn(ctx)
	}
	return facts
}

// Begin is Gather in two steps: it sets the facts if nothing has to be waited for,
// and else returns learn, which waits for them and sets them. The memory of
// facts.Names is used again.
func (g *Gatherer) Begin(req *Request, rules *Rules, facts *Facts) (learn func(context.Context)) {
	c := collection{g: g, req: req, rules: rules, facts: facts}
	g.know(req, facts)
	if !req.Client.IsValid() || !g.Complete && !rules.Judge(req, facts).Open {
		return nil
	}
	maxAge := time.Duration(0)
	if c.atHand() {
		if !c.tooOld() {
			c.lookups.count(g.DNS, c.kind())
			facts.Outage = len(facts.Errors) > 0 && g.DNS.Outage()
			return nil
		}
		maxAge = fresh
	}
	own := *req // or each caller's had to be on the heap
	return func(ctx context.Context) { g.learn(ctx, &own, rules, maxAge, facts) }
}

// learn collects the facts that the cache does not hold, or holds only of an age
// above maxAge, if that is not 0.
func (g *Gatherer) learn(ctx context.Context, req *Request, rules *Rules, maxAge time.Duration, facts *Facts) {
	ctx, cancel := context.WithTimeout(ctx, g.Deadline)
	defer cancel()
	budget := resolver.NewBudget(maxQuestions)
	o := resolver.Options{Budget: budget, Client: req.Client, MaxAge: maxAge, Uncounted: true}
	c := collection{g: g, req: req, rules: rules, facts: facts}
	g.know(req, facts)
	c.collect(ctx, o)
	if maxAge == 0 && c.tooOld() {
		g.know(req, facts)
		o.MaxAge = fresh
		c.collect(ctx, o)
	}
	c.lookups.count(g.DNS, c.kind())
	facts.Outage = len(facts.Errors) > 0 && g.DNS.Outage()
	facts.Questions = budget.Sent()
}

// know sets the facts to those that need no question.
func (g *Gatherer) know(req *Request, f *Facts) {
	*f = Facts{Names: f.Names[:0]}
	f.HELO.judge(req.HELO, req.Client)
	f.OwnClient = slices.Contains(g.HostAddrs, req.Client)
	f.OwnHELO = f.HELO.Name != "" && slices.Contains(g.HostNames, f.HELO.Name)
}

// collection is the collecting of facts for one request.
type collection struct {
	g     *Gatherer
	req   *Request
	rules *Rules
	facts *Facts
	aged  bool // an answer older than fresh was used

	lookups lookups
}

// tooOld says that the facts lead to a reject and that an answer among them is
// too old for that.
func (c *collection) tooOld() bool {
	return c.aged && c.rules.Judge(c.req, c.facts).Decided == Reject
}

// atHand collects the facts from the cache alone, and says whether all that the
// rules need was there. It costs no goroutine and no
// timer: nearly all clients of a busy server were here before.
func (c *collection) atHand() bool {
	ctx := context.Background() // nothing is waited for
	o := resolver.Options{Client: c.req.Client, CacheOnly: true, Uncounted: true}
	ptr := c.g.DNS.LookupPTR(ctx, c.req.Client, o)
	if ptr.Outcome == resolver.NotAsked {
		return false
	}
	c.pointer(&ptr)
	o.Link = ptr.Link
	network := c.network()
	wanted := c.wantsHELO()
	var greeting Lead
	var helo resolver.Answer
	if wanted {
		if helo = c.g.DNS.LookupAddrs(ctx, network, c.facts.HELO.Name, o); helo.Outcome == resolver.NotAsked {
			return false
		}
		c.lookups.see(c.facts.HELO.Name, &helo)
		greeting = c.lead(&helo)
	}
	if !(wanted && c.greetsWithItsName()) && c.needsNames() {
		for i := range c.facts.Names {
			n := &c.facts.Names[i]
			if !n.Valid {
				break
			}
			if wanted && n.Name == c.facts.HELO.Name {
				continue
			}
			a := c.g.DNS.LookupAddrs(ctx, network, n.Name, o)
			if a.Outcome == resolver.NotAsked {
				return false
			}
			c.lookups.see(n.Name, &a)
			n.Lead = c.lead(&a)
			c.note(n.Name, &a)
		}
	}
	if wanted {
		c.greeting(greeting, &helo)
	}
	return true
}

// greeting takes the answer to the question where the greeting leads, and with it
// where the name leads that is the same.
func (c *collection) greeting(lead Lead, a *resolver.Answer) {
	f := c.facts
	f.HELO.Lead = lead
	c.note(f.HELO.Name, a)
	if c.greetsWithAName() {
		f.Names[0].Lead = lead
	}
}

// greetsWithItsName says that the client has no name but the one it greets with,
// so that to know where that leads is to know all.
func (c *collection) greetsWithItsName() bool {
	return len(c.facts.Names) == 1 && c.greetsWithAName()
}

// greetsWithAName says that the client greets with one of its names.
func (c *collection) greetsWithAName() bool {
	f := c.facts
	return len(f.Names) > 0 && f.Names[0].Valid && f.Names[0].Name == f.HELO.Name
}

// pointer takes the answer to the question for the client's names.
func (c *collection) pointer(ptr *resolver.Answer) {
	c.lookups.see("", ptr)
	c.names(ptr)
	c.facts.PTR = ptr.Outcome
	c.facts.Cached = ptr.Cached
	about := ""
	if ptr.Outcome == resolver.TempError {
		about = c.req.Client.String()
	}
	c.note(about, ptr)
}

// needsNames says that it matters where the client's names lead.
func (c *collection) needsNames() bool {
	return c.facts.PTR == resolver.Found && (c.g.Complete || c.rules.Judge(c.req, c.facts).Open)
}

// network is the client's address family, as [DNS] has it.
func (c *collection) network() string {
	if c.req.Client.Is4() {
		return "ip4"
	}
	return "ip6"
}

// kind is what its names are asked for.
func (c *collection) kind() resolver.Kind {
	if c.req.Client.Is4() {
		return resolver.KindA
	}
	return resolver.KindAAAA
}

// question is one address look-up of a collection.
type question struct {
	name   string
	answer resolver.Answer
	wait   func(context.Context) resolver.Answer // nil: there is the answer
}

// take waits for the answer.
func (q *question) take(ctx context.Context) *resolver.Answer {
	if q.wait != nil {
		q.answer, q.wait = q.wait(ctx), nil
	}
	return &q.answer
}

// refused says that there was no room to ask.
func (q *question) refused() bool {
	return q.wait == nil && (errors.Is(q.answer.Err, resolver.ErrShare) || errors.Is(q.answer.Err, resolver.ErrBusy))
}

// patience is how long a greeting is looked up for the log line alone, when the
// rules have decided without it. The lookup ends then.
const patience = 500 * time.Millisecond

// collect collects the facts. The questions about the greeting and about the
// client's names are on their way at once, and then those about where the names
// lead.
func (c *collection) collect(ctx context.Context, o resolver.Options) {
	var helo *question
	if c.wantsHELO() {
		said := o
		said.HELO = true
		helo = c.ask(ctx, c.facts.HELO.Name, said)
	}
	ptr := c.g.DNS.LookupPTR(ctx, c.req.Client, o)
	c.pointer(&ptr)
	if helo != nil && c.greetsWithAName() {
		helo = c.raise(ctx, helo, o)
	}
	var asked []*question
	if c.needsNames() {
		asked = c.askNames(ctx, helo, o)
	}
	for i, q := range asked {
		if q != helo {
			a := q.take(ctx)
			c.lookups.see(q.name, a)
			c.facts.Names[i].Lead = c.lead(a)
			c.note(q.name, a)
		}
	}
	if helo == nil {
		return
	}
	enough := ctx
	if helo.wait != nil && !c.g.Complete && !c.rules.Judge(c.req, c.facts).Open {
		var cancel context.CancelFunc
		enough, cancel = context.WithTimeoutCause(ctx, patience, resolver.ErrUnneeded)
		defer cancel()
	}
	a := helo.take(enough)
	c.lookups.see(helo.name, a)
	if enough.Err() != nil && ctx.Err() == nil {
		return // not asked, as far as the facts go: nobody needs it
	}
	c.greeting(c.lead(a), a)
}

// wantsHELO says that the rules may need to know where the greeting leads, and
// that a look-up could tell.
func (c *collection) wantsHELO() bool {
	if c.facts.HELO.Form != hostname.FQDN {
		return false
	}
	if c.g.Complete {
		return true
	}
	for i := range c.rules.List {
		if c.rules.List[i].uses("helo") {
			return true
		}
	}
	return false
}

// ask puts a question.
func (c *collection) ask(ctx context.Context, name string, o resolver.Options) *question {
	q := &question{name: name}
	q.answer, q.wait = c.g.DNS.BeginAddrs(ctx, c.network(), name, o)
	return q
}

// raise has the question about the HELO name count as one about a name of the
// client, which is more than what it says: such a question need not give way to
// others. If it was refused, or has given way, it is put once more.
func (c *collection) raise(ctx context.Context, helo *question, o resolver.Options) *question {
	if helo.wait != nil && !c.g.DNS.Raise(c.network(), helo.name, o) {
		helo.take(ctx) // it has just ended
	}
	if helo.refused() {
		return c.ask(ctx, helo.name, o)
	}
	return helo
}

// askNames asks where the client's names lead. The greeting has been asked for
// already if it is one of them.
func (c *collection) askNames(ctx context.Context, helo *question, o resolver.Options) []*question {
	var asked []*question
	for i := range c.facts.Names {
		n := &c.facts.Names[i]
		switch {
		case !n.Valid:
			return asked
		case helo != nil && helo.name == n.Name:
			asked = append(asked, helo)
		default:
			asked = append(asked, c.ask(ctx, n.Name, o))
		}
	}
	return asked
}

// names chooses the names to try: well-formed ones, the greeting first. If
// nobody knows whether there is any, that is a temporary error.
func (c *collection) names(ptr *resolver.Answer) {
	if ptr.Outcome != resolver.Found {
		return
	}
	f := c.facts
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
			f.Names = append(f.Names, NewName(name, c.req.Client))
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

// lead keeps of an answer what the facts hold.
func (c *collection) lead(a *resolver.Answer) Lead {
	l := Lead{Outcome: a.Outcome}
	if a.Outcome != resolver.Found {
		return l
	}
	first := nearest(a.Addrs, c.req.Client)
	switch {
	case a.More && (first < 0 || a.Addrs[first] != c.req.Client):
		a.Outcome, a.Err = resolver.TempError, fmt.Errorf("more than %d addresses", resolver.MaxRecords)
		return Lead{Outcome: resolver.TempError}
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
// its outcome: of a temperror what it was about.
func (c *collection) note(about string, a *resolver.Answer) {
	f := c.facts
	f.Cached = f.Cached && a.Cached
	f.Stale = f.Stale || a.Stale
	if a.Outcome == resolver.TempError {
		f.Errors = append(f.Errors, fmt.Sprintf("%s: %v", about, a.Err))
		f.Overload = f.Overload || errors.Is(a.Err, resolver.ErrBusy) || errors.Is(a.Err, resolver.ErrOwn)
		return
	}
	if a.Stale || a.Cached && a.Age > fresh {
		c.aged = true
	}
}
