package config

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"policyd-rdns/policy"
)

// ruleWarner notes what is doubtful about rule i of the file.
type ruleWarner struct {
	*reader
	rule *policy.Rule
	i    int
}

func (r *reader) warnRule(rule *policy.Rule, i int) {
	w := ruleWarner{r, rule, i}
	w.table("when", rule.When)
	for n, except := range rule.Unless {
		w.table(w.unless(n), except)
	}
	if n := rule.Undone(); n >= 0 {
		w.tell(w.unless(n), "%s holds whenever when does, so that the rule never holds", w.unless(n))
	}
	if rule.Observe {
		return
	}
	if rule.Action == policy.DUNNO {
		w.exempts("when", rule.When)
		return
	}
	w.refuses()
	for n, except := range rule.Unless {
		w.exempts(w.unless(n), except)
	}
}

// tell notes a warning at a place within the rule.
func (w *ruleWarner) tell(path, format string, args ...any) {
	w.doubtful(w.at(path), "%s", w.name(fmt.Sprintf(format, args...)))
}

// name is how messages name a path within the rule.
func (w *ruleWarner) name(path string) string {
	return fmt.Sprintf("rule[%d] %q: %s", w.i+1, w.rule.Name, path)
}

// at is a path within the rule as in the file.
func (w *ruleWarner) at(path string) string { return "rule[" + strconv.Itoa(w.i) + "]." + path }

// unless is the path of a table of exceptions, of which one may stand alone.
func (w *ruleWarner) unless(n int) string {
	if path := "unless[" + strconv.Itoa(n) + "]"; len(w.rule.Unless) > 1 || w.lines.Has(w.at(path)) {
		return path
	}
	return "unless"
}

// table notes entries of a table that do not hold, or not any more.
func (w *ruleWarner) table(path string, t policy.Table) {
	if why := t.Contradiction(); why != "" {
		w.tell(path, "%s can never hold: %s", path, why)
	}
	for i := range t {
		if end := ended(&t[i], time.Now()); end != "" {
			w.tell(path+".until", "%s.until: ended on %s, and does not hold any more", path, end)
		}
	}
}

// ended is the last day of an entry with days, if that is over.
func ended(e *policy.Entry, now time.Time) string {
	last := ""
	for _, text := range e.Written {
		if day, err := time.Parse(time.DateOnly, text); e.Key != "until" || err != nil || !now.After(day.AddDate(0, 0, 1)) {
			return ""
		}
		last = max(last, text)
	}
	return last
}

// refuses notes a rule that refuses more than was meant.
func (w *ruleWarner) refuses() {
	asked := slices.DeleteFunc(slices.Clone(w.rule.When), func(e policy.Entry) bool { return e.Key == "until" || holdsOfGood(e) })
	switch {
	case len(asked) == 0 && slices.ContainsFunc(w.rule.When, holdsOfGood):
		w.tell("when", "when holds for what is well, so that action = %q is for every host that is set up as it should be%s", w.rule.Action, w.spared())
	case len(asked) == 0:
		w.tell("action", "action = %q: when asks for nothing, or for a date only, so that it is for every client that comes to it%s", w.rule.Action, w.spared())
	case w.rule.Action != policy.Reject:
	case len(asked) == 1 && asked[0].Key == "helo" && (slices.Contains(asked[0].Written, "mismatch") || slices.Contains(asked[0].Written, "unresolved")):
		w.tell("when.helo", "when.helo alone rejects mail that is wanted, and RFC 5321 section 4.1.4 forbids to refuse for it alone: want another check beside it, such as name = \"generic\"")
	}
	for _, e := range w.rule.When {
		if w.rule.Action == policy.Reject && slices.Contains(e.Written, "temperror") {
			w.tell("when."+e.Key, "when.%s lists temperror: a temporary failure is never rejected, so that this becomes a defer", e.Key)
		}
	}
}

// spared says of a rule with exceptions that there are some.
func (w *ruleWarner) spared() string {
	if len(w.rule.Unless) == 0 {
		return ""
	}
	return " and that unless does not spare"
}

// holdsOfGood reports whether an entry holds for a host that is set up well.
func holdsOfGood(e policy.Entry) bool {
	check, ok := policy.CheckByName(e.Key)
	return ok && check.Well() != policy.NotLearnt && slices.Contains(e.Written, check.Well().String())
}

// exempts notes that a table which exempts rests on nothing that a stranger has
// not: what he says of himself, a name or an address that anybody may have.
func (w *ruleWarner) exempts(path string, t policy.Table) {
	claimed := ""
	for i := range t {
		e := &t[i]
		switch standing := e.Standing(); {
		case e.Key == "client" && e.Wide():
		case e.Key == "ptr_name" && slices.ContainsFunc(w.values[w.at(path)+".ptr_name"], func(v listValue) bool { return underSuffix(v.text) }):
		case standing == policy.Proven:
			return
		case standing == policy.Claimed:
			claimed = e.Key
		}
	}
	if claimed != "" {
		w.tell(path+"."+claimed, "%s.%s alone exempts: anyone may claim it", path, claimed)
	}
	for i := range t {
		if t[i].Key == "client" {
			w.warnWide(w.at(path)+".client", w.name(path+".client"), &t[i], "its hosts are exempt")
		}
	}
	w.warnSuffix(w.at(path)+".ptr_name", "a public suffix: strangers have names under it, and all of them are exempt")
}
