package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// exemptions reads [[exempt]] tables: each one more exemption, or the name of a built-in
// one and off = true.
func (r *reader) exemptions(tables []document.Table, s *ruleSet) {
	for i := range tables {
		rule, off, ok := r.exemption(&tables[i])
		switch {
		case !ok:
		case off:
			r.exemptOff(&tables[i], rule.Name, s)
		default:
			s.exempt = append(s.exempt, rule)
			s.exemptFrom = append(s.exemptFrom, r.exemptOrigin(&tables[i], Exempt))
		}
	}
}

func (r *reader) exemptOrigin(t *document.Table, source Source) Origin {
	return Origin{Source: source, File: r.File, Line: r.Lines.At(t.Path), path: t.Path, shown: t.Shown}
}

// exemptOff switches a built-in exemption off.
func (r *reader) exemptOff(t *document.Table, name string, s *ruleSet) {
	i := slices.IndexFunc(s.exempt, func(e policy.Rule) bool { return e.Name == name })
	if i < 0 || s.exemptFrom[i].Source != BuiltinExempt {
		r.Doubtful(t.Path, "%soff: there is no built-in exemption of that name", t.Shown)
		return
	}
	s.off = append(s.off, s.exempt[i])
	s.exempt, s.exemptFrom = slices.Delete(s.exempt, i, i+1), slices.Delete(s.exemptFrom, i, i+1)
}

// exemption reads one [[exempt]]. ok: nothing is wrong with it.
func (r *reader) exemption(t *document.Table) (rule policy.Rule, off, ok bool) {
	wrong := r.Wrong()
	rule.Exempt = true
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(t.Path, "exempt["), "]"))
	t.Shown = fmt.Sprintf("exempt[%d]: ", n+1)
	if t.Text("name", &rule.Name); rule.Name != "" {
		t.Shown = fmt.Sprintf("exempt[%d] %q: ", n+1, rule.Name)
	}
	if len(rule.Name) > maxName || !printable(rule.Name) {
		t.Bad("name", rule.Name, "want at most 100 printable ASCII characters")
	}
	if off = r.off(t); off {
		return rule, true, r.Wrong() == wrong
	}
	r.when(t, &rule)
	if end, ok := r.entry(t, "until"); ok {
		if len(end.Written) > 1 {
			t.Bad("until", t.Raw["until"], "want one date, or time")
		}
		if rule.When.Has("until") {
			t.Bad("until", t.Raw["until"], "stands in when already; want it once")
		}
		rule.When = append(rule.When, end)
	}
	t.Text("why", &rule.Why)
	if len(rule.Why) > maxText || !printable(rule.Why) {
		t.Bad("why", rule.Why, fmt.Sprintf("want one line, of at most %d printable ASCII characters", maxText))
	}
	t.End()
	if r.Wrong() > wrong {
		return rule, false, false
	}
	if asksNothing(rule.When) {
		r.Bad(t.Path, "%swhen: want an entry that tells which clients are meant: without one all of them are exempt", t.Shown)
		return rule, false, false
	}
	if rule.Name == "" {
		rule.Name = exemptName(rule.When)
	}
	return rule, false, true
}

// exemptName is what the log calls an exemption without a name: what it asks for first.
func exemptName(t policy.Table) string {
	name := t[0].Key + " " + t[0].Written[0]
	if !printable(name) {
		name = strconv.QuoteToASCII(name)
	}
	return name[:min(len(name), maxName)]
}

// maxExemptFile bounds exempt_file, in bytes.
const maxExemptFile = 16 << 20

// listed reads the exemptions of exempt_file. One that is absent holds none.
func (r *reader) listed(c *Config, s *ruleSet) {
	if c.ExemptFile == "" {
		return
	}
	shown := c.ExemptFile // as messages name it
	if !filepath.IsAbs(shown) {
		shown = filepath.Join(r.Dir, shown)
		// Whole, since it is read again, of a configuration too that has a relative path.
		c.ExemptFile = absolute(shown)
	}
	if r.File != "" && listening.RealPath(c.ExemptFile) == listening.RealPath(absolute(r.File)) {
		r.Bad("exempt_file", "exempt_file = %q: is the configuration itself: want a file of its own", shown)
		return
	}
	text, err := document.ReadBounded(c.ExemptFile, maxExemptFile)
	var perr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case errors.Is(err, syscall.EISDIR):
		r.Bad("exempt_file", "exempt_file = %q: is a folder: want a file, such as %q", shown, filepath.Join(shown, "exempt.toml"))
		return
	case errors.As(err, &perr):
		err = perr.Err // the path is told
		fallthrough
	case err != nil:
		r.Bad("exempt_file", "exempt_file = %q: %v", shown, err)
		return
	}
	of := newReader(shown, text)
	rules, from, err := of.onlyExempt()
	if err != nil {
		of.Problems = append(of.Problems, err.(document.Problem))
	}
	r.Problems = append(r.Problems, of.Problems...)
	r.Warnings = append(r.Warnings, of.Warnings...)
	s.listed, s.listedFrom = rules, from
	for i := range rules {
		s.sum += ruleText(&rules[i])
	}
	if strings.Contains(s.sum, `"@`) {
		s.sum += string(of.Sum.Sum(nil)) // lists have changed, perhaps
	}
}

// onlyExempt reads a file of [[exempt]] tables alone.
func (r *reader) onlyExempt() (rules []policy.Rule, from []Origin, err error) {
	root, err := r.Decode()
	if err != nil {
		return nil, nil, err
	}
	tables := root.Blocks("exempt")
	for i := range tables {
		rule, off, ok := r.exemption(&tables[i])
		switch {
		case !ok:
		case off:
			r.Bad(tables[i].Path, "%soff: belongs into the configuration; here stand exemptions that are in force", tables[i].Shown)
		default:
			rules, from = append(rules, rule), append(from, r.exemptOrigin(&tables[i], Listed))
		}
	}
	root.End()
	for _, u := range r.Unknown {
		hint := "here stand [[exempt]] tables alone"
		near, ok := plain.Nearest(u.Key, u.Table.Known)
		switch {
		case ok:
			hint = "did you mean " + header(&u.Table, near) + "?"
		case u.Table.Path != "":
			hint = "known are " + strings.Join(u.Table.Known, ", ")
		}
		r.Bad(u.Table.At(u.Key), "%s: unknown key (%s)", u.Table.Name(u.Key), hint)
	}
	return rules, from, nil
}

// ParseExempt reads the exemptions of a text that may be exempt_file's, and the line
// that each begins on. The error is as [Load]'s.
func ParseExempt(path string, text []byte) (rules []policy.Rule, from []Origin, err error) {
	r := newReader(path, text)
	rules, from, err = r.onlyExempt()
	if err == nil && len(r.Problems) > 0 {
		err = document.Join(r.Problems)
	}
	return rules, from, err
}

// Exempting is the configuration with the exemptions of exempt_file as the file is now.
// All else is as it was, the hash too. The error is as [Load]'s.
func (c *Config) Exempting() (*Config, error) {
	r := newReader(c.Path, nil)
	var s ruleSet
	r.listed(c, &s)
	if len(r.Problems) > 0 {
		return nil, document.Join(r.Problems)
	}
	now, rules := *c, *c.Rules
	rules.List = slices.Replace(slices.Clone(rules.List), c.listed[0], c.listed[1], s.listed...)
	now.Origins = slices.Replace(slices.Clone(c.Origins), c.listed[0], c.listed[1], s.listedFrom...)
	now.listed[1] = c.listed[0] + len(s.listed)
	rules.Prepare()
	now.Rules, now.sum = &rules, s.sum
	return &now, nil
}

// Listed tells what exempt_file and the lists that it names held from what they hold
// otherwise.
func (c *Config) Listed() string { return c.sum }

// FewerListed reports whether exempt_file has lost any of the exemptions that it had in a
// configuration of before.
func (c *Config) FewerListed(before *Config) bool {
	now := map[string]int{}
	for i := c.listed[0]; i < c.listed[1]; i++ {
		now[ruleText(&c.Rules.List[i])]++
	}
	for i := before.listed[0]; i < before.listed[1]; i++ {
		text := ruleText(&before.Rules.List[i])
		if now[text]--; now[text] < 0 {
			return true
		}
	}
	return false
}

func ruleText(r *policy.Rule) string {
	var b strings.Builder
	WriteRule(&b, r)
	return b.String()
}

// BuiltinExempt reports whether a built-in exemption is in force.
func (c *Config) BuiltinExempt(name string) bool {
	for i := range c.Origins {
		if c.Origins[i].Source == BuiltinExempt && c.Rules.List[i].Name == name {
			return true
		}
	}
	return false
}

// OwnRules reports whether the file has rules of its own, or other rules than the
// built-in ones for another reason.
func (c *Config) OwnRules() bool {
	n := 0
	for i := range c.Origins {
		switch c.Origins[i].Source {
		case Own, Changed:
			return true
		case Builtin:
			n++
		}
	}
	return n == 0 || !c.defaultRules
}
