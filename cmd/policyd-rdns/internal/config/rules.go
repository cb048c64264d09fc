package config

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// rules reads the [[rule]] tables. Without any, or after them on request, come
// the built-in ones.
func (r *reader) rules(t *table, c *Config, defaultRules bool) {
	tables := t.tables("rule")
	var builtin []policy.Rule
	if len(tables) == 0 || defaultRules {
		builtin = policy.Builtin()
	}
	var names []string
	for i := range builtin {
		names = append(names, builtin[i].Name)
	}
	for i := range tables {
		rule, ok := r.rule(&tables[i], i, names)
		names = append(names, rule.Name)
		if ok {
			r.reachable(&tables[i], &rule, c.Rules.List)
			c.Rules.List = append(c.Rules.List, rule)
		}
	}
	c.Builtin, c.Own = len(tables) == 0, len(c.Rules.List)
	c.Rules.List = append(c.Rules.List, builtin...)
}

// maxText bounds a rule's text: a reply line of Postfix holds 510 bytes, with
// the recipient and its own words in it.
const maxText = 300

// rule reads one rule. names are those that are
// taken.
func (r *reader) rule(t *table, i int, names []string) (rule policy.Rule, ok bool) {
	wrong := len(r.problems) + len(r.unknown)
	t.text("name", &rule.Name)
	t.shown = fmt.Sprintf("rule[%d] %q: ", i+1, rule.Name)
	r.ruleName(t, rule.Name, names)

	if when, ok := t.take("when"); ok {
		if _, ok := when.(map[string]any); !ok {
			t.bad("when", when, "want a table { … }; for alternatives write a list behind a key, or another rule")
		}
	}
	if _, ok := t.raw["when"].(map[string]any); ok {
		when := t.tables("when")[0]
		when.shown = t.shown + "when."
		rule.When = r.entries(&when)
	}
	for _, except := range t.tables("unless") {
		except.shown = t.shown + strings.TrimPrefix(except.path, t.path+".") + "."
		if len(except.raw) == 0 {
			t.bad("unless", except.raw, "want at least one entry: an empty table always holds, and so the rule never")
		}
		rule.Unless = append(rule.Unless, r.entries(&except))
	}
	r.outcome(t, &rule)
	mode := 0
	t.choice("mode", &mode, "enforce", "observe")
	rule.Observe = mode == 1
	t.whole("percent", &rule.Percent, 1, 100)
	t.end()
	return rule, len(r.problems)+len(r.unknown) == wrong
}

func (r *reader) ruleName(t *table, name string, names []string) {
	switch {
	case name == "":
		t.r.bad(t.path, "%sname: want one, which the decision log shows", t.shown)
	case len(name) > 100 || !printable(name):
		t.bad("name", name, "want at most 100 printable ASCII characters")
	case slices.Contains(names, name):
		t.bad("name", name, "another rule has that name already; the decision log could not tell them apart")
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// outcome reads action, code and text.
func (r *reader) outcome(t *table, rule *policy.Rule) {
	if _, ok := t.raw["action"]; !ok {
		var actions []string
		for _, a := range policy.Actions(true) {
			actions = append(actions, a.String())
		}
		t.r.bad(t.path, "%saction: want %s", t.shown, plain.List(actions, "or"))
	}
	action := "dunno"
	t.text("action", &action)
	a, err := policy.ParseAction(action)
	if err != nil {
		t.r.bad(t.at("action"), "%s = %v", t.name("action"), err)
	}
	rule.Action = a

	code := ""
	t.text("code", &code)
	if _, ok := t.raw["code"]; ok && err == nil {
		if rule.Code, err = policy.ParseCode(code, a); err != nil {
			t.r.bad(t.at("code"), "%s = %v", t.name("code"), err)
		}
	}
	t.text("text", &rule.Text)
	if want := badText(rule.Text); want != "" {
		t.bad("text", rule.Text, want)
	}
	if rule.Text == "" && a != policy.DUNNO {
		rule.Text = rule.Name + ", [{client}]"
	}
}

// badText says what is wrong with the text of a rule.
func badText(text string) string {
	switch {
	case len(text) > maxText || !printable(text):
		return fmt.Sprintf("want at most %d printable ASCII characters", maxText)
	case text != "" && '0' <= text[0] && text[0] <= '9':
		return "begins with a number, which Postfix may take for a code; codes go into code"
	}
	rest := text
	for _, known := range policy.Texts() {
		rest = strings.ReplaceAll(rest, known, "")
	}
	if strings.ContainsAny(rest, "{}") {
		return "unknown placeholder; known are " + strings.Join(policy.Texts(), ", ")
	}
	return ""
}

// entries reads a table of conditions.
func (r *reader) entries(t *table) policy.Table {
	var entries policy.Table
	for _, key := range policy.EntryKeys() {
		wrong := len(r.problems)
		values := t.list(key)
		if _, ok := t.raw[key]; !ok {
			continue
		}
		if len(values) == 0 {
			if len(r.problems) > wrong {
				continue // which says why
			}
			t.bad(key, t.raw[key], "holds nothing, so the entry never holds")
			continue
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.text
		}
		entry, errs := policy.NewEntry(key, texts, t.written(key))
		for _, e := range errs {
			r.badValue(values[e.Index], e.Err)
		}
		for _, v := range values {
			if why := policy.Misread(key, v.text); why != "" {
				r.doubtfulValue(v, why)
			}
		}
		entries = append(entries, entry)
	}
	t.end()
	return entries
}

// reachable notes a rule that no request can come to.
func (r *reader) reachable(t *table, rule *policy.Rule, before []policy.Rule) {
	for i := range before {
		if before[i].Shadows(rule) {
			r.bad(t.path, "%scan never be reached: rule %q before it holds whenever it does", t.shown, before[i].Name)
			return
		}
	}
}
