package hostname

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Organisation is the organisational domain of name, in lower case: its public
// suffix and one label more. It is "" if name is a public suffix itself or not
// a valid name. A suffix that no list has (.internal) is one label.
//
// The whole list counts, its private section too: those who rent a name below
// github.io or .compute.amazonaws.com are strangers to each other, and one must
// not be taken for the other.
func Organisation(name string) string {
	if !Valid(name) {
		return ""
	}
	name = Normal(name)
	suffix, _ := publicsuffix.PublicSuffix(name)
	if len(suffix) >= len(name) {
		return ""
	}
	rest := name[:len(name)-len(suffix)-1]
	return name[strings.LastIndexByte(rest, '.')+1:]
}

// Strangers reports whether two names, lower case and without final dot, are of two
// organisational domains for certain, by their last two labels, which every such
// domain has. It takes a tenth of what the list takes, for nearly all names.
func Strangers(a, b string) bool { return lastTwoLabels(a) != lastTwoLabels(b) }

// lastTwoLabels are the last two labels of a name.
func lastTwoLabels(name string) string {
	above := strings.LastIndexByte(name, '.')
	return name[strings.LastIndexByte(name[:max(above, 0)], '.')+1:]
}

// PublicSuffix reports whether strangers to each other have names below name, which is
// in lower case: it is on the public suffix list, in either section, or all that
// is right below it is (*.compute.amazonaws.com).
func PublicSuffix(name string) bool {
	listed := func(name string) bool {
		suffix, icann := publicsuffix.PublicSuffix(name)
		// What no list has (internal) counts there as a suffix of one label.
		return suffix == name && (icann || strings.Contains(name, "."))
	}
	return name != "" && (listed(name) || listed("any."+name))
}

// RegistrySuffix reports whether a public suffix is a registry's (com, co.uk),
// rather than of somebody who lets others have names below his own (dyndns.org).
func RegistrySuffix(name string) bool {
	_, icann := publicsuffix.PublicSuffix("any." + name)
	return icann && PublicSuffix(name)
}
