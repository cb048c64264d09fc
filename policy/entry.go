package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// truth is the three-valued truth of an entry, a table or a rule, with open
// beside unknown: a fact that has not been asked yet may still settle it.
type truth uint8

// In this order the truth of "and" is the least of its parts'. Open comes
// before unknown: what can still be asked is asked before doubt is admitted.
const (
	no truth = iota
	open
	unknown // the DNS could not say
	yes
)

// and is three-valued "and".
func (t truth) and(u truth) truth { return min(t, u) }

// or is three-valued "or": what can still be asked is asked before doubt is
// admitted.
func (t truth) or(u truth) truth {
	switch {
	case t == yes || u == yes:
		return yes
	case t == open || u == open:
		return open
	}
	return max(t, u)
}

// not is three-valued "not".
func (t truth) not() truth {
	switch t {
	case no:
		return yes
	case yes:
		return no
	}
	return t
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// An Entry is one line of a rule's table: a key and the values of which one
// has to hold.
type Entry struct {
	Key     string
	Written []string // the values as the administrator wrote them
	cond    condition
}

// condition is what an entry asks for.
type condition interface {
	// holds says how true it is, and whether it is only true because it lists
	// temperror.
	holds(s *scene) (t truth, doubtful bool)
}

// holds asks the entry's condition, by its kind: of a call through the interface
// the compiler has to think that it keeps the scene, which would cost every
// judgement memory for the scene and all that it looks at.
func (e *Entry) holds(s *scene) (t truth, doubtful bool) {
	switch c := e.cond.(type) {
	case *wanted:
		return c.holds(s)
	case *clients:
		return c.holds(s)
	case *ptrNames:
		return c.holds(s)
	case *greetings:
		return c.holds(s)
	case *senders:
		return c.holds(s)
	case *recipients:
		return c.holds(s)
	case *flag:
		return c.holds(s)
	case contexts:
		return c.holds(s)
	case *until:
		return c.holds(s)
	}
	panic("policy: entry " + e.Key + " of no known kind")
}

// A ValueError says what is wrong with one value of an entry.
type ValueError struct {
	Index int // of the value
	Err   error
}

// Error is the text of the error alone: it names the value itself.
func (e ValueError) Error() string { return e.Err.Error() }

// EntryKeys lists the keys that an entry may have.
func EntryKeys() []string {
	keys := slices.Clone(checkNames[:])
	return append(keys, "client", "ptr_name", "helo_is", "sender", "recipient",
		"authenticated", "encrypted", "context", "until")
}

// NewEntry makes an entry of a key and its values, every one of them checked:
// truth values are "true" or "false", dates "2027-03-31". The values of key
// "@file" lists must have been read already; Written is what they were read
// for. An unknown key is the caller's to report: see [EntryKeys].
func NewEntry(key string, values, written []string) (Entry, []ValueError) {
	e := Entry{Key: key, Written: written}
	var add func(string) error
	if c, ok := CheckByName(key); ok {
		want := &wanted{check: c}
		e.cond, add = want, want.add
	} else {
		e.cond, add = newCondition(key)
	}
	if add == nil {
		return e, []ValueError{{0, fmt.Errorf("unknown key %.60q", key)}}
	}
	var errs []ValueError
	for i, v := range values {
		if err := add(v); err != nil {
			errs = append(errs, ValueError{i, err})
		}
	}
	return e, errs
}

func newCondition(key string) (condition, func(string) error) {
	switch key {
	case "client":
		c := &clients{}
		return c, c.add
	case "ptr_name":
		c := &ptrNames{}
		return c, c.Add
	case "helo_is":
		c := &greetings{}
		return c, c.add
	case "sender":
		c := &senders{}
		return c, c.Add
	case "recipient":
		c := &recipients{}
		return c, c.add
	case "authenticated", "encrypted":
		c := &flag{encrypted: key == "encrypted"}
		return c, c.add
	case "context":
		c := contexts{}
		return c, c.add
	case "until":
		c := &until{}
		return c, c.add
	}
	return nil, nil
}

// wanted asks for results of a check.
type wanted struct {
	check   Check
	results results
}

func (w *wanted) add(v string) error {
	r, ok := w.check.Result(v)
	if !ok {
		return fmt.Errorf("%.60q: want %s", v, alternatives(w.check))
	}
	w.results |= of(r)
	return nil
}

func alternatives(c Check) string {
	var names []string
	for _, r := range c.Results() {
		names = append(names, r.String())
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (w *wanted) holds(s *scene) (truth, bool) {
	switch w.check {
	case CheckHELO, CheckHELOForm, CheckHELOName:
		if !s.greeted() {
			return no, false
		}
	}
	switch r, possible := s.checks[w.check], s.possible[w.check]; {
	case w.results.has(r) && (r == TempError || possible&^w.results == 0):
		return yes, r == TempError
	case possible&w.results == 0:
		return no, false
	case r == NotLearnt:
		return open, false
	}
	return unknown, false
}

// clients asks for the client's address.
type clients struct {
	Prefixes
	private, loopback, own bool
}

func (c *clients) add(v string) error {
	switch v {
	case "private":
		c.private = true
	case "loopback":
		c.loopback = true
	case "own":
		c.own = true
	default:
		if err := c.Add(v); err != nil && meantNetwork(v) != "" {
			return err
		} else if err != nil {
			return fmt.Errorf("%w, or private, loopback or own", err)
		}
	}
	return nil
}

func (c *clients) holds(s *scene) (truth, bool) {
	addr := s.req.Client
	return truthOf(c.loopback && addr.IsLoopback() ||
		c.private && address.Private(addr) ||
		c.own && s.ownClient() ||
		c.Has(addr)), false
}

// ownClient says that the client is this host or in our own networks.
func (s *scene) ownClient() bool {
	return s.facts.OwnClient || s.rules.Networks.Has(s.req.Client)
}

// ptrNames asks for a confirmed name of the client. An unconfirmed one is
// anybody's claim.
type ptrNames struct{ Names }

func (p *ptrNames) holds(s *scene) (truth, bool) {
	f := s.facts
	if s.nameless() {
		return no, false
	}
	result := unsettled(no, f.PTR)
	if f.MoreNames {
		result = unsettled(result, resolver.TempError)
	}
	for i := range f.Names {
		n := &f.Names[i]
		if !p.Has(n.Name) {
			continue
		}
		if n.Lead.To(s.req.Client) {
			return yes, false
		}
		result = unsettled(result, n.Lead.Outcome)
	}
	return result, false
}

// greetings asks for the greeting itself.
type greetings struct {
	Names
	addrs map[greetedAddr]struct{}
}

// greetedAddr is a greeting that is an address, however it is written.
type greetedAddr struct {
	form hostname.Form // literal or bare
	addr netip.Addr
}

func (g *greetings) add(v string) error {
	form, addr := hostname.ParseHELO(v)
	if !addr.IsValid() {
		return g.Add(v)
	}
	if g.addrs == nil {
		g.addrs = map[greetedAddr]struct{}{}
	}
	g.addrs[greetedAddr{form, addr}] = struct{}{}
	return nil
}

func (g *greetings) holds(s *scene) (truth, bool) {
	if !s.greeted() {
		return no, false
	}
	h := &s.facts.HELO
	if s.req.cut(CutHELO) && h.Form != hostname.Malformed {
		return open, false // what has no name as it begins has none whole
	}
	if h.Addr.IsValid() {
		_, ok := g.addrs[greetedAddr{h.Form, h.Addr}]
		return truthOf(ok), false
	}
	return truthOf(h.Name != "" && g.Has(h.Name)), false
}

// senders asks for MAIL FROM, recipients for RCPT TO.
type (
	senders    struct{ Mailboxes }
	recipients struct{ Mailboxes }
)

func (m *senders) holds(s *scene) (truth, bool) {
	if s.req.cut(CutSender) {
		return m.beginning(), false
	}
	// Before MAIL an empty sender is none, not the null sender.
	return truthOf((s.req.Sender != "" || s.req.mailBegun()) && m.Has(s.req.Sender)), false
}

func (m *recipients) add(v string) error {
	if v == "<>" {
		return fmt.Errorf("%q: a recipient is never empty", v)
	}
	return m.Add(v)
}

func (m *recipients) holds(s *scene) (truth, bool) {
	if s.req.cut(CutRecipient) {
		return m.beginning(), false
	}
	return truthOf(s.req.Recipient != "" && m.Has(s.req.Recipient)), false
}

// beginning is how true it is of an address that the set has it, if only its
// beginning is known: that is not empty, and its domain is at its end.
func (m *Mailboxes) beginning() truth {
	if len(m.whole)+len(m.users)+len(m.domains.exact)+len(m.domains.suffix) == 0 {
		return no
	}
	return open
}

// flag asks whether the client logged in, or is under TLS.
type flag struct{ encrypted, yes, no bool }

func (f *flag) add(v string) error {
	switch v {
	case "true":
		f.yes = true
	case "false":
		f.no = true
	default:
		return fmt.Errorf("%.60q: want true or false", v)
	}
	return nil
}

func (f *flag) holds(s *scene) (truth, bool) {
	is := s.req.Authenticated
	if f.encrypted {
		is = s.req.Encrypted
	}
	return truthOf(is && f.yes || !is && f.no), false
}

// contexts asks for Postfix's policy_context.
type contexts map[string]struct{}

func (c contexts) add(v string) error {
	c[v] = struct{}{}
	return nil
}

func (c contexts) holds(s *scene) (truth, bool) {
	if s.req.cut(CutContext) {
		for v := range c {
			if len(v) > len(s.req.Context) && strings.HasPrefix(v, s.req.Context) {
				return open, false
			}
		}
		return no, false
	}
	_, ok := c[s.req.Context]
	return truthOf(ok), false
}

// until asks that a day is not over yet, of several the last: UTC, so that a
// replay on another machine judges alike.
type until struct{ end time.Time }

func (u *until) add(v string) error {
	day, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return fmt.Errorf("%.60q: want a date such as 2027-03-31", v)
	}
	if end := day.AddDate(0, 0, 1); end.After(u.end) {
		u.end = end
	}
	return nil
}

func (u *until) holds(s *scene) (truth, bool) {
	return truthOf(s.req.Time.Before(u.end)), false
}
