package doctor

import (
	"slices"
	"strings"
)

// separators are those of lists of restrictions.
const separators = ", \t\r\n"

// splitList parts a list at separators that are not within braces, as Postfix's
// mystrtokq does.
func splitList(text, separators string) []string {
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

// takesArgument says that the word behind a restriction belongs to it.
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

const (
	callName  = "check_policy_service"
	warnFirst = "warn_if_reject"
)

// unit is one restriction as written, with its argument and what comes before it,
// or the name of a parameter that holds some.
type unit []string

func (u unit) String() string { return strings.Join(u, " ") }

// units parts a list into what may be moved as a whole.
func units(value string) []unit {
	var list []unit
	words := splitList(value, separators)
	for len(words) > 0 {
		n := 1
		for n < len(words) && strings.EqualFold(words[n-1], warnFirst) {
			n++
		}
		if takesArgument(strings.ToLower(words[n-1])) && n < len(words) {
			n++
		}
		list = append(list, unit(words[:n]))
		words = words[n:]
	}
	return list
}

// step is one restriction in force.
type step struct {
	name  string // lower case
	arg   string
	warn  bool   // only to be logged
	unit  int    // the unit of the list that it came from
	class string // the innermost class that it stands in
}

// maxSteps bounds a list with its classes, what is in none counted too: one may
// hold another twice.
const maxSteps = 5000

// steps are what a list comes to: names expanded, classes in their place.
func (p params) steps(list []unit) []step {
	e := expander{params: p, classes: splitList(p.expand(p["smtpd_restriction_classes"]), separators)}
	for i, u := range list {
		e.add(u, step{unit: i})
	}
	return e.steps
}

// expander puts steps together.
type expander struct {
	params  params
	classes []string
	within  []string // the classes that are being expanded
	seen    int
	steps   []step
}

// add adds what a unit comes to; from says where it stands. A class within itself
// is left as it is.
func (e *expander) add(u unit, from step) {
	for _, u := range units(e.params.expand(u.String())) {
		s := from
		for len(u) > 1 && strings.EqualFold(u[0], warnFirst) {
			s.warn = true
			u = u[1:]
		}
		if e.seen++; e.seen > maxSteps {
			return
		}
		class := u[0]
		if slices.Contains(e.classes, class) && !slices.Contains(e.within, class) && len(e.within) < maxDepth {
			s.class = class
			e.within = append(e.within, class)
			for _, inner := range units(e.params[class]) {
				e.add(inner, s)
			}
			e.within = e.within[:len(e.within)-1]
			continue
		}
		s.name = strings.ToLower(u[0])
		if len(u) > 1 {
			s.arg = u[1]
		}
		e.steps = append(e.steps, s)
	}
}
