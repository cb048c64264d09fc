package policy

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy/smtp"
)

// Table is a set of entries that must all hold. The empty table holds.
type Table []Entry

// holds is three-valued "and".
func (t Table) holds(e *evaluation) holding {
	all := holds(Yes)
	for i := range t {
		switch h := t[i].holds(e); {
		case h.truth == No:
			return holds(No)
		case h != holds(Yes):
			all = all.and(h)
		}
	}
	return all
}

// fails reports whether the table surely does not hold, since a check that it asks for has
// another result. So it is with nearly every rule of nearly every request, and takes no look
// at what else the table asks for.
func (t Table) fails(e *evaluation) bool {
	if e.req.Unknown|e.early != 0 {
		return false
	}
	for i := range t {
		w := t[i].want
		if w == nil {
			continue
		}
		f := &e.findings[w.check]
		if !e.drawn.Has(w.check) {
			f = e.finding(w.check)
		}
		if (f.Possible|1<<f.Result)&w.results == 0 {
			return true
		}
	}
	return false
}

// Rule turns facts into an action.
type Rule struct {
	Name   string
	When   Table
	Unless []Table // the rule does not hold if one of them does
	Action Action
	Code   smtp.Code // zero: that of the action
	Text   string    // what the sender reads; its placeholders are those of package policy/reply
	// Observe: the rule does not decide, it is only logged.
	Observe bool
	// DeferFor is how long a client is told 4xx by a reject rule before it is told 5xx.
	// Nil: as Rules.DeferFor.
	DeferFor *time.Duration
	// Percent is the share of clients that the rule is for; 0 and 100: all.
	Percent int
	// Exempt: the rule is an exemption, of action DUNNO. Why is what the
	// administrator wrote beside it.
	Exempt bool
	Why    string
}

// spares reports whether the rule, if nobody can tell that it holds, may have spared
// the client.
func (r *Rule) spares() bool { return r.Action.spares() && !r.Observe }

// End is when the rule ends by an entry that asks for a time; ok: it has one.
func (t Table) End() (end time.Time, ok bool) {
	i := slices.IndexFunc(t, func(e Entry) bool { return e.kind.end != nil })
	if i < 0 {
		return end, false
	}
	return t[i].End()
}

// holds is "when, and not one of unless". It is doubtful if it holds, or does not, only
// because an entry lists temperror. i is its place in the list.
func (r *Rule) holds(e *evaluation, i int) holding {
	switch {
	case r.When.fails(e):
		return holds(No)
	case !r.includes(e.req.Client):
		return holds(No)
	case r.Action != DUNNO && !e.req.heloGiven() && r.needs()&AttrHELO != 0:
		// The HELO to come may be what keeps the rule from holding.
		return holds(No)
	case !e.remembers() && r.needs()&AttrPast != 0:
		return holds(No)
	}
	when, unless := e.guesses(i)
	e.guess = when
	result := r.When.holds(e)
	if result.truth == No {
		return result
	}
	e.guess = unless
	spared := false // by a temperror
	for _, t := range r.Unless {
		switch except := t.holds(e); {
		case except.truth == Yes && except.doubtful:
			spared = true
		case except.truth == Yes:
			return holds(No)
		case except.truth != No:
			result.truth = min(result.truth, except.truth)
			result.lacks |= except.lacks
			result.early = result.early || except.early
		}
	}
	if spared && result.truth != Undetermined {
		return holding{truth: No, doubtful: true}
	}
	return result
}

// includes reports whether the client is in the rule's share. The share is a
// fixed hash of address and rule name, so that a client always gets the same,
// and not the same for every rule.
func (r *Rule) includes(client netip.Addr) bool {
	if r.Percent == 0 || r.Percent == 100 {
		return true
	}
	h := fnv.New64a()
	addr := client.As16()
	_, _ = h.Write(addr[:])
	_, _ = h.Write([]byte(r.Name))
	sum := h.Sum64()
	// FNV's low bits are poor for inputs that differ in few places.
	sum ^= sum >> 32
	return int(sum%100) < r.Percent
}

// Has reports whether the table has an entry of the key.
func (t Table) Has(key string) bool {
	return slices.ContainsFunc(t, func(e Entry) bool { return e.Key == key })
}

// needs are the keys of the request that the rule looks at.
func (r *Rule) needs() (keys Attributes) {
	for i := range r.When {
		keys |= r.When[i].kind.needs
	}
	for _, t := range r.Unless {
		for i := range t {
			keys |= t[i].kind.needs
		}
	}
	return keys
}
