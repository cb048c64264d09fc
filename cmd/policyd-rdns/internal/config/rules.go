package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/lint"
	"policyd-rdns/policy/reply"
	"policyd-rdns/policy/smtp"
)

// Source is where a rule in force comes from.
type Source uint8

// The sources, in the order in which rules are judged, but for Changed, which stands
// where the built-in rule does.
const (
	BuiltinExempt Source = iota // an exemption of the program's own
	Exempt                      // an [[exempt]] of the file
	Listed                      // an [[exempt]] of exempt_file
	Own                         // a [[rule]] of the file
	Builtin                     // a rule of the program's own
	Changed                     // the same, with keys of a [[rule]] of its name
)

// Origin is where a rule in force comes from.
type Origin struct {
	Source Source
	File   string // that it stands in; empty: built-in
	Line   int
	path   string // in the file: "rule[1]"
	shown  string // before a key in messages: `rule[2] "no ptr": `
}

// ruleSet is what [[rule]] and [[exempt]] tables make of the built-in rules.
type ruleSet struct {
	exempt, listed, own, builtin []policy.Rule
	// from are the origins of each, in the same order.
	exemptFrom, listedFrom, ownFrom, builtinFrom []Origin
	// names are those of rules that are taken.
	names []string
	// off are the built-in rules that are switched off.
	off []policy.Rule
	sum string // what exempt_file says
}

// rules puts the rules in their order: exemptions (built-in, the file's, those of
// exempt_file), own rules, built-in ones.
func (r *reader) rules(t *document.Table, c *Config) {
	var s ruleSet
	for _, rule := range builtin.Rules() {
		switch {
		case rule.Exempt:
			s.exempt = append(s.exempt, builtin.WithContact(rule, c.Reply.Contact))
			s.exemptFrom = append(s.exemptFrom, Origin{Source: BuiltinExempt})
		case c.defaultRules:
			s.builtin = append(s.builtin, rule)
			s.builtinFrom = append(s.builtinFrom, Origin{Source: Builtin})
		}
	}
	r.exemptions(t.Blocks("exempt"), &s)
	r.listed(c, &s)
	tables := t.Blocks("rule")
	for i := range tables {
		r.rule(&tables[i], &s)
	}
	for _, of := range []struct {
		rules []policy.Rule
		from  []Origin
	}{{s.exempt, s.exemptFrom}, {s.listed, s.listedFrom}, {s.own, s.ownFrom}, {s.builtin, s.builtinFrom}} {
		c.Rules.List = append(c.Rules.List, of.rules...)
		c.Origins = append(c.Origins, of.from...)
	}
	c.Rules.Prepare()
	c.off, c.sum = s.off, s.sum
	c.listed = [2]int{len(s.exempt), len(s.exempt) + len(s.listed)}
}

// maxText bounds a rule's text: a reply line of Postfix holds 510 bytes, with
// the recipient and its own words in it.
const maxText = 300

// rule reads one rule into the set: one of the file's own, or one that changes the
// built-in rule of its name, key by key, or switches it off.
func (r *reader) rule(t *document.Table, s *ruleSet) {
	wrong := r.Wrong()
	var rule policy.Rule
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(t.Path, "rule["), "]"))
	t.Shown = fmt.Sprintf("rule[%d]: ", n+1)
	t.Text("name", &rule.Name)
	t.Shown = fmt.Sprintf("rule[%d] %q: ", n+1, rule.Name)
	r.ruleName(t, rule.Name, s.names)
	s.names = append(s.names, rule.Name)

	base := slices.IndexFunc(s.builtin, func(b policy.Rule) bool { return b.Name == rule.Name })
	from := Origin{Source: Own, File: r.File, Line: r.Lines.At(t.Path), path: t.Path, shown: t.Shown}
	if base >= 0 {
		rule, from.Source = s.builtin[base], Changed
	}
	if r.off(t) {
		if base < 0 {
			r.Doubtful(t.Path, "%soff: there is no built-in rule of that name%s", t.Shown, s.near(rule.Name))
			return
		}
		s.off = append(s.off, rule)
		s.builtin, s.builtinFrom = slices.Delete(s.builtin, base, base+1), slices.Delete(s.builtinFrom, base, base+1)
		return
	}
	r.when(t, &rule)
	r.outcome(t, &rule, s, base >= 0)
	if _, ok := t.Raw["mode"]; ok {
		rule.Observe = false
	}
	mode := 0
	if t.Raw["mode"] == "off" {
		t.Take("mode")
		t.Bad("mode", "off", `want "enforce" or "observe"; what switches a built-in rule off is off = true`)
	} else {
		t.Choice("mode", &mode, "enforce", "observe")
	}
	rule.Observe = rule.Observe || mode == 1
	t.Whole("percent", &rule.Percent, 1, 100)
	deferFor(t, &rule)
	t.End()
	if r.Wrong() > wrong {
		return
	}
	if asksNothing(rule.When) && rule.Action.Refuses() {
		r.Bad(t.Path, "%swhen: want an entry that tells which clients are meant: without one the rule is for all of them", t.Shown)
		return
	}
	if base >= 0 {
		s.builtin[base], s.builtinFrom[base] = rule, from
		return
	}
	r.reachable(t, &rule, s.own)
	s.own, s.ownFrom = append(s.own, rule), append(s.ownFrom, from)
}

// deferFor reads how long a reject rule is a defer. Of a built-in rule it goes with the
// action.
func deferFor(t *document.Table, rule *policy.Rule) {
	v, given := t.Take("defer_for")
	switch {
	case rule.Action != policy.Reject && given:
		t.Bad("defer_for", v, fmt.Sprintf("want it of a reject, which it makes a defer; action is %s", rule.Action))
	case rule.Action != policy.Reject:
		rule.DeferFor = nil
	case given:
		rule.DeferFor = new(time.Duration) // not that of the built-in rule
		t.Duration("defer_for", rule.DeferFor, 0, maxDeferFor, deferForWhy, `"4h"`)
	}
}

// asksNothing reports whether a table is for every client, or for all until a time.
func asksNothing(t policy.Table) bool {
	return !slices.ContainsFunc(t, func(e policy.Entry) bool { return !e.Dated() })
}

// off reads the key that switches a built-in rule off, beside which nothing but the name
// may stand.
func (r *reader) off(t *document.Table) bool {
	v, ok := t.Take("off")
	if !ok {
		return false
	}
	if v != true {
		t.Bad("off", v, "want true; a rule that is in force has no such key")
	}
	for key := range t.Raw {
		if key != "off" && key != "name" {
			r.Bad(t.At("off"), "%soff = true: want no other key beside it but name", t.Shown)
			break
		}
	}
	return true
}

// near asks whether another built-in rule was meant.
func (s *ruleSet) near(name string) string {
	var names []string
	for _, rule := range builtin.Rules() {
		switch {
		case rule.Name == name && rule.Exempt:
			return "; it is an exemption: write [[exempt]]"
		case rule.Name == name:
			return "; default_rules = false leaves no built-in rule of that name to change"
		}
		if !rule.Exempt {
			names = append(names, rule.Name)
		}
	}
	if near, ok := plain.Nearest(name, names); ok {
		return "; did you mean " + strconv.Quote(near) + "?"
	}
	return ""
}

func (r *reader) ruleName(t *document.Table, name string, names []string) {
	switch {
	case name == "" && t.Raw["off"] != nil:
		t.R.Bad(t.Path, "%sname: want that of the built-in rule to switch off", t.Shown)
	case name == "":
		t.R.Bad(t.Path, "%sname: want one, which the decision log shows", t.Shown)
	case len(name) > maxName || !printable(name):
		t.Bad("name", name, "want at most 100 printable ASCII characters")
	case slices.Contains(names, name):
		t.Bad("name", name, "another rule has that name already; the decision log could not tell them apart")
	}
}

// maxName bounds the name of a rule, in bytes.
const maxName = 100

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// when reads when and unless, each of which stands for the whole.
func (r *reader) when(t *document.Table, rule *policy.Rule) {
	if when, ok := t.Take("when"); ok {
		if _, ok := when.(map[string]any); !ok {
			t.Bad("when", when, "want a table { … }; for alternatives write a list behind a key, or another rule")
		}
	}
	if _, ok := t.Raw["when"].(map[string]any); ok {
		when := t.Tables("when")[0]
		when.Shown = t.Shown + "when."
		rule.When = r.entries(&when)
	}
	if _, ok := t.Raw["unless"]; ok {
		rule.Unless = nil
	}
	for _, except := range t.Tables("unless") {
		except.Shown = t.Shown + strings.TrimPrefix(except.Path, t.Path+".") + "."
		if len(except.Raw) == 0 {
			t.Bad("unless", except.Raw, "want at least one entry: an empty table always holds, and so the rule never")
		}
		rule.Unless = append(rule.Unless, r.entries(&except))
	}
}

// outcome reads action, code and text. changed: the rule has those of a built-in one,
// of which the code goes with the action.
func (r *reader) outcome(t *document.Table, rule *policy.Rule, s *ruleSet, changed bool) {
	action := rule.Action.String()
	given := t.Text("action", &action)
	if _, ok := t.Raw["action"]; !ok && !changed {
		var actions []string
		for _, a := range policy.Actions(true) {
			actions = append(actions, a.String())
		}
		t.R.Bad(t.Path, "%saction: want %s%s", t.Shown, plain.List(actions, "or"), s.near(rule.Name))
	}
	a, err := policy.ParseAction(action)
	if err != nil {
		t.R.Bad(t.At("action"), "%s = %v%s", t.Name("action"), err, meantAction(action))
	}
	if rule.Action = a; given {
		rule.Code = smtp.Code{}
	}
	code := ""
	t.Text("code", &code)
	if _, ok := t.Raw["code"]; ok && err == nil {
		if rule.Code, err = policy.ParseCode(code, a); err != nil {
			t.R.Bad(t.At("code"), "%s = %v", t.Name("code"), err)
		}
	}
	if t.Text("text", &rule.Text) && err == nil && !a.Final() {
		t.Bad("text", rule.Text, "action tag sends no text: the header names the rule and what was found")
	}
	if want := badText(rule.Text); want != "" {
		t.Bad("text", rule.Text, want)
	}
	if _, ok := t.Raw["text"]; !ok && !a.TakesText() {
		rule.Text = "" // the built-in rule's, which goes with another action
	}
	if rule.Text == "" && a.TakesText() {
		rule.Text = rule.Name + ", [{client}]"
	}
}

// meantAction says what does what an action of other programs does.
func meantAction(action string) string {
	word, _, _ := strings.Cut(strings.ToLower(action), " ")
	switch word {
	case "ok", "accept", "permit", "allow", "pass", "none":
		return "; whom to let pass says an [[exempt]]"
	case "prepend", "header", "mark", "score":
		return "; tag adds a header"
	case "warn", "log", "info":
		return "; to log alone write mode = \"observe\" beside the action"
	}
	return ""
}

// badText says what is wrong with the text of a rule.
func badText(text string) string {
	switch {
	case len(text) > maxText || !printable(text):
		return fmt.Sprintf("want at most %d printable ASCII characters", maxText)
	case text != "" && '0' <= text[0] && text[0] <= '9':
		return "begins with a number, which Postfix may take for a code; codes go into code"
	}
	return reply.Misplaced(text)
}

// entries reads a table of conditions.
func (r *reader) entries(t *document.Table) policy.Table {
	var entries policy.Table
	for _, key := range policy.EntryKeys() {
		if entry, ok := r.entry(t, key); ok {
			entries = append(entries, entry)
		}
	}
	t.End()
	return entries
}

// entry reads one condition, if it is there.
func (r *reader) entry(t *document.Table, key string) (entry policy.Entry, ok bool) {
	wrong := len(r.Problems)
	values := t.List(key)
	if _, ok := t.Raw[key]; !ok {
		return entry, false
	}
	if len(values) == 0 {
		if len(r.Problems) == wrong { // else it says why
			t.Bad(key, t.Raw[key], "holds nothing, so the entry never holds")
		}
		return entry, false
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Text
		if _, check := policy.CheckByName(key); !check && strings.HasPrefix(v.Text, "!") {
			r.BadValue(v, fmt.Errorf("%.60q: a ! is for results of checks; whom to leave out says unless = { … }", v.Text))
			return entry, false
		}
	}
	entry, errs := policy.NewEntry(key, texts, t.Written(key))
	for _, e := range errs {
		r.BadValue(values[e.Index], e.Err)
	}
	if _, results, ok := entry.Implies(); ok && results == 0 && len(errs) == 0 {
		t.Bad(key, t.Raw[key], "leaves no result, so the entry never holds")
	}
	for _, v := range values {
		if why := entry.Misread(v.Text); why != "" {
			r.DoubtfulValue(v, why)
		}
	}
	return entry, true
}

// reachable notes a rule that no request can come to.
func (r *reader) reachable(t *document.Table, rule *policy.Rule, before []policy.Rule) {
	for i := range before {
		if lint.Shadows(&before[i], rule) {
			r.Bad(t.Path, "%scan never be reached: rule %q before it holds whenever it does", t.Shown, before[i].Name)
			return
		}
	}
}
