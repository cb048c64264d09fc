package report

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// pasteFor is the rule that lets some clients pass: by names that all their
// refused decisions have proved, or else by their addresses. It is empty if
// neither does.
func pasteFor(all []*candidate, config *Config) string {
	var names, addrs []string
	for _, c := range all {
		addrs = append(addrs, c.client.String())
		if c.name != "" && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	sure := !slices.ContainsFunc(all, func(c *candidate) bool { return c.name == "" })
	if sure {
		if text := pasteBy("ptr_name", names, all, config); text != "" {
			return text
		}
	}
	return pasteBy("client", addrs, all, config)
}

// pasteBy is a rule with these values of a key, if all clients pass under it.
func pasteBy(key string, values []string, all []*candidate, config *Config) string {
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		return ""
	}
	name := "let " + values[0] + " pass"
	if len(values) > 1 {
		name = "let " + values[0] + " and others pass"
	}
	rule := policy.Rule{Name: ruleName(config.Rules, name), When: policy.Table{e}}
	at, where := placeFor(all, config)
	with := *config.Rules
	with.List = slices.Insert(slices.Clone(with.List), at, rule)
	for _, c := range all {
		if !c.passes(&with) {
			return ""
		}
	}
	var b strings.Builder
	b.WriteString(where)
	config.WriteRule(&b, &rule)
	return b.String()
}

// placeFor is where a rule has to stand to come before all that refused some
// clients, and before no more than that: what stands before may need the DNS, and
// in doubt it makes rejects of those behind it defers.
func placeFor(all []*candidate, config *Config) (at int, where string) {
	list := config.Rules.List
	at = len(list)
	for _, c := range all {
		for _, s := range c.samples {
			i := slices.IndexFunc(list, func(r policy.Rule) bool { return r.Name == s.refusal.Rule })
			at = min(at, max(i, 0))
		}
	}
	own := len(list) - len(policy.Builtin())
	switch {
	case config.Builtin:
		// A rule of one's own replaces the built-in ones.
		return 0, "# at the top of the file, so that the built-in rules follow\ndefault_rules = true\n\n"
	case own > 0 && at >= own && endsWithBuiltin(list):
		return own, "# behind your own rules: the built-in ones follow\n"
	case at == len(list):
		return at, "" // nothing refused them
	}
	return at, fmt.Sprintf("# before rule %q\n", list[at].Name)
}

// endsWithBuiltin reports whether the built-in rules follow others.
func endsWithBuiltin(list []policy.Rule) bool {
	builtin := policy.Builtin()
	return slices.EqualFunc(list[len(list)-len(builtin):], builtin, func(a, b policy.Rule) bool { return a.Name == b.Name })
}

// maxRuleName is the longest name of a rule that a configuration takes.
const maxRuleName = 100

// ruleName makes a name that no other rule has.
func ruleName(rules *policy.Rules, name string) string {
	if len(name) > maxRuleName-4 {
		name = name[:maxRuleName-4]
	}
	unique := name
	for n := 2; slices.ContainsFunc(rules.List, func(r policy.Rule) bool { return r.Name == unique }); n++ {
		unique = fmt.Sprintf("%s %d", name, n)
	}
	return unique
}

// passes reports whether the client's refused decisions would have passed under some
// rules, and that what only observed them would not have done so.
func (c *candidate) passes(rules *policy.Rules) bool {
	for _, s := range c.samples {
		r, err := journal.Parse([]byte(s.text))
		if err != nil {
			return false // it was read before
		}
		d := rules.Judge(&r.Request, &r.Facts)
		if d.Undetermined || d.Decided != policy.DUNNO || slices.Contains(d.Would, s.refusal) {
			return false
		}
	}
	return len(c.samples) > 0
}
