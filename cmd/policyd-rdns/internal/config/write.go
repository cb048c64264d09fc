package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/lint"
)

// WriteRule writes a rule, or an exemption, as TOML that can be pasted at the end of
// any file.
func WriteRule(w io.Writer, r *policy.Rule) {
	if r.Exempt {
		writeExempt(w, r)
		return
	}
	fmt.Fprintf(w, "[[rule]]\nname   = %s\n", Quote(r.Name))
	writeWhen(w, r)
	fmt.Fprintf(w, "action = %q\n", r.Action.String())
	if code := r.Code.String(); code != "" {
		fmt.Fprintf(w, "code   = %q\n", code)
	}
	if r.Text != "" {
		fmt.Fprintf(w, "text   = %s\n", Quote(r.Text))
	}
	if r.Observe {
		fmt.Fprintf(w, "mode   = %q\n", policy.Observe.String())
	}
	if r.DeferFor != nil {
		fmt.Fprintf(w, "defer_for = %q\n", plain.DurationText(*r.DeferFor))
	}
	if r.Percent != 0 {
		fmt.Fprintf(w, "percent = %d\n", r.Percent)
	}
}

// WriteRules writes the rules in force, in their order, as a file that makes them, each
// with where it comes from.
func (c *Config) WriteRules(w io.Writer) {
	if !c.defaultRules {
		fmt.Fprint(w, "\ndefault_rules = false\n")
	}
	for i := range c.Rules.List {
		rule := &c.Rules.List[i]
		fmt.Fprintf(w, "\n# %d: %s\n", i+1, c.from(i))
		if s := c.Origins[i].Source; s != BuiltinExempt {
			if WriteRule(w, rule); s == Changed {
				writeTakenBack(w, rule)
			}
			if ofReverseDNS(rule) {
				fmt.Fprint(w, "#code   = \"550 5.7.25\"   # RFC 7372: reverse DNS validation failed\n")
			}
			continue
		}
		// It holds whatever a file says, and would stand there twice.
		var b strings.Builder
		WriteRule(&b, rule)
		for line := range strings.Lines(b.String()) {
			fmt.Fprint(w, "# "+line)
		}
	}
	for i := range c.off {
		head := "[[rule]]"
		if c.off[i].Exempt {
			head = "[[exempt]]"
		}
		fmt.Fprintf(w, "\n%s\nname   = %s\noff    = true\n", head, Quote(c.off[i].Name))
	}
}

// ofReverseDNS reports whether there is a code of its own for what a rule rejects (RFC 7372
// section 3), which the rule does not name.
func ofReverseDNS(r *policy.Rule) bool {
	return r.Action == policy.Reject && r.Code.String() == "" && (r.When.Has("ptr") || r.When.Has("fcrdns") && !r.When.Has("helo"))
}

// writeTakenBack writes what a changed rule has not, and the built-in one has.
func writeTakenBack(w io.Writer, r *policy.Rule) {
	for _, b := range builtin.Rules() {
		if b.Name != r.Name {
			continue
		}
		if b.Observe && !r.Observe {
			fmt.Fprintf(w, "mode   = %q\n", policy.Enforce.String())
		}
		if len(b.Unless) > 0 && len(r.Unless) == 0 {
			fmt.Fprint(w, "unless = []\n")
		}
	}
}

// from says where rule i comes from.
func (c *Config) from(i int) string {
	o := &c.Origins[i]
	at := fmt.Sprintf("%s:%d", o.File, o.Line)
	switch o.Source {
	case BuiltinExempt, Builtin:
		return "built-in"
	case Changed:
		return "built-in, changed by " + at
	case Own:
		if b := c.refusedBehind(i); b != "" {
			return fmt.Sprintf("%s; whom its unless spares, the built-in rule %q may refuse: an [[exempt]] spares him everywhere", at, b)
		}
	}
	return at
}

// refusedBehind is the first built-in rule behind rule i that may refuse whom the unless
// of that rule spares; empty: none, or it has no unless.
func (c *Config) refusedBehind(i int) string {
	rule := &c.Rules.List[i]
	if !rule.Action.Refuses() || rule.Observe {
		return ""
	}
	for j := i + 1; j < len(c.Rules.List); j++ {
		behind := &c.Rules.List[j]
		if s := c.Origins[j].Source; s != Builtin && s != Changed || behind.Observe || !behind.Action.Refuses() {
			continue
		}
		for _, spared := range rule.Unless {
			if lint.Contradiction(slices.Concat(rule.When, spared, behind.When)) == "" {
				return behind.Name
			}
		}
	}
	return ""
}

// writeExempt writes an exemption. Its end stands outside of when, where people look
// for it.
func writeExempt(w io.Writer, r *policy.Rule) {
	fmt.Fprintf(w, "[[exempt]]\n")
	if r.Name != "" {
		fmt.Fprintf(w, "name   = %s\n", Quote(r.Name))
	}
	of := *r
	var end *policy.Entry
	if last := len(r.When) - 1; last > 0 && r.When[last].Key == "until" && len(r.When[last].Written) == 1 {
		of.When, end = r.When[:last], &r.When[last]
	}
	writeWhen(w, &of)
	if end != nil {
		fmt.Fprintf(w, "until  = %s\n", Values(end))
	}
	if r.Why != "" {
		fmt.Fprintf(w, "why    = %s\n", Quote(r.Why))
	}
}

func writeWhen(w io.Writer, r *policy.Rule) {
	if len(r.When) > 0 {
		fmt.Fprintf(w, "when   = %s\n", writtenTable(r.When))
	}
	switch len(r.Unless) {
	case 0:
	case 1:
		fmt.Fprintf(w, "unless = %s\n", writtenTable(r.Unless[0]))
	default:
		tables := make([]string, len(r.Unless))
		for i, t := range r.Unless {
			tables[i] = writtenTable(t)
		}
		fmt.Fprintf(w, "unless = [%s]\n", strings.Join(tables, ", "))
	}
}

func writtenTable(t policy.Table) string {
	if len(t) == 0 {
		return "{}"
	}
	entries := make([]string, len(t))
	for i, e := range t {
		entries[i] = e.Key + " = " + Values(&e)
	}
	return "{ " + strings.Join(entries, ", ") + " }"
}

// Values is the value of an entry as TOML: as it was written, a list if there are
// several.
func Values(e *policy.Entry) string {
	bare := e.Bare()
	shown := make([]string, len(e.Written))
	for i, v := range e.Written {
		if shown[i] = v; !bare {
			shown[i] = Quote(v)
		}
	}
	if len(shown) == 1 {
		return shown[0]
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// Quote is a text as a TOML basic string. It escapes all but printable ASCII.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c >= ' ' && c <= '~':
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, "\\U%08X", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
