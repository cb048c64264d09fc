package status

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/journal"
)

// maxQuery bounds what is searched for, in bytes: a mail address (RFC 5321
// section 4.5.3.1).
const maxQuery = 320

// query is what decisions are wanted.
type query struct {
	text     string                  // lower case; empty: all
	networks []netip.Prefix          // that the text is; nil: it is none
	wanted   [policy.NumActions]bool // by what the rules came to
	refused  bool                    // some of those are refusals
}

// The choices of what to show, the first unless another is asked for.
func choices() []string { return []string{"refused", "rejected", "deferred", "passed", "all"} }

func newQuery(text, show string) query {
	text = strings.TrimSpace(text)
	q := query{text: strings.ToLower(text[:min(len(text), maxQuery)])}
	if p, err := netip.ParsePrefix(q.text); err == nil {
		q.networks = address.Networks(p)
	} else if a, err := netip.ParseAddr(strings.Trim(q.text, "[]")); err == nil {
		a = address.Plain(a)
		q.networks = []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}
	}
	for _, a := range policy.Actions(false) {
		switch {
		case a.Permanent():
			q.wanted[a] = show != "deferred" && show != "passed"
		case a.Refuses():
			q.wanted[a] = show != "rejected" && show != "passed"
		default:
			q.wanted[a] = show == "passed" || show == "all"
		}
		q.refused = q.refused || a.Refuses() && q.wanted[a]
	}
	return q
}

// wants reports whether a decision is one of those.
func (q *query) wants(r *journal.Record) bool {
	if !q.wanted[r.Decision.Decided] {
		return false
	}
	switch {
	case q.text == "" || strings.EqualFold(r.ID, q.text):
		return true
	case slices.ContainsFunc(q.networks, func(p netip.Prefix) bool { return p.Contains(r.Request.Client) }):
		return true
	}
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), q.text) }
	for i := range r.Facts.Names {
		if has(r.Facts.Names[i].Name) {
			return true
		}
	}
	for _, text := range []string{r.Request.HELO, r.Request.Sender, r.Request.Recipient, r.Request.ClientText, r.Request.QueueID} {
		if has(text) {
			return true
		}
	}
	return q.networks == nil && has(r.Request.Client.String())
}

// cursor goes through the lines of a ring, the latest first.
type cursor struct {
	ring  *ring
	next  uint64
	lines []line
}

// peek is the next line, nil at the end. The lock is held for a batch at a time,
// so that no decision waits for a search.
func (p *Page) peek(c *cursor) *line {
	if len(c.lines) == 0 {
		if c.next == 0 {
			return nil
		}
		p.mu.Lock()
		c.lines, c.next = c.ring.before(c.next)
		p.mu.Unlock()
		if len(c.lines) == 0 {
			return nil
		}
	}
	return &c.lines[0]
}

// search hands on the decisions that are wanted, the latest first, until yield
// has enough.
func (p *Page) search(q *query, yield func(*journal.Record) bool) {
	const newest = ^uint64(0)
	objected, passed := &cursor{ring: &p.objected, next: newest}, &cursor{ring: &p.passed}
	if q.wanted[policy.DUNNO] {
		passed.next = newest
	}
	if !q.refused {
		objected.next = 0
	}
	for {
		c, l := objected, p.peek(objected)
		if other := p.peek(passed); l == nil || other != nil && other.number > l.number {
			c, l = passed, other
		}
		if l == nil {
			return
		}
		c.lines = c.lines[1:]
		if r, err := journal.Parse(l.text); err == nil && q.wants(&r) && !yield(&r) {
			return
		}
	}
}

// find is the decision with an ID, and its line.
func (p *Page) find(id string) (r journal.Record, text string, found bool) {
	if id == "" {
		return journal.Record{}, "", false
	}
	for _, ring := range []*ring{&p.objected, &p.passed} {
		c := &cursor{ring: ring, next: ^uint64(0)}
		for l := p.peek(c); l != nil; l = p.peek(c) {
			c.lines = c.lines[1:]
			if !bytes.Contains(l.text, []byte(id)) {
				continue
			}
			if r, err := journal.Parse(l.text); err == nil && r.ID == id {
				return r, string(bytes.TrimSpace(l.text)), true
			}
		}
	}
	return journal.Record{}, "", false
}
