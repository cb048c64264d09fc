package doctor

import (
	"fmt"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// checkUsers looks whether our own hosts and users are let pass before the call.
func checkUsers(x *examination, c *call) []Finding {
	if c.dead || c.kind != maincf.MX && c.kind != maincf.Submission {
		return nil
	}
	switch missing, later := c.permitsMissing(); {
	case len(later) > 0:
		return []Finding{x.beforePermit(c, later)}
	case len(missing) > 0:
		return []Finding{x.noPermit(c, missing)}
	}
	return nil
}

// permitsMissing are the permits for our own hosts and users that do not stand
// before the call, and those of them that stand behind it. Where the call itself is
// out of place they do not matter.
func (c *call) permitsMissing() (missing, later []string) {
	if c.Name == "data" || c.Name == "end_of_data" {
		return nil, nil
	}
	for _, name := range smtpd.OwnFirst() {
		is := func(s maincf.Step) bool { return s.Name == name && !s.Warn }
		switch {
		case slices.ContainsFunc(c.before(), is):
		case slices.ContainsFunc(c.steps[c.at:], is):
			missing, later = append(missing, name), append(later, name)
		default:
			missing = append(missing, name)
		}
	}
	return missing, later
}

func (x *examination) beforePermit(c *call, later []string) Finding {
	f := Finding{
		"call.before-permit", Warning, fmt.Sprintf("Called before %s in %s (%s)", and(later), c.Param, c.names()),
		"Your own hosts and users are asked about too.", x.rewire(c.place),
	}
	if x.v.Builtin {
		f.Why += " The built-in rules let those who logged in and own and private addresses pass, but each costs a request; an address that only Postfix knows to be yours is judged."
	} else {
		f.Why += " The configuration has rules of its own: one of them may refuse a laptop for its name."
	}
	return f
}

// noPermit is about lists without what lets own clients pass, which is usual in
// client restrictions.
func (x *examination) noPermit(c *call, missing []string) Finding {
	level := Info
	if !x.v.Builtin {
		level = Warning
	}
	return Finding{
		"call.no-permit", level, fmt.Sprintf("%s has no %s before the call (%s)", c.Param, and(missing), c.names()),
		"Your own hosts and users are asked about too. The built-in rules let them pass; rules of your own have to do so themselves: { authenticated = true }, { client = [\"loopback\", \"private\", \"own\"] }.",
		x.completed(c),
	}
}

// completed is the command that puts before a call all that it would be better to
// have there, so that of two findings about it one does not undo the other.
func (x *examination) completed(c *call) []string {
	missing, later := c.permitsMissing()
	if len(later) > 0 {
		missing = nil // rewire moves them
	}
	if x.asksOfUnlisted(c) {
		missing = append(missing, "reject_unlisted_recipient")
	}
	return x.rewireWith(c.place, missing)
}
