package report

import (
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// Exemption is what lets clients pass: a rule with the action dunno, or one
// table of a rule's unless.
//
// It is used where it makes a difference, which is found out by judging the
// record again without it: Spared counts the decisions that would have been
// graver, Needless those that it decided and that would have come to the same
// without it, and Unknown those of which the line does not say, since nobody
// queried the DNS for what the other rules need.
type Exemption struct {
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

// used is how often it was.
func (e *Exemption) used() int { return e.Spared + e.Needless + e.Unknown }

// soon is how long before its end an exemption is told of.
const soon = 30 * 24 * time.Hour

// effect is what one exemption did for one decision.
type effect uint8

const (
	spared effect = iota
	needless
	unknown
)

// use is an exemption that made a difference.
type use struct {
	index  int // of the exemptions
	effect effect
}

// exempter finds out which exemptions made a difference. It is not modified
// once it is in use.
type exempter struct {
	hash       string
	rules      *policy.Rules
	none       *policy.Rules // without any exemption
	exemptions []exemption
}

type exemption struct {
	told    Exemption
	rule    *policy.Rule
	without *policy.Rules // all rules but for this exemption
	end     time.Time     // zero: none
}

func newExempter(c *Config) exempter {
	e := exempter{hash: c.Hash, rules: silenced(c.Rules)}
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

// silenced are rules without texts: nobody reads them, and to fill them in
// takes time.
func silenced(r *policy.Rules) *policy.Rules {
	silent := *r
	silent.List = slices.Clone(r.List)
	for i := range silent.List {
		silent.List[i].Text = ""
	}
	return &silent
}

func (e *exempter) add(r *policy.Rule, unless int, table policy.Table, without *policy.Rules) {
	x := exemption{rule: r, without: without, told: Exemption{Rule: r.Name, Unless: unless, Holds: tableWords(table)}}
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

// uses finds the exemptions that made a difference for a record.
//
// To judge it once for each of them would cost as much as all the rest. But what
// was refused all the same nothing has spared; and what comes to the same
// without any exemption comes to the same without one of them, since to take one
// away can only add rules that hold.
func (e *exempter) uses(l *journal.Line) []use {
	q, f := &l.Request, &l.Facts
	was := l.Decision
	if l.Config != e.hash {
		was = e.rules.Judge(q, f)
	}
	if len(e.exemptions) == 0 || was.Undetermined || was.Decided.Permanent() {
		return nil
	}
	bare := e.none.Judge(q, f)
	idle := same(&bare, &was)
	var uses []use
	for i := range e.exemptions {
		x := &e.exemptions[i]
		decided := x.told.Unless == 0 && was.Rule == x.rule.Name
		if idle && !decided {
			continue
		}
		d := x.without.Judge(q, f)
		switch {
		case d.Undetermined:
			uses = append(uses, use{i, unknown})
		case d.Decided > was.Decided || x.rule.Observe && !wouldRefuse(&was, x.rule) && wouldRefuse(&d, x.rule):
			uses = append(uses, use{i, spared})
		case decided:
			uses = append(uses, use{i, needless})
		}
	}
	return uses
}

func same(a, b *policy.Decision) bool {
	return !a.Undetermined && !b.Undetermined && a.Decided == b.Decided && slices.Equal(a.Would, b.Would)
}

func wouldRefuse(d *policy.Decision, r *policy.Rule) bool {
	return slices.ContainsFunc(d.Would, func(v policy.Verdict) bool { return v.Rule == r.Name && refuses(v) })
}

// exemptionUses counts uses.
type exemptionUses struct {
	exemptions []exemption
	counts     [][unknown + 1]int
	last       []time.Time
}

func newExemptionUses(e *exempter) exemptionUses {
	n := len(e.exemptions)
	return exemptionUses{e.exemptions, make([][unknown + 1]int, n), make([]time.Time, n)}
}

func (u *exemptionUses) add(uses []use, at time.Time) {
	for _, one := range uses {
		u.counts[one.index][one.effect]++
		if at.After(u.last[one.index]) {
			u.last[one.index] = at
		}
	}
}

// report tells all exemptions in the order of the rules.
func (u *exemptionUses) report(now time.Time) []Exemption {
	list := []Exemption{}
	for i := range u.exemptions {
		x := u.exemptions[i].told
		n := u.counts[i]
		x.Spared, x.Needless, x.Unknown, x.LastUsed = n[spared], n[needless], n[unknown], u.last[i]
		switch end := u.exemptions[i].end; {
		case !end.IsZero() && !now.Before(end):
			x.State = "expired"
		case !end.IsZero() && end.Sub(now) <= soon:
			x.State = "soon"
		case x.used() == 0:
			x.State = "unused"
		}
		list = append(list, x)
	}
	return list
}
