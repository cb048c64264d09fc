package maincf

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Step is one restriction in force.
type Step struct {
	Name  string // lower case
	Arg   string
	Warn  bool   // only to be logged
	Unit  int    // the unit of the list that it came from
	Class string // the innermost class that it stands in
	// Via is the table, or the other policy service, that names the class for some
	// clients or recipients; empty: the list itself does.
	Via string
}

// maxSteps bounds a list with its classes, what is in none counted too: one may
// hold another twice.
const maxSteps = 5000

// Steps are what a list comes to: names expanded, classes in their place.
func (p Params) Steps(list []smtpd.Unit) []Step {
	e := expander{params: p, classes: p.Classes()}
	for i, u := range list {
		e.add(u, Step{Unit: i})
	}
	return e.steps
}

// Classes are the names of the restriction classes.
func (p Params) Classes() []string {
	return smtpd.Split(p.Expand(p["smtpd_restriction_classes"]), smtpd.Separators)
}

// expander puts steps together.
type expander struct {
	params  Params
	classes []string
	within  []string // the classes that are being expanded
	seen    int
	steps   []Step
}

// add adds what a unit comes to; from says where it stands. A class within itself
// is left as it is.
func (e *expander) add(u smtpd.Unit, from Step) {
	for _, u := range smtpd.Units(e.params.Expand(u.String())) {
		s := from
		for len(u) > 1 && strings.EqualFold(u[0], smtpd.WarnFirst) {
			s.Warn = true
			u = u[1:]
		}
		if e.seen++; e.seen > maxSteps {
			return
		}
		class := u[0]
		if slices.Contains(e.classes, class) && !slices.Contains(e.within, class) && len(e.within) < maxDepth {
			s.Class = class
			e.within = append(e.within, class)
			for _, inner := range smtpd.Units(e.params[class]) {
				e.add(inner, s)
			}
			e.within = e.within[:len(e.within)-1]
			continue
		}
		s.Name = strings.ToLower(u[0])
		if len(u) > 1 {
			s.Arg = u[1]
		}
		e.steps = append(e.steps, s)
	}
}

// List is a list of restrictions with names expanded, and classes as they are.
type List struct {
	Units []smtpd.Unit
	From  []int // which unit as written each came from
}

// List expands the names in a list.
func (p Params) List(written []smtpd.Unit) List {
	var l List
	for i, u := range written {
		for _, u := range smtpd.Units(p.Expand(u.String())) {
			l.Units, l.From = append(l.Units, u), append(l.From, i)
		}
	}
	return l
}
