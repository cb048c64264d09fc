package spf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"

	"policyd-rdns/resolver"
)

const (
	// version begins every policy: RFC 7208 section 4.5.
	version = "v=spf1"
	// existsMark begins the names that exists looks up, so that A records are looked up
	// whatever the client has (section 5.7). No record has this byte in it.
	existsMark = "\x00"
	// maxLocal bounds a local part that macros are made of, in bytes: RFC 5321 section
	// 4.5.3.1.1; maxHELO a HELO, whose end is what is used of it.
	maxLocal = 64
	maxHELO  = 2 * maxName
	// maxPointers bounds the names of a client that ptr looks up: section 4.6.4.
	maxPointers = 10
	// maxWhy bounds why a record cannot be read, in bytes.
	maxWhy = 200
)

// evaluation is one check: what the library asks for, and what it says meanwhile.
type evaluation struct {
	dns     DNS
	query   Query
	domain  string
	options resolver.Options
	frames  []*frame  // the records that are being evaluated, the outermost first
	end     *decision // of the outermost
	result  Result
	ttl     time.Duration // the least so far; below 0: of nothing
	// missed is what the DNS could not say of the client's names, which RFC 7208 section 5.5
	// has be no match; nil: nothing.
	missed []resolver.LookupError
}

// frame is a record that is being evaluated.
type frame struct {
	domain string
	record *record
	// matched is what came of the last record that an include or redirect has led to.
	matched *decision
	// addrs are what the terms with names resolve to, in the family of the client.
	addrs map[*term][]netip.Addr
	term  *term // that looks up addresses now
}

// decision is how the evaluation of a record ended.
type decision struct {
	frame *frame
	term  *term // nil: none of the record's
	// via are the terms that led to the record, the last one first, and within the records
	// that these are of.
	via    []*term
	within []*frame
}

func newEvaluation(dns DNS, q Query, domain string) *evaluation {
	return &evaluation{
		dns: dns, query: q, domain: domain, ttl: -1, result: Result{Cached: true},
		// The domain costs whoever sends nothing, as a HELO name does.
		options: resolver.Options{MaxAge: q.MaxAge, Client: q.Client, HELO: true, Budget: resolver.NewBudget(maxMessages)},
	}
}

// run has the library evaluate the policy, and grades what it says.
func (e *evaluation) run(ctx context.Context) Result {
	code, err := spf.CheckHostWithSender(e.query.Client.AsSlice(), e.helo(), e.sender(),
		spf.WithContext(ctx), spf.WithResolver(lookups{e}), spf.WithTraceFunc(e.trace))
	r := &e.result
	r.RFC = codeOf(code)
	r.Code = r.RFC
	switch r.RFC {
	case Fail, SoftFail, Neutral:
		if e.missed != nil { // ptr might have matched before
			r.RFC, r.Code, r.Errors = TempError, TempError, e.missed
		}
	}
	r.Messages = e.options.Budget.Sent()
	r.Cached = r.Messages == 0 && r.RFC != TempError
	e.setBy()
	r.By.text = r.By.String()
	switch r.RFC {
	case Pass:
		r.Code, r.Why = e.grade(err)
	case PermError:
		if r.Why == "" && err != nil {
			r.Why = cut(err.Error(), maxWhy)
		}
	}
	if r.RFC != TempError {
		r.Errors, r.Overload = nil, false // the evaluation could do without
	}
	if r.RFC != TempError && !r.Stale {
		r.TTL = max(e.ttl, 0)
	}
	return *r
}

// codeOf is what the library says.
func codeOf(r spf.Result) Code {
	switch r {
	case spf.Pass:
		return Pass
	case spf.Fail:
		return Fail
	case spf.SoftFail:
		return SoftFail
	case spf.Neutral:
		return Neutral
	case spf.None:
		return None
	case spf.TempError:
		return TempError
	}
	return PermError
}

// helo is what macros get of HELO.
func (e *evaluation) helo() string {
	helo := e.query.HELO
	return helo[max(len(helo)-maxHELO, 0):]
}

// sender is the sender as macros get it: RFC 7208 sections 2.4 and 4.3. The library takes
// what is behind the first "@" for the domain, so there is no other.
func (e *evaluation) sender() string {
	local, _ := split(e.query.Sender)
	if local == "" {
		local = "postmaster"
	}
	return strings.ReplaceAll(cut(local, maxLocal), "@", "=") + "@" + e.domain
}

func cut(text string, most int) string { return text[:min(len(text), most)] }

// setBy sets what decided.
func (e *evaluation) setBy() {
	d := e.end
	if d == nil {
		e.result.By = By{Domain: e.domain}
		return
	}
	e.result.By = By{Term: "default", Domain: cut(d.frame.domain, maxName)}
	if d.term != nil {
		e.result.By.Term = cut(d.term.text, 255)
	}
}

// What the library traces, by its format. TestTrace holds that these are all by which a
// record begins or ends.
const (
	traceBegin    = "check %q %d %d" // domain
	traceRecord   = "dns record %q"  // text
	traceMatch    = "%q %v, %v"      // term, result, error
	traceRedirect = "%q: %v, %v"     // term, result, error
	traceAll      = "all: %v"        // result
	traceDefault  = "fallback to neutral"
	traceMasks    = "masks on %q, %q: %q %v" // term
)

// traceEnds are those at the end of a record that has no term to blame.
var traceEnds = []string{
	"dns domain not found: %v", "dns temp error: %v", "multiple dns records", "dns perm error: %v", "too many redirects", "unknown field, permerror",
}

// trace learns from the library which record it evaluates, and which term decided.
func (e *evaluation) trace(format string, args ...any) {
	if format == traceBegin {
		domain, _ := args[0].(string)
		e.frames = append(e.frames, &frame{domain: strings.TrimSuffix(domain, "."), addrs: make(map[*term][]netip.Addr)})
		return
	}
	if len(e.frames) == 0 {
		return
	}
	top := e.frames[len(e.frames)-1]
	switch format {
	case traceMasks:
		top.term = top.find(args)
	case traceRecord:
		if text, _ := args[0].(string); text == "" {
			e.leave(nil)
		}
	case traceMatch, traceRedirect:
		e.leave(top.decision(args))
	case traceAll:
		e.leave(&decision{frame: top, term: top.all()})
	case traceDefault:
		e.leave(&decision{frame: top})
	default:
		for _, end := range traceEnds {
			if format == end {
				e.leave(nil)
			}
		}
	}
}

// leave ends the evaluation of a record; d is nil if none of its terms is to blame.
func (e *evaluation) leave(d *decision) {
	e.frames = e.frames[:len(e.frames)-1]
	if len(e.frames) == 0 {
		e.end = d
		return
	}
	e.frames[len(e.frames)-1].matched = d
}

// find is the term that is traced.
func (f *frame) find(args []any) *term {
	text, _ := args[0].(string)
	if f.record == nil {
		return nil
	}
	return f.record.find(text)
}

// all is the term all.
func (f *frame) all() *term { return f.find([]any{"all"}) }

// decision is that of a term of the record. That of an include or redirect is the one
// that was come to there, if the record there was reached.
func (f *frame) decision(args []any) *decision {
	t := f.find(args)
	if t == nil || t.kind != kindInclude && t.kind != kindRedirect || f.matched == nil {
		return &decision{frame: f, term: t}
	}
	d := *f.matched
	d.via, d.within = append(d.via, t), append(d.within, f)
	return &d
}

// lookups answers the library: see [spf.DNSResolver].
type lookups struct{ e *evaluation }

// LookupTXT gives the policy of a domain, as the library is to have it; no text if there
// is none, several if there are (RFC 7208 section 4.5).
func (l lookups) LookupTXT(ctx context.Context, name string) ([]string, error) {
	e := l.e
	name = fit(name)
	a := e.dns.LookupTXT(ctx, name, e.options)
	if err := e.took(name, &a); err != nil {
		return nil, err
	}
	var texts []string
	for _, text := range a.Texts {
		if isPolicy(text) {
			texts = append(texts, text)
		}
	}
	switch {
	case len(texts) > 1: // the library says so
		return texts, nil
	case a.More:
		return nil, e.lacks(name, fmt.Errorf("more than %d texts", resolver.MaxRecords))
	case len(texts) == 0:
		return nil, nil
	}
	r, err := parse(texts[0][len(version):])
	if err != nil {
		e.result.Why = cut(fmt.Sprintf("%s: %v", name, err), maxWhy)
		return nil, &net.DNSError{Err: "a policy that cannot be read", Name: name}
	}
	for i := range r.terms {
		if t := &r.terms[i]; t.kind != kindExp && t.macros&ofSender != 0 {
			e.result.Personal = true
		}
	}
	if len(e.frames) > 0 {
		e.frames[len(e.frames)-1].record = r
	}
	return []string{r.plain(e.query.Client)}, nil
}

// isPolicy reports whether a text is a policy of our version: RFC 7208 section 4.5.
func isPolicy(text string) bool {
	if len(text) < len(version) || !strings.EqualFold(text[:len(version)], version) {
		return false
	}
	return len(text) == len(version) || text[len(version)] == ' '
}

// LookupMX gives the hosts that take the mail of a domain. The null MX is none (RFC 7505).
func (l lookups) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	e := l.e
	name = fit(name)
	a := e.dns.LookupMX(ctx, name, e.options)
	if err := e.took(name, &a); err != nil {
		return nil, err
	}
	var all []*net.MX
	for _, host := range a.Names {
		if host != "." {
			all = append(all, &net.MX{Host: host})
		}
	}
	return all, nil
}

// LookupIPAddr gives the addresses of a host in the family of the client (RFC 7208 section
// 5), and for exists those of IPv4.
func (l lookups) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	e := l.e
	host, exists := strings.CutPrefix(host, existsMark)
	host = fit(host)
	network := "ip6"
	if exists || e.query.Client.Is4() {
		network = "ip4"
	}
	a := e.dns.LookupAddrs(ctx, network, host, e.options)
	var top *frame
	if len(e.frames) > 0 && !exists {
		top = e.frames[len(e.frames)-1]
	}
	if err := e.took(host, &a); err != nil {
		if top != nil && top.term == nil {
			e.miss(err)
		}
		return nil, err
	}
	if top != nil && top.term != nil {
		top.addrs[top.term] = append(top.addrs[top.term], a.Addrs...)
	}
	all := make([]net.IPAddr, len(a.Addrs))
	for i, addr := range a.Addrs {
		all[i].IP = addr.AsSlice()
	}
	return all, nil
}

// LookupAddr gives the names of the client.
func (l lookups) LookupAddr(ctx context.Context, _ string) ([]string, error) {
	e := l.e
	if len(e.frames) > 0 {
		e.frames[len(e.frames)-1].term = nil // what is looked up next are the names' addresses
	}
	a := e.dns.LookupPTR(ctx, e.query.Client, e.options)
	if err := e.took(e.query.Client.String(), &a); err != nil {
		e.miss(err)
		return nil, err
	}
	return a.Names[:min(len(a.Names), maxPointers)], nil
}

// miss takes note of a lookup for ptr that failed, if the failure is a temporary one.
func (e *evaluation) miss(err error) {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsTemporary {
		e.missed = e.result.Errors
	}
}

// fit cuts labels off the beginning of a name that is too long: RFC 7208 section 7.3.
func fit(name string) string {
	name = strings.TrimSuffix(name, ".")
	for len(name) > maxName {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break // no name at all
		}
		name = rest
	}
	return name
}

// took takes note of an answer; the error is that there is none, or no record.
func (e *evaluation) took(name string, a *resolver.Answer) error {
	e.result.Stale = e.result.Stale || a.Stale
	e.result.Age = max(e.result.Age, a.Age)
	switch {
	case errors.Is(a.Err, resolver.ErrName):
		return &net.DNSError{Err: "no domain name", Name: name, IsNotFound: true}
	case a.Outcome == resolver.TempError:
		return e.lacks(name, a.Err)
	case a.Outcome == resolver.NotQueried:
		return e.lacks(name, errors.New("not queried"))
	}
	if e.ttl < 0 || a.TTL < e.ttl {
		e.ttl = a.TTL
	}
	if a.Outcome == resolver.None {
		return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
	}
	return nil
}

// lacks takes note that a lookup failed.
func (e *evaluation) lacks(name string, err error) error {
	e.result.Errors = nil // only the last one can have decided
	for _, r := range resolver.Reasons(err) {
		e.result.Errors = append(e.result.Errors, resolver.LookupError{About: name, Server: r.Server, Reason: r.Text})
	}
	e.result.Overload = errors.Is(err, resolver.ErrBusy) || errors.Is(err, resolver.ErrOwn)
	return &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}
