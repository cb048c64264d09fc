package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/lint"
)

// ruleWarner notes what is doubtful about a rule of the file.
type ruleWarner struct {
	*reader
	rule   *policy.Rule
	origin *Origin
}

func (r *reader) warnRule(c *Config, rule *policy.Rule, o *Origin) {
	w := ruleWarner{r, rule, o}
	w.table("when", rule.When)
	for n, except := range rule.Unless {
		w.table(w.unless(n), except)
	}
	if n := lint.Undone(rule); n >= 0 {
		w.tell(w.unless(n), "%s holds whenever when does, so that the rule never holds", w.unless(n))
	}
	if c.Rules.AllowList == "" {
		w.unlisted()
	}
	if rule.Observe {
		return
	}
	if rule.Action == policy.DUNNO {
		w.exempts("when", rule.When)
		return
	}
	w.refuses()
	w.forgets()
	for n, except := range rule.Unless {
		w.exempts(w.unless(n), except)
	}
}

// tell notes a warning at a place within the rule.
func (w *ruleWarner) tell(path, format string, args ...any) {
	w.Doubtful(w.at(path), "%s", w.name(fmt.Sprintf(format, args...)))
}

// name is how messages name a path within the rule.
func (w *ruleWarner) name(path string) string {
	return w.origin.shown + path
}

// at is a path within the rule as in the file.
func (w *ruleWarner) at(path string) string { return w.origin.path + "." + path }

// unless is the path of a table of exceptions, of which one may stand alone.
func (w *ruleWarner) unless(n int) string {
	if path := "unless[" + strconv.Itoa(n) + "]"; len(w.rule.Unless) > 1 || w.Lines.Has(w.at(path)) {
		return path
	}
	return "unless"
}

// table notes entries of a table that do not hold, or not any more.
func (w *ruleWarner) table(path string, t policy.Table) {
	if why := lint.Contradiction(t); why != "" {
		w.tell(path, "%s can never hold: %s", path, why)
	}
	for i := range t {
		if end, ok := t[i : i+1].End(); ok && !time.Now().Before(end) {
			at := path + ".until"
			if !w.Lines.Has(w.at(at)) {
				at = "until" // of an exemption
			}
			w.tell(at, "%s: ended %s, and does not hold any more", at, EndText(end))
		}
	}
}

// EndText is the end of an exemption in words: a day to its end in UTC, or a time.
func EndText(end time.Time) string {
	if end = end.UTC(); end.Equal(end.Truncate(plain.Day)) {
		return "at the end of " + end.AddDate(0, 0, -1).Format(time.DateOnly) + " (UTC)"
	}
	return "on " + end.Format("2006-01-02 at 15:04") + " (UTC)"
}

// refuses notes a rule that refuses more than was meant.
func (w *ruleWarner) refuses() {
	asked := slices.DeleteFunc(slices.Clone(w.rule.When), func(e policy.Entry) bool { return e.Dated() || holdsOfGood(e) })
	switch {
	case len(asked) == 0 && slices.ContainsFunc(w.rule.When, holdsOfGood):
		w.tell("when", "when holds for what is well, so that action = %q is for every host that is set up as it should be%s", w.rule.Action, w.spared())
	case len(asked) == 0 && !w.rule.Action.Refuses():
		w.tell("action", "action = %q: when asks for nothing, or for a date only, so that it is for every client that comes to it%s", w.rule.Action, w.spared())
	case w.rule.Action != policy.Reject:
	case len(asked) == 1 && asked[0].Key == "helo" && (wants(&asked[0], policy.Mismatch) || wants(&asked[0], policy.Unresolved)):
		w.tell("when.helo", "when.helo alone rejects mail that is wanted, and RFC 5321 section 4.1.4 forbids to refuse for it alone: want another check beside it, such as name = \"generic\"")
	}
	for _, e := range w.rule.When {
		if w.rule.Action == policy.Reject && wants(&e, policy.TempError) {
			w.tell("when."+e.Key, "when.%s lists temperror: a temporary failure is never rejected, so that this becomes a defer", e.Key)
		}
	}
}

// unlisted notes a rule that asks a list which there is not.
func (w *ruleWarner) unlisted() {
	paths, tables := []string{"when"}, []policy.Table{w.rule.When}
	for n, except := range w.rule.Unless {
		paths, tables = append(paths, w.unless(n)), append(tables, except)
	}
	for i, t := range tables {
		if key := policy.CheckDNSWL.String(); t.Has(key) {
			w.tell(paths[i]+"."+key, "%s.%s never holds: names.dnswl does not say which list is asked", paths[i], key)
		}
	}
}

// forgets notes a reject that holds of those alone of whom nothing good is remembered,
// which it may only defer.
func (w *ruleWarner) forgets() {
	if w.rule.Action != policy.Reject {
		return
	}
	const why = "a reject that holds only because nothing good is remembered is always a defer: write action = \"defer\""
	for i := range w.rule.When {
		if e := &w.rule.When[i]; remembers(e) && !holdsOfKnown(e) {
			w.tell("when."+e.Key, "when.%s: %s", e.Key, why)
			return
		}
	}
	for n, t := range w.rule.Unless {
		for i := range t {
			if e := &t[i]; remembers(e) && holdsOfKnown(e) {
				w.tell(w.unless(n)+"."+e.Key, "%s.%s: %s", w.unless(n), e.Key, why)
				return
			}
		}
	}
}

// remembers reports whether an entry asks what is remembered.
func remembers(e *policy.Entry) bool {
	return e.Key == policy.CheckHistory.String() || e.Key == "correspondent"
}

// holdsOfKnown reports whether an entry that asks what is remembered holds for the best
// that can be.
func holdsOfKnown(e *policy.Entry) (holds bool) {
	for _, v := range e.Written {
		switch name, but := strings.CutPrefix(v, "!"); {
		case name == policy.Known.String():
			return !but
		case but, name == "true": // of a correspondent
			holds = true
		}
	}
	return holds
}

// spared says of a rule with exceptions that there are some.
func (w *ruleWarner) spared() string {
	if len(w.rule.Unless) == 0 {
		return ""
	}
	return " and that unless does not spare"
}

// wants reports whether an entry of a check asks for a result of it.
func wants(e *policy.Entry, r policy.Result) bool {
	c, results, ok := e.Implies()
	return ok && c.String() == e.Key && results.Has(r)
}

// holdsOfGood reports whether an entry holds for a host that is set up well.
func holdsOfGood(e policy.Entry) bool {
	c, ok := policy.CheckByName(e.Key)
	return ok && wants(&e, c.Good())
}

// exempts notes that a table which exempts rests on nothing that a stranger has
// not: what he says of himself, a name or an address that anybody may have.
func (w *ruleWarner) exempts(path string, t policy.Table) {
	claimed := ""
	for i := range t {
		e := &t[i]
		switch standing := e.Standing(); {
		case e.Wide() != "":
		case standing == policy.Proven:
			return
		case standing == policy.Claimed:
			claimed = e.Key
		}
	}
	switch claimed {
	case "":
	case policy.CheckHistory.String():
		w.tell(path+"."+claimed, "%s.%s alone exempts: anyone may earn it, who sends for a day from a host that is set up well", path, claimed)
	case policy.CheckSPF.String():
		w.tell(path+"."+claimed, "%s.%s alone exempts: any domain can say it", path, claimed)
	default:
		w.tell(path+"."+claimed, "%s.%s alone exempts: anyone may claim it", path, claimed)
	}
	for i := range t {
		w.wide(path, &t[i])
	}
}

// wide notes values of an entry that exempts for which strangers are exempt.
func (w *ruleWarner) wide(path string, e *policy.Entry) {
	why := e.Wide()
	if why == "" {
		return
	}
	told := false
	for _, v := range w.Values[w.at(path)+"."+e.Key] {
		if one, _ := policy.NewEntry(e.Key, []string{v.Text}, nil); one.Wide() != "" {
			w.DoubtfulValue(v, why)
			told = true
		}
	}
	if !told {
		w.Doubtful(w.at(path)+"."+e.Key, "%s: together %s", w.name(path+"."+e.Key), why)
	}
}
