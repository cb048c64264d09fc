package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// Attributes is a set of keys of a request that entries of rules look at.
type Attributes uint8

// The keys of a request.
const (
	AttrHELO Attributes = 1 << iota
	AttrSender
	AttrRecipient
	AttrAuthenticated
	AttrEncrypted
	AttrContext
	AttrTime
)

// Standing is what an exemption is worth that rests on an entry.
type Standing uint8

// The standings. The zero value is that of most entries.
const (
	// Proven: it tells who the client is, by its address or the DNS.
	Proven Standing = iota
	// Neutral: it tells nothing of the client, as a date does.
	Neutral
	// Claimed: it rests on nothing but what the client says of itself.
	Claimed
)

// kind is all that one key of an entry is.
type kind struct {
	key     string
	values  string // that it takes, for the documentation
	example string // one of them
	needs   Attributes
	// standing is what an exemption is worth that rests on it.
	standing Standing
	// bare: TOML writes its values without quotes.
	bare bool
	// make makes a condition that has no value yet.
	make func() condition
}

// kinds are the keys of entries that ask for no check, in the order of the
// documentation.
var kinds = []kind{
	{
		key: "client", example: "192.0.2.0/24", make: func() condition { return new(clients) },
		values: `addresses, networks, "loopback", "own", "private" (never of the public Internet: RFC 1918, 4193, 6598, link-local, 192.0.0.0/24, 198.18.0.0/15)`,
	},
	{
		key: "ptr_name", example: ".example.com", make: func() condition { return new(ptrNames) },
		values: `a confirmed name: "mx.example.com", ".example.com"`,
	},
	{
		key: "helo_is", example: "mx.example.com", needs: AttrHELO, standing: Claimed, make: func() condition { return new(helos) },
		values: "HELO itself",
	},
	{
		key: "sender", example: "user@example.com", needs: AttrSender, standing: Claimed, make: func() condition { return new(senders) },
		values: `"user@example.com", "example.com", ".example.com", "user@", "<>"`,
	},
	{
		key: "recipient", example: "postmaster@", needs: AttrRecipient, standing: Neutral, make: func() condition { return new(recipients) },
		values: "as sender",
	},
	{
		key: "authenticated", example: "true", needs: AttrAuthenticated, bare: true, make: func() condition { return &flag{key: AttrAuthenticated} },
		values: "true or false",
	},
	{
		key: "encrypted", example: "true", needs: AttrEncrypted, standing: Neutral, bare: true, make: func() condition { return &flag{key: AttrEncrypted} },
		values: "true or false",
	},
	{
		key: "context", example: "mx", needs: AttrContext, standing: Neutral, make: func() condition { return contexts{} },
		values: "Postfix's policy_context",
	},
	{
		key: "until", example: "2027-03-31", needs: AttrTime, standing: Neutral, bare: true, make: func() condition { return new(until) },
		values: "a date, as 2027-03-31: to the end of that day, UTC; or a time with its offset, as 2027-03-31T18:00:00Z",
	},
}

// kindOf finds what there is to know about a key.
func kindOf(key string) (kind, bool) {
	for i := range kinds {
		if kinds[i].key == key {
			return kinds[i], true
		}
	}
	c, ok := CheckByName(key)
	if !ok {
		return kind{}, false
	}
	return kind{
		key: key, needs: checks[c].needs, standing: checks[c].standing,
		make: func() condition { return &wanted{check: c, needs: checks[c].needs} },
	}, true
}

// An Entry is one line of a rule's table: a key and the values of which one
// has to hold.
type Entry struct {
	Key     string
	Written []string // the values as the administrator wrote them
	cond    condition
	needs   Attributes
}

// condition is what an entry asks for.
type condition interface {
	// add takes one of its values, or says what is wrong with it.
	add(value string) error
	holds(e *evaluation) holding
}

// holds is how true the entry is of a request.
func (e *Entry) holds(ev *evaluation) holding {
	switch {
	case e.needs&ev.req.Unknown != 0:
		return holds(ev.guess)
	case e.needs&ev.early != 0:
		return holding{truth: Unknown, early: true}
	}
	return e.cond.holds(ev)
}

// Standing is what an exemption is worth that rests on the entry.
func (e *Entry) Standing() Standing {
	k, _ := kindOf(e.Key)
	return k.standing
}

// Bare reports whether TOML writes the entry's values without quotes: truth values
// and dates.
func (e *Entry) Bare() bool {
	k, _ := kindOf(e.Key)
	return k.bare
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
	var keys []string
	for c := range checks {
		keys = append(keys, checks[c].name)
	}
	for i := range kinds {
		keys = append(keys, kinds[i].key)
	}
	return keys
}

// EntryValues says in words which values an entry of a key takes.
func EntryValues(key string) string {
	if c, ok := CheckByName(key); ok {
		return resultList(c)
	}
	k, _ := kindOf(key)
	return k.values
}

// EntryExample is one value that an entry of a key takes.
func EntryExample(key string) string {
	if c, ok := CheckByName(key); ok {
		return c.Results()[0].String()
	}
	k, _ := kindOf(key)
	return k.example
}

// NewEntry makes an entry of a key and its values, every one of them checked:
// truth values are "true" or "false", dates "2027-03-31". The values of key
// "@file" lists must have been read already; Written is what they were read
// for. An unknown key is the caller's to report: see [EntryKeys].
func NewEntry(key string, values, written []string) (Entry, []ValueError) {
	k, ok := kindOf(key)
	if !ok {
		return Entry{Key: key, Written: written}, []ValueError{{0, fmt.Errorf("unknown key %.60q", key)}}
	}
	e := Entry{Key: key, Written: written, cond: k.make(), needs: k.needs}
	var errs []ValueError
	for i, v := range values {
		if err := e.cond.add(v); err != nil {
			errs = append(errs, ValueError{i, err})
		}
	}
	return e, errs
}

// wanted asks for results of a check.
type wanted struct {
	check   Check
	needs   Attributes
	results results
	// named and left are those that were written, plain and with "!": of both kinds
	// there is one.
	named, left results
}

func (w *wanted) add(v string) error {
	name, but := strings.CutPrefix(v, "!")
	r, ok := w.check.Result(name)
	switch {
	case !ok && but:
		return fmt.Errorf("%.60q: after the ! want %s", v, resultList(w.check))
	case !ok:
		return fmt.Errorf("%.60q: want %s", v, resultList(w.check))
	case but:
		w.left |= of(r)
		w.results = of(w.check.Results()...) &^ of(TempError) &^ w.left
	default:
		w.named |= of(r)
		w.results = w.named
	}
	if w.named != 0 && w.left != 0 {
		return fmt.Errorf("%.60q: results to take and, with a !, results to leave out do not go together", v)
	}
	return nil
}

// Wants reports whether an entry of a check asks for a result of it.
func (e *Entry) Wants(r Result) bool {
	w, ok := e.cond.(*wanted)
	return ok && w.results.has(r)
}

// resultList is what a rule may ask of a check, in words.
func resultList(c Check) string {
	var names []string
	for _, r := range c.Results() {
		names = append(names, r.String())
	}
	return alternatives(names)
}

func (w *wanted) holds(e *evaluation) holding {
	if w.needs&AttrHELO != 0 && !e.req.heloGiven() {
		return holds(No)
	}
	switch f := &e.findings[w.check]; {
	case w.results.has(f.Result) && (f.Result == TempError || f.possible&^w.results == 0):
		return holding{truth: Yes, doubtful: f.Result == TempError}
	case f.possible&w.results == 0:
		return holds(No)
	case f.Result == NotLearnt:
		return holding{truth: Undetermined, ask: f.ask}
	}
	return holds(Unknown)
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

func (c *clients) holds(e *evaluation) holding {
	addr := e.req.Client
	return holds(truthOf(c.loopback && addr.IsLoopback() ||
		c.private && address.Private(addr) ||
		c.own && e.ownClient() ||
		c.Has(addr)))
}

// ownClient reports whether the client is this host or in our own networks.
func (e *evaluation) ownClient() bool {
	return e.facts.OwnClient || e.rules.Networks.Has(e.req.Client)
}

// ptrNames asks for a confirmed name of the client. An unconfirmed one is
// anybody's claim.
type ptrNames struct{ Names }

func (p *ptrNames) add(v string) error { return p.Add(v) }

func (p *ptrNames) holds(e *evaluation) holding {
	f := e.facts
	if f.nameless() {
		return holds(No)
	}
	result := unsettled(No, f.PTR)
	if f.MoreNames {
		result = unsettled(result, resolver.TempError)
	}
	for i := range f.Names {
		n := &f.Names[i]
		if !p.Has(n.Name) {
			continue
		}
		if n.Forward.To(e.req.Client) {
			return holds(Yes)
		}
		result = unsettled(result, n.Forward.Outcome)
	}
	if result == Undetermined {
		return holding{truth: Undetermined, ask: f.lacksConfirmation()}
	}
	return holds(result)
}

// HELO names asks for the HELO itself.
type helos struct {
	Names
	addrs map[heloAddr]struct{}
}

// heloAddr is a HELO that is an address, however it is written.
type heloAddr struct {
	form hostname.Form // literal or bare
	addr netip.Addr
}

func (g *helos) add(v string) error {
	form, addr := hostname.ParseHELO(v)
	if !addr.IsValid() {
		return g.Add(v)
	}
	if g.addrs == nil {
		g.addrs = map[heloAddr]struct{}{}
	}
	g.addrs[heloAddr{form, addr}] = struct{}{}
	return nil
}

func (g *helos) holds(e *evaluation) holding {
	if !e.req.heloGiven() {
		return holds(No)
	}
	h := &e.facts.HELO
	if e.req.cut(CutHELO) && h.Form != hostname.Malformed {
		return holds(Undetermined) // what has no name as it begins has none whole
	}
	if h.Addr.IsValid() {
		_, ok := g.addrs[heloAddr{h.Form, h.Addr}]
		return holds(truthOf(ok))
	}
	return holds(truthOf(h.Name != "" && g.Has(h.Name)))
}

// senders asks for MAIL FROM, recipients for RCPT TO.
type (
	senders    struct{ Mailboxes }
	recipients struct{ Mailboxes }
)

func (m *senders) add(v string) error { return m.Add(v) }

func (m *senders) holds(e *evaluation) holding {
	if e.req.cut(CutSender) {
		return m.beginning()
	}
	// Before MAIL an empty sender is none, not the null sender.
	return holds(truthOf((e.req.Sender != "" || e.req.mailBegun()) && m.Has(e.req.Sender)))
}

func (m *recipients) add(v string) error {
	if v == "<>" {
		return fmt.Errorf("%q: a recipient is never empty", v)
	}
	return m.Add(v)
}

func (m *recipients) holds(e *evaluation) holding {
	if e.req.cut(CutRecipient) {
		return m.beginning()
	}
	return holds(truthOf(e.req.Recipient != "" && m.Has(e.req.Recipient)))
}

// beginning is how true it is of an address that the set has it, if only its
// beginning is known: that is not empty, and its domain is at its end.
func (m *Mailboxes) beginning() holding {
	if len(m.whole)+len(m.users)+len(m.domains.exact)+len(m.domains.suffix) == 0 {
		return holds(No)
	}
	return holds(Undetermined)
}

// flag asks for a truth of the request.
type flag struct {
	key     Attributes
	yes, no bool
}

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

func (f *flag) holds(e *evaluation) holding {
	is := f.key == AttrAuthenticated && e.req.Authenticated || f.key == AttrEncrypted && e.req.Encrypted
	return holds(truthOf(is && f.yes || !is && f.no))
}

// contexts asks for Postfix's policy_context.
type contexts map[string]struct{}

func (c contexts) add(v string) error {
	c[v] = struct{}{}
	return nil
}

func (c contexts) holds(e *evaluation) holding {
	if e.req.cut(CutContext) {
		for v := range c {
			if len(v) > len(e.req.Context) && strings.HasPrefix(v, e.req.Context) {
				return holds(Undetermined)
			}
		}
		return holds(No)
	}
	_, ok := c[e.req.Context]
	return holds(truthOf(ok))
}

// until asks that a time has not come yet, of several the last: for a day its end in
// UTC, so that a replay on another machine judges alike.
type until struct{ end time.Time }

func (u *until) add(v string) error {
	end, err := time.Parse(time.DateOnly, v)
	if err == nil {
		end = end.AddDate(0, 0, 1)
	} else if end, err = time.Parse(time.RFC3339, v); err != nil {
		return fmt.Errorf("%.60q: want a date such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z", v)
	}
	if end.After(u.end) {
		u.end = end
	}
	return nil
}

// End is when an entry "until" of the table ends; ok: it has one.
func (t Table) End() (end time.Time, ok bool) {
	for i := range t {
		if u, is := t[i].cond.(*until); is {
			return u.end, true
		}
	}
	return time.Time{}, false
}

func (u *until) holds(e *evaluation) holding {
	return holds(truthOf(e.req.Time.Before(u.end)))
}
