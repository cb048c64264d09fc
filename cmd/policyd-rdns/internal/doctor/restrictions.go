package doctor

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// step is one restriction in force.
type step struct {
	name  string // lower case
	arg   string
	warn  bool   // only to be logged
	unit  int    // the unit of the list that it came from
	class string // the innermost class that it stands in
	// via is the table, or the other policy service, that names the class for some
	// clients or recipients; empty: the list itself does.
	via string
}

// maxDepth bounds classes within classes.
const maxDepth = 20

// maxSteps bounds a list with its classes, what is in none counted too: one may
// hold another twice.
const maxSteps = 5000

// stepsOf are what a list comes to: names expanded, classes in their place.
func stepsOf(p maincf.Params, list []smtpd.Unit) []step {
	e := expanderOf(p)
	for i, u := range list {
		e.add(u, step{unit: i})
	}
	return e.steps
}

func expanderOf(p maincf.Params) expander {
	return expander{params: p, classes: smtpd.Split(p.Expand(p["smtpd_restriction_classes"]), smtpd.Separators)}
}

// addNamed adds the classes that call a policy service and that the list does not
// name itself, behind the first restriction that may: a table, or else another
// policy service. text is that of a table that could be read.
func (p *place) addNamed(text func(table string) (string, bool)) {
	e := expanderOf(p.params)
	for _, class := range e.classes {
		inner := stepsOf(p.params, []smtpd.Unit{{class}})
		if slices.ContainsFunc(p.steps, func(s step) bool { return s.class == class }) ||
			!slices.ContainsFunc(inner, func(s step) bool { return s.name == smtpd.CallName }) {
			continue
		}
		at := p.naming(class, text)
		if at < 0 {
			continue
		}
		by := &p.steps[at]
		for i := range inner {
			inner[i].unit, inner[i].class, inner[i].via = by.unit, class, by.name+" "+by.arg
		}
		p.steps = slices.Insert(p.steps, at+1, inner...)
	}
}

// naming is the step that may name a class: a table that does, or else one that
// could not be read, or else a policy service, which may answer with it; -1: none.
func (p *place) naming(class string, text func(table string) (string, bool)) int {
	unread, service := -1, -1
	for i := range p.steps {
		s := &p.steps[i]
		switch {
		case s.name == smtpd.CallName && s.via == "":
			service = i
		case !strings.HasPrefix(s.name, "check_") || s.via != "":
		case strings.Contains(s.arg, class):
			return i
		default:
			if t, ok := text(s.arg); ok && slices.Contains(strings.Fields(t), class) {
				return i
			} else if !ok && !smtpd.Readable(s.arg) {
				unread = i
			}
		}
	}
	if unread >= 0 {
		return unread
	}
	return service
}

// expander puts steps together.
type expander struct {
	params  maincf.Params
	classes []string
	within  []string // the classes that are being expanded
	seen    int
	steps   []step
}

// add adds what a unit comes to; from says where it stands. A class within itself
// is left as it is.
func (e *expander) add(u smtpd.Unit, from step) {
	for _, u := range smtpd.Units(e.params.Expand(u.String())) {
		s := from
		for len(u) > 1 && strings.EqualFold(u[0], smtpd.WarnFirst) {
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
			for _, inner := range smtpd.Units(e.params[class]) {
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
