package report

import (
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
	rule := policy.Rule{Exempt: true, When: policy.Table{e}}
	with := *config.Rules
	with.List = slices.Insert(slices.Clone(with.List), 0, rule)
	for _, c := range all {
		if !c.passes(&with) {
			return ""
		}
	}
	var b strings.Builder
	config.WriteRule(&b, &rule)
	return b.String()
}

// passes says that the client's refused decisions would have passed under some
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
