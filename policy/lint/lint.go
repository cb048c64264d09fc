// Package lint finds mistakes in rules that are well-formed: tables that can never hold, and
// rules that are never reached. It is for those who write rules; no request waits for it.
package lint

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/policy"
)

// Contradiction says why a table can never hold, whoever the client is: of its
// checks no two such results come together. Empty: it can, as far as the checks
// tell.
func Contradiction(t policy.Table) string {
	var about []implied
	for i := range t {
		if c, results, ok := t[i].Implies(); ok {
			about = append(about, implied{&t[i], c, results})
		}
	}
	if len(about) < 2 || holdTogether(about...) {
		return ""
	}
	for i := range about {
		for j := range i {
			if first, second := about[j], about[i]; !holdTogether(first, second) {
				return exclude(first, second)
			}
		}
	}
	keys := make([]string, len(about))
	for i, e := range about {
		keys[i] = e.shown()
	}
	return strings.Join(keys, ", ") + " never come together"
}

// Undone says which of its tables of exceptions keeps a rule from ever holding: it
// holds whenever the rule's own does. -1: none.
func Undone(r *policy.Rule) int {
	return slices.IndexFunc(r.Unless, func(except policy.Table) bool { return covers(except, r.When) })
}

// Shadows reports whether no request can come by a rule and reach another behind it:
// whenever the other holds, the first does, and decides.
func Shadows(r, other *policy.Rule) bool {
	return !r.Observe && r.Action.Final() && len(r.Unless) == 0 && (r.Percent == 0 || r.Percent == 100) && covers(r.When, other.When)
}

// covers reports whether a table holds whenever another does, as far as the written
// values of their entries tell.
func covers(t, other policy.Table) bool {
	for i := range t {
		if !slices.ContainsFunc(other, func(e policy.Entry) bool { return coversEntry(&t[i], &e) }) {
			return false
		}
	}
	return true
}

func coversEntry(e, other *policy.Entry) bool {
	if e.Key != other.Key {
		return false
	}
	if c, results, ok := e.Implies(); ok && c.String() == e.Key {
		_, others, _ := other.Implies()
		return others&^results == 0
	}
	return !slices.ContainsFunc(other.Written, func(v string) bool { return !slices.Contains(e.Written, v) })
}

// implied is an entry that does not hold without one of some results of a check.
type implied struct {
	*policy.Entry
	check   policy.Check
	results policy.Results
}

// canHold reports whether the entry holds with a combination of the checks, as far as
// they tell.
func (e *implied) canHold(o *combination) bool {
	f := o[e.check]
	return e.results.Has(f.Result) && f.Possible&^e.results == 0
}

func holdTogether(entries ...implied) bool {
	return slices.ContainsFunc(combinations(), func(o combination) bool {
		return !slices.ContainsFunc(entries, func(e implied) bool { return !e.canHold(&o) })
	})
}

// exclude says what goes with the one of two entries instead of the other.
func exclude(first, second implied) string {
	if second.Key != second.check.String() {
		first, second = second, first
	}
	if second.Key != second.check.String() {
		return first.shown() + " and " + second.shown() + " never come together"
	}
	var with []string
	for _, r := range second.check.Results() {
		if slices.ContainsFunc(combinations(), func(o combination) bool { return o[second.check].Result == r && first.canHold(&o) }) {
			with = append(with, r.String())
		}
	}
	if len(with) == 0 {
		return fmt.Sprintf("with %s, there is no %s", first.shown(), second.Key)
	}
	return fmt.Sprintf("with %s, %s is %s", first.shown(), second.Key, strings.Join(with, " or "))
}

// shown is the entry as in a file, cut short.
func (e *implied) shown() string {
	values := make([]string, min(len(e.Written), 4))
	for i := range values {
		values[i] = fmt.Sprintf("%.40q", e.Written[i])
	}
	text := strings.Join(values, ", ")
	if len(e.Written) > len(values) {
		text += ", …"
	}
	if len(e.Written) != 1 {
		text = "[" + text + "]"
	}
	return e.Key + " = " + text
}
