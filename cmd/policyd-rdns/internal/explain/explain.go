// Package explain says in words what became of one client: what was looked up, what
// that shows, which rules were tried, what the sending server reads and what would
// let the client pass. Whatever a stranger chose is made fit for a terminal.
package explain

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// entries is a cache large enough for all that is looked up about one client.
const entries = 1000

// Explanation is all there is to say about one client.
type Explanation struct {
	Request  policy.Request
	Lookups  []Lookup
	Facts    policy.Facts
	Trials   []policy.Trial
	Decision policy.Decision
	Reads    string // what the sending server reads; empty: nothing
	// Usual is the code that others send for it, where the rule names none; empty: that.
	Usual string
	Allow exempt.Subject // what would let the client pass; zero: it passes
	// Now is what the rules in force make of a decision that was recorded; nil: none was.
	Now *policy.Decision
	// Assumed: Now holds if what nobody asked then speaks for the client in no way: what is
	// remembered, and what SPF or a list says.
	Assumed bool
}

// Lookup is one query with its answer.
type Lookup struct {
	Query  string // "PTR 192.0.2.1"
	Answer resolver.Answer
	Took   time.Duration // 0 if it was recorded
}

// Address reads the address of a client.
func Address(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, fmt.Errorf("%.60q is no address", text)
	}
	return address.Plain(addr), nil
}

// Live looks a client up as the daemon would, with an empty cache, and judges it.
// Of the request it wants all but the time. Stage is the restriction list that
// calls the service: client or recipient. What is remembered of the client past tells;
// nil: nothing is.
func Live(ctx context.Context, c *config.Config, req *policy.Request, past gather.History, stage string) (*Explanation, error) {
	r, err := c.NewResolver(entries)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h := config.FindHost()
	dns := &recorder{dns: r, whole: r}
	checker := &spf.Checker{DNS: dns, Cache: spf.NewCache(1, nil)}
	g := &gather.Gatherer{DNS: dns, History: past, SPF: checker, Deadline: c.Server.Deadline, HostAddrs: h.Addrs, HostNames: h.Names, Complete: true}
	e := &Explanation{Request: *req}
	e.Request.Time = time.Now()
	e.Decision = g.Decide(ctx, &e.Request, c.Rules, &e.Facts)
	keys, _ := c.CaseKeys() // of a case that is not one, nobody misses the number
	told := c.Texts(keys).Reply(&e.Request, &e.Facts, &e.Decision)
	e.Reads = Wrapped(&e.Request, &e.Facts, e.Decision.Action, told.Action, stage)
	if told.Cause.OfReverseDNS() && e.Decision.Action.Permanent() && e.Decision.Code.String() == "" {
		e.Usual = "550 5.7.25"
	}
	e.byRules(c)
	e.Lookups = dns.lookups()
	return e, nil
}

// Recorded explains a decision from its record, by the rules of a configuration.
func Recorded(c *config.Config, r *journal.Record) *Explanation {
	e := &Explanation{Request: r.Request, Facts: r.Facts, Decision: r.Decision, Lookups: recordedLookups(r)}
	e.Reads = Wrapped(&r.Request, &r.Facts, r.Decision.Action, r.Reply, "recipient")
	e.byRules(c)
	e.judgeNow(c.Rules)
	return e
}

// judgeNow judges what was recorded by the rules in force. If they ask what nobody asked
// then, nothing of that speaks for the client.
func (e *Explanation) judgeNow(rules *policy.Rules) {
	now := rules.Judge(&e.Request, &e.Facts)
	if now.Undetermined {
		f, _ := e.Facts.Assumed()
		now = rules.Judge(&e.Request, &f)
		e.Assumed = !now.Undetermined
	}
	e.Now = &now
}

// byRules adds what the rules say of the facts, and which one more would let the
// client pass.
func (e *Explanation) byRules(c *config.Config) {
	e.Trials = c.Rules.Trace(&e.Request, &e.Facts)
	if e.Decision.Decided != policy.DUNNO {
		e.Allow = exempt.For(&e.Request, &e.Facts)
	}
}
