package report

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// paste is what lets some clients pass.
type paste struct {
	allow []string // commands, one for each name or address
	block string   // the same as an exemption for the end of a configuration file
}

// pasteFor is what lets some clients pass: by names that all their refused decisions
// have proved, or else by their addresses. It is empty if neither does.
func pasteFor(all []*candidate, config *Config) paste {
	var names, addrs []string
	for _, c := range all {
		addrs = append(addrs, c.client.String())
		if c.name != "" && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	sure := !slices.ContainsFunc(all, func(c *candidate) bool { return c.name == "" })
	if sure {
		if p := pasteBy("ptr_name", names, all, config); p.block != "" {
			return p
		}
	}
	return pasteBy("client", addrs, all, config)
}

// pasteBy exempts these values of a key, if all clients pass then.
func pasteBy(key string, values []string, all []*candidate, config *Config) (p paste) {
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		return p
	}
	rule := policy.Rule{Exempt: true, When: policy.Table{e}}
	with := *config.Rules
	with.List = slices.Insert(slices.Clone(with.List), 0, rule)
	for _, c := range all {
		if !c.passes(&with) {
			return p
		}
	}
	var b strings.Builder
	config.WriteRule(&b, &rule)
	p.block = b.String()
	for _, v := range values {
		p.allow = append(p.allow, exempt.Subject{Key: key, Value: v}.Command())
	}
	return p
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
