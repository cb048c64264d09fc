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
	for _, c := range all {
		if !c.passes(config.Rules, rule) {
			return ""
		}
	}
	return pasteText(config, &rule)
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

// passes says that the client's refused decisions would have passed, and none
// been objected to, with a rule before all others.
func (c *candidate) passes(rules *policy.Rules, first policy.Rule) bool {
	with := *rules
	with.List = append([]policy.Rule{first}, rules.List...)
	for _, s := range c.samples {
		r, err := journal.Parse([]byte(s.text))
		if err != nil {
			return false // it was read before
		}
		d := with.Judge(&r.Request, &r.Facts)
		if d.Open || d.Decided != policy.DUNNO || slices.ContainsFunc(d.Would, refuses) {
			return false
		}
	}
	return len(c.samples) > 0
}

func pasteText(config *Config, rule *policy.Rule) string {
	var b strings.Builder
	if config.Builtin {
		// A rule of one's own replaces the built-in ones.
		b.WriteString("# at the top of the file, so that the built-in rules follow\ndefault_rules = true\n\n")
	}
	b.WriteString("# before all other rules\n")
	config.WriteRule(&b, rule)
	return b.String()
}
