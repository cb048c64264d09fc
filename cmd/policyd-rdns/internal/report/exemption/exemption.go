// Package exemption finds out what exemptions are good for: how often one made a
// difference, by judging recorded decisions again without it.
package exemption

import (
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// Report is what is told of an exemption, which lets clients pass: a rule with the
// action dunno, or one table of a rule's unless.
//
// It is used where it makes a difference, which is found out by judging the
// record again without it: Spared counts the decisions that would have been
// graver, Needless those that it decided and that would have come to the same
// without it, and Unknown those of which the line does not say, since nobody
// queried the DNS for what the other rules need.
type Report struct {
	Rule     string    `json:"rule"`
	Unless   int       `json:"unless,omitempty"` // which table, from 1; 0: the rule itself
	Holds    string    `json:"holds"`            // what it asks for, in words
	Spared   int       `json:"spared"`
	Needless int       `json:"needless"`
	Unknown  int       `json:"unknown"`
	LastUsed time.Time `json:"last_used,omitzero"`
	Until    string    `json:"until,omitempty"` // the date that it ends with
	// State is expired, soon (within 30 days after the last decision), unused,
	// or empty.
	State string `json:"state,omitempty"`
}

// Used is how often it was.
func (e *Report) Used() int { return e.Spared + e.Needless + e.Unknown }

// soon is how long before its end an exemption is told of.
const soon = 30 * 24 * time.Hour

// effect is what one exemption did for one decision.
type effect uint8

const (
	spared effect = iota
	needless
	unknown
)

// Use is that an exemption made a difference for a decision.
type Use struct {
	index  int // of the exemptions
	effect effect
}

// Finder finds out which exemptions made a difference. It is not modified once it is
// in use.
type Finder struct {
	hash       string
	rules      *policy.Rules
	none       *policy.Rules // without any exemption
	exemptions []exemption
}

type exemption struct {
	told    Report
	rule    *policy.Rule
	table   policy.Table  // what it asks for
	without *policy.Rules // all rules but for this exemption
	end     time.Time     // zero: none
}

// New finds the exemptions of some rules. hash is that of their configuration: of what
// was decided under another it is found out what these rules come to.
func New(rules *policy.Rules, hash string) *Finder {
	e := &Finder{hash: hash, rules: Silenced(rules)}
	none := *e.rules
	none.List = nil
	for i := range e.rules.List {
		r := &e.rules.List[i]
		if r.Action == policy.DUNNO {
			if !r.Observe {
				without := *e.rules
				without.List = slices.Delete(slices.Clone(without.List), i, i+1)
				e.add(r, 0, r.When, &without)
			}
			continue
		}
		for n, table := range r.Unless {
			without := *e.rules
			without.List = slices.Clone(without.List)
			without.List[i].Unless = slices.Delete(slices.Clone(r.Unless), n, n+1)
			e.add(r, n+1, table, &without)
		}
		bare := *r
		bare.Unless = nil
		none.List = append(none.List, bare)
	}
	e.none = &none
	return e
}

// Silenced are rules without texts: nobody reads them, and to fill them in
// takes time.
func Silenced(r *policy.Rules) *policy.Rules {
	silent := *r
	silent.List = slices.Clone(r.List)
	for i := range silent.List {
		silent.List[i].Text = ""
	}
	return &silent
}

func (e *Finder) add(r *policy.Rule, unless int, table policy.Table, without *policy.Rules) {
	x := exemption{rule: r, table: table, without: without, told: Report{Rule: r.Name, Unless: unless, Holds: tableWords(table)}}
	for _, entry := range table {
		if entry.Key != "until" {
			continue
		}
		for _, v := range entry.Written {
			if d, err := time.Parse(time.DateOnly, v); err == nil && d.AddDate(0, 0, 1).After(x.end) {
				x.end, x.told.Until = d.AddDate(0, 0, 1), v
			}
		}
	}
	e.exemptions = append(e.exemptions, x)
}

// tableWords is a table in words.
func tableWords(t policy.Table) string {
	if len(t) == 0 {
		return "always"
	}
	var parts []string
	for _, e := range t {
		const most = 4
		values := e.Written
		more := ""
		if len(values) > most {
			values, more = values[:most], " or others"
		}
		parts = append(parts, e.Key+" "+strings.Join(values, " or ")+more)
	}
	return strings.Join(parts, ", ")
}

// Uses finds the exemptions that made a difference for a record.
//
// To judge it once for each of them would cost as much as all the rest. But what
// was refused all the same nothing has spared; and what comes to the same
// without any exemption comes to the same without one of them, since to take one
// away can only add rules that hold. Nor does it change anything to take away what does
// not hold.
func (e *Finder) Uses(l *journal.Line) []Use {
	q, f := &l.Request, &l.Facts
	was := l.Decision
	if l.Config != e.hash {
		was = e.rules.Decide(q, f)
	}
	if len(e.exemptions) == 0 || was.Undetermined || was.Decided.Permanent() {
		return nil
	}
	bare := e.none.Decide(q, f)
	idle := same(&bare, &was)
	if idle && was.Rule == "" {
		return nil
	}
	held := e.rules.Hold(q, f)
	defer held.End()
	all := was // what all rules come to
	if !idle && l.Config == e.hash {
		all = e.rules.Decide(q, f)
	}
	var uses []Use
	for i := range e.exemptions {
		x := &e.exemptions[i]
		decided := x.told.Unless == 0 && was.Rule == x.rule.Name
		if idle && !decided {
			continue
		}
		d := all
		if held.May(x.table) {
			d = x.without.Decide(q, f)
		}
		switch {
		case d.Undetermined:
			uses = append(uses, Use{i, unknown})
		case was.Decided.Milder(d.Decided) || x.rule.Observe && !wouldRefuse(&was, x.rule) && wouldRefuse(&d, x.rule):
			uses = append(uses, Use{i, spared})
		case decided:
			uses = append(uses, Use{i, needless})
		}
	}
	return uses
}

func same(a, b *policy.Decision) bool {
	return !a.Undetermined && !b.Undetermined && a.Decided == b.Decided && slices.Equal(a.Would, b.Would)
}

func wouldRefuse(d *policy.Decision, r *policy.Rule) bool {
	return slices.ContainsFunc(d.Would, func(v policy.Ruling) bool { return v.Rule == r.Name && v.Action.Refuses() })
}

// Counter counts uses.
type Counter struct {
	exemptions []exemption
	counts     [][unknown + 1]int
	last       []time.Time
}

// NewCounter counts uses of the exemptions that a Finder finds.
func NewCounter(e *Finder) *Counter {
	n := len(e.exemptions)
	return &Counter{e.exemptions, make([][unknown + 1]int, n), make([]time.Time, n)}
}

// Add counts the uses of a decision that was made at some time.
func (u *Counter) Add(uses []Use, at time.Time) {
	for _, one := range uses {
		u.counts[one.index][one.effect]++
		if at.After(u.last[one.index]) {
			u.last[one.index] = at
		}
	}
}

// Report tells all exemptions in the order of the rules. What is soon is soon after now.
func (u *Counter) Report(now time.Time) []Report {
	list := []Report{}
	for i := range u.exemptions {
		x := u.exemptions[i].told
		n := u.counts[i]
		x.Spared, x.Needless, x.Unknown, x.LastUsed = n[spared], n[needless], n[unknown], u.last[i]
		switch end := u.exemptions[i].end; {
		case !end.IsZero() && !now.Before(end):
			x.State = "expired"
		case !end.IsZero() && end.Sub(now) <= soon:
			x.State = "soon"
		case x.Used() == 0:
			x.State = "unused"
		}
		list = append(list, x)
	}
	return list
}
