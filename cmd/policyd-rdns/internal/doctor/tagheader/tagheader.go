// Package tagheader is the header of a tag as Postfix's header_checks see it: which are
// ours, and which a stranger's.
package tagheader

import (
	"strings"

	"policyd-rdns/policy"
)

// header is that of a tag by these rules, as it begins.
func header(rules ...string) string { return (&policy.Decision{Tags: rules}).Header() }

// Examples are headers as the daemon adds them by rules, and one as none of them makes.
func Examples(rules []string) (ours []string, foreign string) {
	const rest = "; name=proper; fcrdns=pass; helo=match"
	for _, name := range rules {
		ours = append(ours, header(name)+rest)
	}
	if len(rules) > 1 {
		ours = append(ours, header(rules...))
	}
	return ours, header("none of ours") + rest
}

// Harmless reports whether an action of header_checks(5) leaves the header where it is.
func Harmless(action string) bool {
	word, _, _ := strings.Cut(strings.ToUpper(action), " ")
	switch word {
	case "IGNORE", "STRIP", "REPLACE", "REJECT", "DISCARD":
		return false
	}
	return true
}

// Any is that of all headers of tags.
const Any = "^X-Policyd-Rdns:"

// Pattern is the regular expression of headers by these rules alone.
func Pattern(rules []string) string {
	names := make([]string, len(rules))
	for i, name := range rules {
		_, name, _ = strings.Cut(header(name), "rule=") // as it is written there
		names[i] = strings.Map(literal, name)
	}
	one := "(" + strings.Join(names, "|") + ")"
	return Any + " rule=" + one + "(, " + one + ")*(;|$)"
}

// literal makes any character of what has a meaning in regular expressions, ends one, or
// is not for a shell's line.
func literal(c rune) rune {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == ' ', c == '-', c == '_', c == ',':
		return c
	}
	return '.'
}
