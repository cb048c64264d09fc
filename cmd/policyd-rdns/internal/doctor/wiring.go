package doctor

import (
	"fmt"
	"slices"
)

// checkRead says what of Postfix could not be read.
func checkRead(x *examination) []Finding {
	var all []Finding
	if why := x.m.Postfix.Unread; why != "" {
		all = append(all, Finding{
			"postfix.read", Error, "Postfix's configuration could not be read: " + brief(why),
			"Whether Postfix calls the daemon is not known. Run doctor where Postfix runs, as root, or hand it what postconf says there.",
			[]string{"{ postconf; postconf -M; } > postfix.txt", "policyd-rdns doctor --postconf postfix.txt"},
		})
	}
	if why := x.m.Postfix.MasterUnread; why != "" && x.m.Postfix.Unread == "" {
		all = append(all, Finding{
			"postfix.read-services", Info, "Postfix's services could not be read: " + brief(why),
			"What master.cf sets for single services (-o), their chroot and their number of processes are not looked at.",
			[]string{"# with the output of `postconf -M`: policyd-rdns doctor --postconf FILE --mastercf FILE"},
		})
	}
	return all
}

// live says that nothing in front of a call ends the list.
func (c *call) live() bool {
	return !slices.ContainsFunc(c.before(), func(s step) bool { return ends(s.name) && !s.warn })
}

// checkCalled looks for a call on every way in.
func checkCalled(x *examination) []Finding {
	if x.m.Postfix.Unread != "" {
		return nil
	}
	var without, with []*Service
	for _, s := range x.servicesOf(mx) {
		if x.isCalledFrom(s) {
			with = append(with, s)
		} else {
			without = append(without, s)
		}
	}
	var all []Finding
	if len(with) > 0 {
		all = append(all, Finding{ID: "call.found", Level: OK, Title: "Postfix calls the daemon: " + x.whereCalled()})
	}
	for _, s := range without {
		p := x.placeOf(s, "recipient")
		f := Finding{
			"call.missing", Error, "Postfix does not call the daemon from " + brief(s.String()),
			"Mail that comes in there is not judged." + x.nearMiss(s), x.rewire(p),
		}
		if x.callsInVain(s) {
			f.Why = "Mail that comes in there is not judged: see below why the call does not get there."
			f.Do = nil
		}
		if len(with) > 0 {
			f.Level = Warning
		}
		all = append(all, f)
	}
	return all
}

// servicesOf are the services of one kind.
func (x *examination) servicesOf(k kind) []*Service {
	var all []*Service
	for i := range x.places {
		if x.places[i].kind != k || x.places[i].name != "client" {
			continue
		}
		all = append(all, x.places[i].services...)
	}
	return all
}

func (x *examination) placeOf(s *Service, stage string) *place {
	i := slices.IndexFunc(x.places, func(p place) bool { return p.name == stage && slices.Contains(p.services, s) })
	return &x.places[i]
}

func (x *examination) isCalledFrom(s *Service) bool {
	return slices.ContainsFunc(x.ours, func(c call) bool { return slices.Contains(c.services, s) && x.arrives(&c) && c.name != "etrn" })
}

func (x *examination) callsInVain(s *Service) bool {
	return slices.ContainsFunc(x.ours, func(c call) bool { return slices.Contains(c.services, s) && !x.arrives(&c) })
}

// arrives says that Postfix comes to make the call, and that it is for where the
// daemon listens.
func (x *examination) arrives(c *call) bool {
	return c.live() && !slices.ContainsFunc(c.services, func(s *Service) bool { return !x.reaches(c, s) })
}

// whereCalled lists the stages and services of the calls.
func (x *examination) whereCalled() string {
	var all []string
	for i := range x.ours {
		c := &x.ours[i]
		if text := c.param + " of " + c.names(); x.arrives(c) && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return and(all)
}

// nearMiss says which other policy services are called instead, which may be
// this one at an old address.
func (x *examination) nearMiss(s *Service) string {
	var other []string
	for i := range x.others {
		if c := &x.others[i]; slices.Contains(c.services, s) && !slices.Contains(other, brief(c.endpoint.text)) {
			other = append(other, brief(c.endpoint.text))
		}
	}
	if len(other) == 0 {
		return ""
	}
	return fmt.Sprintf(" It calls %s, where the daemon does not listen; it listens on %s.", and(other), and(x.listening()))
}

// checkDead looks for calls that are never reached.
func checkDead(x *examination) []Finding {
	var all []Finding
	for i := range x.ours {
		c := &x.ours[i]
		j := slices.IndexFunc(c.before(), func(s step) bool { return ends(s.name) && !s.warn })
		if j < 0 {
			continue
		}
		all = append(all, Finding{
			"call.dead", Error, fmt.Sprintf("The call in %s is never reached: it stands behind %q (%s)", c.param, c.steps[j].name, c.names()),
			"That restriction decides for every client, so that Postfix looks at nothing behind it.",
			x.rewire(c.place),
		})
	}
	return all
}

// checkOrder looks at what comes before the call in recipient restrictions:
// whether relaying is refused first.
func checkOrder(x *examination) []Finding {
	var all []Finding
	for i := range x.ours {
		c := &x.ours[i]
		if c.name != "recipient" || !c.live() || slices.ContainsFunc(c.before(), func(s step) bool { return guardsRelay(s.name) && !s.warn }) {
			continue
		}
		if x.relayRefusedFirst(c.services[0]) {
			continue
		}
		later := slices.ContainsFunc(c.steps[c.at:], func(s step) bool { return guardsRelay(s.name) })
		f := Finding{
			"call.before-relay-check", Warning,
			fmt.Sprintf("Called before reject_unauth_destination in %s (%s)", c.param, c.names()),
			"Everybody who tries to relay through this host costs DNS look-ups and a line in the decision log, for mail that is refused anyway. It opens no relay: the daemon never answers OK.",
			x.rewire(c.place),
		}
		if v, _ := c.option("default_action"); later && actionLevel(v) == Error {
			f.Level = Error
			f.Why += " But default_action does while the daemon is down, and then lets anybody relay."
		}
		all = append(all, f)
	}
	return all
}

// relayRefusedFirst says that smtpd_relay_restrictions refuse strangers before
// recipient restrictions are looked at. The order was the other one by default
// before compatibility level 3.6.
func (x *examination) relayRefusedFirst(s *Service) bool {
	values := x.m.Postfix.with(s)
	first, known := values["smtpd_relay_before_recipient_restrictions"]
	if !known {
		first = "${{$compatibility_level} <level {3.6} ? {no} : {yes}}"
	}
	if values.expand(first) != "yes" {
		return false
	}
	return slices.ContainsFunc(x.placeOf(s, "relay").steps, func(s step) bool {
		return (guardsRelay(s.name) || ends(s.name) && s.name != "permit") && !s.warn
	})
}

// checkUsers looks whether our own hosts and users are let pass before the call.
func checkUsers(x *examination) []Finding {
	var all []Finding
	for i := range x.ours {
		c := &x.ours[i]
		if !c.live() || c.kind != mx && c.kind != submission {
			continue
		}
		var missing, later []string
		for _, name := range []string{"permit_mynetworks", "permit_sasl_authenticated"} {
			is := func(s step) bool { return s.name == name && !s.warn }
			switch {
			case slices.ContainsFunc(c.before(), is):
			case slices.ContainsFunc(c.steps[c.at:], is):
				missing, later = append(missing, name), append(later, name)
			default:
				missing = append(missing, name)
			}
		}
		switch {
		case len(later) > 0:
			all = append(all, x.beforePermit(c, later))
		case len(missing) > 0:
			all = append(all, x.noPermit(c, missing))
		}
	}
	return all
}

func (x *examination) beforePermit(c *call, later []string) Finding {
	f := Finding{
		"call.before-permit", Warning, fmt.Sprintf("Called before %s in %s (%s)", and(later), c.param, c.names()),
		"Your own hosts and users are asked about too.", x.rewire(c.place),
	}
	if x.v.Builtin {
		f.Why += " The built-in rules let those who logged in and own and private addresses pass, but each costs a question; an address that only Postfix knows to be yours is judged."
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
		"call.no-permit", level, fmt.Sprintf("%s has no %s before the call (%s)", c.param, and(missing), c.names()),
		"Your own hosts and users are asked about too. The built-in rules let them pass; rules of your own have to do so themselves: { authenticated = true }, { client = [\"loopback\", \"private\", \"own\"] }.",
		x.rewireWith(c.place, missing),
	}
}

func asUnits(names []string) []unit {
	var list []unit
	for _, n := range names {
		list = append(list, unit{n})
	}
	return list
}
