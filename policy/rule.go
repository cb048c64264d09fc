package policy

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
)

// Action is what becomes of a request.
type Action uint8

// The actions.
const (
	DUNNO  Action = iota // no objection: Postfix goes on with its next restriction
	Defer                // 4xx: the sender tries again
	Reject               // 5xx: the sender gives up
	Info                 // DUNNO, and Postfix logs what would have happened (observe_reply)
)

// String is the action's name in rules and log lines.
func (a Action) String() string { return [...]string{"dunno", "defer", "reject", "info"}[a] }

// ParseAction reads the action of a rule. Info is not one.
func ParseAction(s string) (Action, error) {
	for _, a := range []Action{DUNNO, Defer, Reject} {
		if strings.EqualFold(s, a.String()) {
			return a, nil
		}
	}
	return DUNNO, fmt.Errorf("%.60q: want reject, defer or dunno", s)
}

// Table is a set of entries that must all hold. The empty table holds.
type Table []Entry

// holds is three-valued "and". doubtful says that an entry holds only because
// it lists temperror.
func (t Table) holds(s *scene) (result truth, doubtful bool) {
	result = yes
	for i := range t {
		v, d := t[i].holds(s)
		if v == no {
			return no, false
		}
		result = min(result, v)
		doubtful = doubtful || d
	}
	return result, doubtful
}

// Rule turns facts into an action.
type Rule struct {
	Name   string
	When   Table
	Unless []Table // the rule does not hold if one of them does
	Action Action
	Code   Code   // zero: that of the action
	Text   string // what the sender reads; see [Texts]
	// Observe: the rule does not decide, it is only logged.
	Observe bool
	// Percent is the share of clients that the rule is for; 0 and 100: all.
	Percent int
}

// holds is "when, and not one of unless". doubtful says that it rests on a
// temperror: the rule holds, or does not, only because an entry lists it.
func (r *Rule) holds(s *scene) (result truth, doubtful bool) {
	switch {
	case !r.includes(s.req.Client):
		return no, false
	case r.Action != DUNNO && !s.greeted() && r.uses("helo", "helo_form", "helo_name", "helo_is"):
		// The greeting to come may be what keeps the rule from holding.
		return no, false
	}
	if result, doubtful = r.When.holds(s); result == no {
		return no, false
	}
	spared := false // by a temperror
	for _, t := range r.Unless {
		except, d := t.holds(s)
		switch {
		case except == yes && d:
			spared = true
		case except == yes:
			return no, false
		case except != no:
			result = min(result, except)
		}
	}
	if spared && result != open {
		return no, true
	}
	return result, doubtful
}

// includes says whether the client is in the rule's share. The share is a
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

// Shadows says that no request can come by this rule and reach the other:
// whenever the other holds, this one does, and decides.
func (r *Rule) Shadows(other *Rule) bool {
	if r.Observe || len(r.Unless) > 0 || r.Percent != 0 && r.Percent != 100 {
		return false
	}
	for i := range r.When {
		if !slices.ContainsFunc(other.When, r.When[i].covers) {
			return false
		}
	}
	return true
}

// covers says that the entry holds whenever the other does, as far as their
// written values tell.
func (e *Entry) covers(other Entry) bool {
	if e.Key != other.Key {
		return false
	}
	for _, v := range other.Written {
		if !slices.Contains(e.Written, v) {
			return false
		}
	}
	return true
}

// Has says whether the table has an entry of the key.
func (t Table) Has(key string) bool {
	for i := range t {
		if t[i].Key == key {
			return true
		}
	}
	return false
}

// uses says whether the rule looks at one of the keys.
func (r *Rule) uses(keys ...string) bool {
	for _, key := range keys {
		if r.When.Has(key) {
			return true
		}
		for _, t := range r.Unless {
			if t.Has(key) {
				return true
			}
		}
	}
	return false
}
