package smtpd

import (
	"slices"
	"strings"
)

// WithoutSpaces is a list as "postconf -P" takes it, which has no white space. It
// is not ok if a value within braces needs some.
func WithoutSpaces(list []Unit) (flat string, ok bool) {
	var words []string
	for _, u := range list {
		for _, word := range Split(u.String(), Separators) {
			if inner, braces := Unbrace(word); braces {
				word = "{" + strings.Join(Split(inner, Separators), ",") + "}"
			}
			words = append(words, word)
		}
	}
	flat = strings.Join(words, ",")
	return flat, !strings.ContainsAny(flat, " \t\r\n")
}

// Alone are units of one word each.
func Alone(names []string) []Unit {
	var list []Unit
	for _, n := range names {
		list = append(list, Unit{n})
	}
	return list
}

// OwnFirst are the restrictions that let our own hosts and users pass, and others
// behind them.
func OwnFirst(names ...string) []string {
	return append([]string{"permit_mynetworks", "permit_sasl_authenticated"}, names...)
}

// Hoist moves what lets own clients pass from behind a permit for all to before
// it, so that the call can stand between them.
func Hoist(list []Unit, at int, end Result) ([]Unit, int) {
	if end != Permit {
		return list, at
	}
	for i := at; i < len(list); i++ {
		if name := strings.ToLower(list[i][0]); len(list[i]) == 1 && slices.Contains(OwnFirst(), name) {
			u := list[i]
			list = slices.Insert(slices.Delete(list, i, i+1), at, u)
			at++
		}
	}
	return list, at
}

// Guarded is a list that refuses to relay before at, for all but own clients.
func Guarded(list []Unit, at int) ([]Unit, int) {
	for _, name := range OwnFirst("reject_unauth_destination") {
		is := func(u Unit) bool { return len(u) == 1 && strings.EqualFold(u[0], name) }
		if slices.ContainsFunc(list[:at], is) {
			continue
		}
		if i := slices.IndexFunc(list, is); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
		list = slices.Insert(list, at, Unit{name})
		at++
	}
	return list, at
}

// RefusesRelay reports whether the restriction refuses recipients that are not
// ours.
func RefusesRelay(name string) bool {
	return name == "reject_unauth_destination" || name == "defer_unauth_destination"
}
