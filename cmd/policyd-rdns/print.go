package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"policyd-rdns/policy"
)

func itoa(i int) string { return strconv.Itoa(i) }

// writeRule writes a rule as TOML that can be pasted into a file.
func writeRule(w io.Writer, r *policy.Rule) {
	fmt.Fprintf(w, "[[rule]]\nname   = %s\n", tomlString(r.Name))
	if len(r.When) > 0 {
		fmt.Fprintf(w, "when   = %s\n", tomlTable(r.When))
	}
	switch len(r.Unless) {
	case 0:
	case 1:
		fmt.Fprintf(w, "unless = %s\n", tomlTable(r.Unless[0]))
	default:
		tables := make([]string, len(r.Unless))
		for i, t := range r.Unless {
			tables[i] = tomlTable(t)
		}
		fmt.Fprintf(w, "unless = [%s]\n", strings.Join(tables, ", "))
	}
	fmt.Fprintf(w, "action = %q\n", r.Action.String())
	if code := r.Code.String(); code != "" {
		fmt.Fprintf(w, "code   = %q\n", code)
	}
	if r.Text != "" {
		fmt.Fprintf(w, "text   = %s\n", tomlString(r.Text))
	}
	if r.Observe {
		fmt.Fprintf(w, "mode   = %q\n", policy.Observe.String())
	}
	if r.Percent != 0 {
		fmt.Fprintf(w, "percent = %d\n", r.Percent)
	}
}

func tomlTable(t policy.Table) string {
	if len(t) == 0 {
		return "{}"
	}
	entries := make([]string, len(t))
	for i, e := range t {
		entries[i] = e.Key + " = " + tomlValues(&e)
	}
	return "{ " + strings.Join(entries, ", ") + " }"
}

func tomlValues(e *policy.Entry) string {
	bare := e.Bare()
	shown := make([]string, len(e.Written))
	for i, v := range e.Written {
		if shown[i] = v; !bare {
			shown[i] = tomlString(v)
		}
	}
	if len(shown) == 1 {
		return shown[0]
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// tomlString is a TOML basic string. It escapes all but printable ASCII.
func tomlString(s string) string {
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

// paint writes in colours, if there is a terminal to show them.
type paint bool

func (p paint) as(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string   { return p.as("1", s) }
func (p paint) red(s string) string    { return p.as("31", s) }
func (p paint) yellow(s string) string { return p.as("33", s) }
func (p paint) green(s string) string  { return p.as("32", s) }
func (p paint) dim(s string) string    { return p.as("2", s) }

// truth paints how true a rule is.
func (p paint) truth(t policy.Truth) string {
	switch t {
	case policy.Yes:
		return p.green(t.String())
	case policy.Unknown:
		return p.yellow(t.String())
	case policy.NotReached:
		return p.dim(t.String())
	}
	return t.String()
}

// action paints a word by what an action means for the sender.
func (p paint) action(a policy.Action, s string) string {
	switch {
	case a.Permanent():
		return p.red(s)
	case a.Refuses():
		return p.yellow(s)
	}
	return p.green(s)
}
