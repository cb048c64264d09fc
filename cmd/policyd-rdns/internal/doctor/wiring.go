package doctor

import (
	"fmt"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// checkRead says what of Postfix could not be read.
func checkRead(x *examination) []Finding {
	var all []Finding
	if why := x.m.Postfix.Unread; why != "" {
		all = append(all, Finding{
			"postfix.read", Error, "Postfix's configuration could not be read: " + brief(why),
			"Whether Postfix calls the daemon is not known. Run doctor where Postfix runs, as root, or hand it what postconf says there.",
			[]string{"{ postconf -x; postconf -M; } > postfix.txt", "policyd-rdns doctor --postconf postfix.txt"},
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

// checkCalled looks for a call on every way in. All is well if most mail of
// strangers that is accepted has been judged.
func checkCalled(x *examination) []Finding {
	if x.m.Postfix.Unread != "" {
		return nil
	}
	var without, with []*maincf.Service
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission) {
		w := x.ways[s]
		switch {
		case w.dies && x.means(s) || x.isBroken(s) || w.taken == 0 && !x.hasDead(s):
			// What there is to say is said of that; or it takes no mail of strangers.
		case w.taken > 0 && len(w.unjudged) == 0:
			with = append(with, s)
		case !x.byTable(s):
			without = append(without, s)
		}
	}
	var all []Finding
	if len(with) > 0 {
		all = append(all, Finding{ID: "call.found", Level: OK, Title: "Postfix calls the daemon: " + x.whereCalled(with)})
	}
	for _, s := range without {
		all = append(all, x.notCalled(s, len(with) > 0))
	}
	if len(all) == 0 && x.takesNobody() {
		all = append(all, Finding{
			"call.nobody", Error, "Postfix takes no mail of strangers, so that nobody is judged",
			"No service of master.cf is an smtpd for them, or a restriction refuses all.",
			[]string{"# doctor is for the Postfix that takes mail from the Internet; for one that does, see above all smtpd_client_restrictions and the services in master.cf"},
		})
	}
	return all
}

// takesNobody reports whether no service takes mail of strangers, as far as nothing
// else is said of them.
func (x *examination) takesNobody() bool {
	return !slices.ContainsFunc(x.servicesOf(maincf.MX, maincf.Submission), func(s *maincf.Service) bool {
		w := x.ways[s]
		return w.dies || w.taken > 0 || x.isBroken(s) || x.byTable(s)
	})
}

func (x *examination) notCalled(s *maincf.Service, elsewhere bool) Finding {
	w := x.ways[s]
	f := Finding{
		"call.missing", Error, "Postfix does not call the daemon from " + brief(s.String()),
		"Mail that comes in there is not judged." + x.nearMiss(s), nil,
	}
	if elsewhere {
		f.Level = Warning
	}
	if len(w.judged) > 0 {
		f.Level = Warning
		f.Title = fmt.Sprintf("Mail to %s that comes in at %s is not judged", brief(and(w.unjudged)), brief(s.String()))
		f.Why = "Something before the call lets it pass." + x.nearMiss(s)
	}
	if x.means(s) {
		f.Why = "Mail that comes in there is not judged: see below why the call does not get there."
		return f
	}
	f.Do = x.rewire(x.placeOf(s, "recipient"))
	return f
}

// isBroken reports whether what a service has of the daemon, or all mail, ends in
// an error of Postfix's configuration.
func (x *examination) isBroken(s *maincf.Service) bool {
	return x.ways[s].broken != "" ||
		slices.ContainsFunc(x.ours, func(c *call) bool { return slices.Contains(c.services, s) && (c.Bad != "" || c.silent != "") }) ||
		slices.ContainsFunc(x.others, func(c *call) bool { return slices.Contains(c.services, s) && c.Bad != "" })
}

// means reports whether a service has a call that is meant for the daemon.
func (x *examination) means(s *maincf.Service) bool {
	return slices.ContainsFunc(x.ours, func(c *call) bool { return c.Name != "etrn" && slices.Contains(c.services, s) })
}

func (x *examination) hasDead(s *maincf.Service) bool {
	return slices.ContainsFunc(x.ours, func(c *call) bool { return c.dead && slices.Contains(c.services, s) })
}

// byTable reports whether a table, or another policy service, decides for whom a
// service calls the daemon.
func (x *examination) byTable(s *maincf.Service) bool {
	return slices.ContainsFunc(x.ours, func(c *call) bool { return c.step().Via != "" && slices.Contains(c.services, s) && x.works(c, s) })
}

// checkByTable tells of calls that are for some.
func checkByTable(x *examination, c *call) []Finding {
	if c.step().Via == "" || x.ways[c.services[0]].unjudged == nil {
		return nil
	}
	return []Finding{{
		ID: "call.by-table", Level: Info,
		Title: fmt.Sprintf("The class %s calls the daemon, for some: %s decides for whom (%s)", brief(c.step().Class), brief(c.step().Via), c.names()),
		Why:   "Whoever that does not name the class for is not judged. What it says is not known here.",
	}}
}

// checkUnreadTables tells of what may end a list before the call, and is not known
// here.
func checkUnreadTables(x *examination) []Finding {
	var names []string
	for _, c := range x.ours {
		undetermined := x.ways[c.services[0]].undetermined
		if c.dead || c.kind != maincf.MX || len(undetermined) == 0 {
			continue
		}
		for _, s := range c.before() {
			if text := s.Name + " " + s.Arg; s.Via == "" && slices.Contains(undetermined, text) {
				names = withNew(names, text)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []Finding{{
		ID: "call.unread-table", Level: Info, Title: "What stands before the call and was not read: " + brief(and(names)),
		Why: "Whoever that says OK for is not judged. It is taken to be for a few.",
	}}
}

// checkDies looks for services whose smtpd ends for every client, because neither
// of the lists refuses relaying (postconf(5), smtpd_relay_restrictions).
func checkDies(x *examination) []Finding {
	if x.m.Postfix.Unread != "" {
		return nil
	}
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission, maincf.Internal) {
		if !x.ways[s].dies {
			continue
		}
		all = append(all, Finding{
			"postfix.relay", Error, "No mail comes in at " + brief(s.String()) + ": Postfix's smtpd ends for every client",
			"Neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses to relay for strangers, and without that Postfix does not serve (fatal: specify at least one working instance of reject_unauth_destination). Behind permit or warn_if_reject, or in a table, it does not count.",
			x.guard(s),
		})
	}
	return all
}

// checkBroken looks for what Postfix takes for a restriction that is none.
func checkBroken(x *examination) []Finding {
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX) {
		w := x.ways[s]
		if w.broken == "" || slices.ContainsFunc(x.ours, func(c *call) bool { return c.Bad != "" && c.place == w.brokenAt }) {
			continue // that is said of the call
		}
		p := w.brokenAt
		f := Finding{
			"postfix.restriction", Error, fmt.Sprintf("Postfix answers all mail with 451: %s in %s is none of its restrictions (%s)", brief(w.broken), p.Param, p.names()),
			"Its log says \"Server configuration error\". An argument without its restriction, or an action that this restriction does not take, is such a thing.",
			nil,
		}
		if u := p.units[w.brokenUnit]; w.isBroken(p, w.brokenUnit) {
			f.Do = x.repair(p)
		} else {
			f.Do = []string{"# take it out of " + brief(u.String()) + " in " + p.Param}
		}
		all = append(all, f)
	}
	return all
}

// servicesOf are the services of some kinds.
func (x *examination) servicesOf(kinds ...maincf.Kind) []*maincf.Service {
	var all []*maincf.Service
	for _, k := range kinds {
		for _, p := range x.places {
			if p.kind == k && p.Name == "client" {
				all = append(all, p.services...)
			}
		}
	}
	return all
}

func (x *examination) placeOf(s *maincf.Service, stage string) *place {
	i := slices.IndexFunc(x.places, func(p *place) bool { return p.Name == stage && slices.Contains(p.services, s) })
	return x.places[i]
}

// whereCalled lists the stages and services of the calls.
func (x *examination) whereCalled(services []*maincf.Service) string {
	var all []string
	for _, c := range x.ours {
		if c.Name == "etrn" || c.dead || !slices.ContainsFunc(c.services, func(s *maincf.Service) bool { return slices.Contains(services, s) && x.works(c, s) }) {
			continue
		}
		text := c.Param + " of " + c.names()
		if by := c.step().Via; by != "" {
			text += fmt.Sprintf(" (class %s, for whom %s names it)", brief(c.step().Class), brief(by))
		}
		all = withNew(all, text)
	}
	return and(all)
}

// nearMiss says which other policy services are called instead, which may be
// this one at an old address.
func (x *examination) nearMiss(s *maincf.Service) string {
	var other []string
	for _, c := range x.others {
		if slices.Contains(c.services, s) {
			other = withNew(other, brief(c.Endpoint.Text))
		}
	}
	if len(other) == 0 {
		return ""
	}
	return fmt.Sprintf(" It calls %s, where the daemon does not listen; it listens on %s.", and(other), and(x.listening()))
}

// checkDead looks for calls that the mail of strangers never comes to.
func checkDead(x *examination, c *call) []Finding {
	if !c.dead || c.Name == "etrn" || c.ended == smtpd.Broken {
		return nil
	}
	f := Finding{
		"call.dead", Error, fmt.Sprintf("The call is never reached: it stands behind %q in %s (%s)", brief(c.end), c.Param, c.names()),
		"That lets nearly all mail for your domains pass, so that Postfix looks at nothing behind it in this list, and nobody is judged.",
		x.rewire(c.place),
	}
	switch {
	case c.ended == smtpd.Refuse:
		f.Why = "That decides for every client, so that Postfix looks at nothing behind it."
	case c.end == "permit_mynetworks":
		f.Why = "mynetworks holds nearly everybody: see there."
		f.Do = x.narrowNetworks(c.services[0])
	}
	return []Finding{f}
}

// checkSilent looks for calls of policy services that are not there. One that
// stands for this daemon is replaced in its line.
func checkSilent(x *examination) []Finding {
	var all []Finding
	for i, c := range slices.Concat(x.ours, x.others) {
		if c.silent == "" {
			continue
		}
		f := Finding{
			"call.silent", Error, fmt.Sprintf("Nobody listens on %s, which Postfix calls in %s (%s): %s", brief(c.Endpoint.Text), c.Param, c.names(), brief(c.silent)),
			"Postfix takes default_action for all mail: without one, 451 to everybody.",
			[]string{"# start that service, or take its call out of " + c.Param},
		}
		if i < len(x.ours) {
			f.Why += fmt.Sprintf(" The daemon listens on %s. If another service belongs there, start that first, and run doctor again.", and(x.listening()))
			f.Do = x.rewire(c.place)
		}
		all = append(all, f)
	}
	return all
}

// checkFamily looks for calls to an address family that Postfix does not speak.
func checkFamily(x *examination, c *call) []Finding {
	s := c.services[0]
	if c.Endpoint.Network != "inet" || c.Bad != "" || c.silent != "" || x.reaches(c, s) {
		return nil
	}
	f := Finding{
		"call.family", Error, fmt.Sprintf("Postfix does not get to %s in %s (%s)", brief(c.Endpoint.Text), c.Param, c.names()),
		"inet_protocols = " + brief(x.get(s, "inet_protocols")) + " leaves that address family out, so that Postfix takes default_action for all mail.",
		x.rewire(c.place),
	}
	if !slices.ContainsFunc(x.listening(), func(address string) bool { return x.speaks(s, address) }) {
		f.Do = x.setFor(s, "inet_protocols", "all")
	}
	return []Finding{f}
}

// checkOrder looks at what comes before the call in recipient restrictions:
// whether relaying is refused first.
func checkOrder(x *examination, c *call) []Finding {
	if c.Name != "recipient" || c.dead || x.ways[c.services[0]].dies || slices.ContainsFunc(c.before(), func(s maincf.Step) bool { return smtpd.RefusesRelay(s.Name) && !s.Warn }) {
		return nil
	}
	if x.relayRefusedFirst(c.services[0]) {
		return nil
	}
	later := slices.ContainsFunc(c.steps[c.at:], func(s maincf.Step) bool { return smtpd.RefusesRelay(s.Name) })
	f := Finding{
		"call.before-relay-check", Warning,
		fmt.Sprintf("Called before reject_unauth_destination in %s (%s)", c.Param, c.names()),
		"Everybody who tries to relay through this host costs DNS lookups and a line in the decision log, for mail that is refused anyway. It opens no relay: the daemon never answers OK.",
		x.rewire(c.place),
	}
	if v, _ := c.option("default_action"); later && actionLevel(v) == Error {
		f.Level = Error
		f.Why += " But default_action does while the daemon is down, and then lets anybody relay."
	}
	return []Finding{f}
}

// relayRefusedFirst reports whether smtpd_relay_restrictions refuse strangers
// before recipient restrictions are looked at.
func (x *examination) relayRefusedFirst(s *maincf.Service) bool {
	return x.relayFirst(s) && slices.ContainsFunc(x.placeOf(s, "relay").steps, func(s maincf.Step) bool {
		return (smtpd.RefusesRelay(s.Name) || s.Name == "reject" || s.Name == "defer" || s.Name == "check_relay_domains") && !s.Warn
	})
}

// relayFirst reports whether relay restrictions come before those for recipients.
// It was the other way round by default before compatibility level 3.6.
func (x *examination) relayFirst(s *maincf.Service) bool {
	values := x.m.Postfix.With(s)
	first, known := values["smtpd_relay_before_recipient_restrictions"]
	if !known {
		first = "${{$compatibility_level} <level {3.6} ? {no} : {yes}}"
	}
	return values.Expand(first) == "yes"
}
