package smtpd

import "strings"

// Separators are those of lists of restrictions.
const Separators = ", \t\r\n"

// Split parts a list at separators that are not within braces, as Postfix's
// mystrtokq does.
func Split(text, separators string) []string {
	var words []string
	level, start := 0, -1
	for i := range len(text) {
		c := text[i]
		if strings.IndexByte(separators, c) >= 0 && level <= 0 {
			if start >= 0 {
				words = append(words, text[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start, level = i, 0
		}
		switch c {
		case '{':
			level++
		case '}':
			level--
		}
	}
	if start >= 0 {
		words = append(words, text[start:])
	}
	return words
}

// Closing is the place of the bracket that closes the first byte, which is an
// opening one; -1: none does.
func Closing(text string) int {
	open := text[0]
	shut := map[byte]byte{'{': '}', '(': ')'}[open]
	level := 0
	for i := range len(text) {
		switch text[i] {
		case open:
			level++
		case shut:
			if level--; level == 0 {
				return i
			}
		}
	}
	return -1
}

// Unbrace takes the braces around text away, and white space.
func Unbrace(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || Closing(text) != len(text)-1 {
		return text, false
	}
	return strings.TrimSpace(text[1 : len(text)-1]), true
}

// The names of restrictions that are asked for elsewhere.
const (
	CallName  = "check_policy_service"
	WarnFirst = "warn_if_reject"
)

// Unit is one restriction as written, with its argument and what comes before it,
// or the name of a parameter that holds some.
type Unit []string

func (u Unit) String() string { return strings.Join(u, " ") }

// Units parts a list into what may be moved as a whole.
func Units(value string) []Unit {
	var list []Unit
	words := Split(value, Separators)
	for len(words) > 0 {
		n := 1
		for n < len(words) && strings.EqualFold(words[n-1], WarnFirst) {
			n++
		}
		if takesArgument(strings.ToLower(words[n-1])) && n < len(words) {
			n++
		}
		list = append(list, Unit(words[:n]))
		words = words[n:]
	}
	return list
}

// CutWarn takes warn_if_reject away from the front, however often it is there.
func (u Unit) CutWarn() (rest Unit, warn bool) {
	for len(u) > 1 && strings.EqualFold(u[0], WarnFirst) {
		u, warn = u[1:], true
	}
	return u, warn
}

// takesArgument reports whether the word behind a restriction belongs to it.
func takesArgument(name string) bool {
	switch name {
	case "check_relay_domains", "check_recipient_maps": // obsolete
		return false
	case "sleep", "permit_dnswl_client", "permit_rhswl_client":
		return true
	}
	for _, prefix := range []string{"check_", "reject_rbl", "reject_rhsbl"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
