package maincf

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Named is a list with the classes that call a policy service and that the list does
// not name itself, behind the first restriction that may: a table, or else another
// policy service. text is that of a table that could be read.
func (p Params) Named(list []Step, text func(table string) (string, bool)) []Step {
	for _, class := range p.Classes() {
		inner := p.Steps([]smtpd.Unit{{class}})
		if slices.ContainsFunc(list, func(s Step) bool { return s.Class == class }) ||
			!slices.ContainsFunc(inner, func(s Step) bool { return s.Name == smtpd.CallName }) {
			continue
		}
		at := naming(list, class, text)
		if at < 0 {
			continue
		}
		by := &list[at]
		for i := range inner {
			inner[i].Unit, inner[i].Class, inner[i].Via = by.Unit, class, by.Name+" "+by.Arg
		}
		list = slices.Insert(list, at+1, inner...)
	}
	return list
}

// naming is the step that may name a class: a table that does, or else one that
// could not be read, or else a policy service, which may answer with it; -1: none.
func naming(list []Step, class string, text func(table string) (string, bool)) int {
	unread, service := -1, -1
	for i := range list {
		s := &list[i]
		switch {
		case s.Name == smtpd.CallName && s.Via == "":
			service = i
		case !strings.HasPrefix(s.Name, "check_") || s.Via != "":
		case strings.Contains(s.Arg, class):
			return i
		default:
			if t, ok := text(s.Arg); ok && slices.Contains(strings.Fields(t), class) {
				return i
			} else if !ok && !smtpd.Readable(s.Arg) {
				unread = i
			}
		}
	}
	if unread >= 0 {
		return unread
	}
	return service
}
