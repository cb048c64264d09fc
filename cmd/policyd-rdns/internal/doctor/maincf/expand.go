package maincf

import (
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Params are parameters by name, as written.
type Params map[string]string

// Bounds of an expansion: parameters that name each other in a circle, and those
// that double with each step.
const (
	maxDepth    = 20
	maxExpanded = 256 << 10 // bytes
)

// Expand replaces $name, ${name}, $(name), ${name?text}, ${name:text} and
// ${name?{text}:{text}} and comparisons as postconf(5) says; a name that is not
// known is empty.
func (p Params) Expand(text string) string {
	budget := maxExpanded
	return p.expandWithin(text, maxDepth, &budget)
}

func (p Params) expandWithin(text string, depth int, budget *int) string {
	if depth == 0 || !strings.Contains(text, "$") {
		*budget -= len(text)
		return text
	}
	var b strings.Builder
	for text != "" && *budget > 0 {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		*budget -= len(before)
		if !found {
			break
		}
		expr, rest := reference(after)
		switch {
		case expr == "" && strings.HasPrefix(rest, "$"): // "$$" is a dollar sign
			b.WriteByte('$')
			rest = rest[1:]
		case expr == "":
			b.WriteByte('$')
		default:
			b.WriteString(p.value(expr, depth-1, budget))
		}
		text = rest
	}
	return b.String()
}

// reference cuts what follows a dollar sign: a name, or an expression in braces
// or parentheses, which is given without them.
func reference(text string) (expr, rest string) {
	if text == "" {
		return "", ""
	}
	if text[0] == '{' || text[0] == '(' {
		end := smtpd.Closing(text)
		if end < 0 {
			return "", text
		}
		return text[1:end], text[end+1:]
	}
	end := 0
	for end < len(text) && isNameByte(rune(text[end])) && text[end] != '-' {
		end++
	}
	return text[:end], text[end:]
}

// value is that of an expression without its braces.
func (p Params) value(expr string, depth int, budget *int) string {
	expr = strings.TrimSpace(expr)
	name, rest := expr, ""
	if i := strings.IndexFunc(expr, func(c rune) bool { return !isNameByte(c) }); i >= 0 {
		name, rest = expr[:i], strings.TrimSpace(expr[i:])
	}
	set := p[name] != ""
	switch {
	case name == "":
		return p.comparison(expr, depth, budget)
	case rest == "":
		return p.expandWithin(p[name], depth, budget)
	case rest[0] == '?':
		yes, no := alternatives(rest[1:])
		if !set {
			yes = no
		}
		return p.expandWithin(yes, depth, budget)
	case rest[0] == ':' && !set:
		return p.expandWithin(StripBraces(rest[1:]), depth, budget)
	}
	return ""
}

// alternatives parts "{yes}:{no}"; without braces all of it is yes.
func alternatives(text string) (yes, no string) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '{' {
		return text, ""
	}
	end := smtpd.Closing(text)
	if end < 0 {
		return text, ""
	}
	rest, _ := strings.CutPrefix(strings.TrimSpace(text[end+1:]), ":")
	return text[1:end], StripBraces(rest)
}

func StripBraces(text string) string {
	if inner, ok := smtpd.Unbrace(text); ok {
		return inner
	}
	return text
}
