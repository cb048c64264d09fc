package doctor

import (
	"fmt"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// counts reports whether mail is judged by the call.
func (c *call) counts() bool { return !c.dead && c.Name != "etrn" && c.step().Via == "" }

// bestPlace is where a service's call may stay, if there are several: at the
// recipient, or else in the first list. It is nil if there is none.
func (x *examination) bestPlace(s *maincf.Service) *place {
	var best *place
	for _, c := range x.ours {
		if slices.Contains(c.services, s) && c.counts() && (best == nil || c.Name == "recipient") {
			best = c.place
		}
	}
	return best
}

// checkTwice looks for services that call more than once.
func checkTwice(x *examination) []Finding {
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission, maincf.Internal) {
		var at []string
		for _, c := range x.ours {
			if slices.Contains(c.services, s) && c.counts() {
				at = append(at, c.Param)
			}
		}
		if len(at) < 2 {
			continue
		}
		all = append(all, Finding{
			"call.twice", Warning, fmt.Sprintf("%s calls the daemon %d times for each recipient: %s", brief(s.String()), len(at), and(at)),
			"Each call is a decision of its own and a line in the log, so that counts and shares are wrong.",
			x.onlyAt(s, x.bestPlace(s)),
		})
	}
	return all
}

// onlyAt is how to have a service call from one place alone.
func (x *examination) onlyAt(s *maincf.Service, p *place) []string {
	var lines []string
	for _, q := range x.places {
		calls := x.callsAt(q)
		switch {
		case len(calls) == 0 || !slices.Contains(q.services, s):
		case q != p:
			lines = append(lines, x.without(q)...)
		case len(calls) > 1:
			lines = append(lines, x.rewire(q)...)
		}
	}
	return lines
}

// checkStage looks for calls where the daemon cannot know enough.
func checkStage(x *examination, c *call) []Finding {
	f := Finding{Level: Warning, Title: fmt.Sprintf("Called in %s (%s)", c.Param, c.names())}
	switch c.Name {
	case "data", "end_of_data":
		f.ID = "call.data"
		f.Why = "There Postfix names the recipient only if there is a single one, and a refusal is for all of them: exemptions by recipient (postmaster, abuse) do not hold."
	case "etrn":
		f.ID, f.Level = "call.etrn", Info
		f.Why = "That list is looked at for the command ETRN alone, and not for mail."
	default:
		return nil
	}
	f.Do = x.without(c.place)
	if best := x.bestPlace(c.services[0]); best == nil || best == c.place {
		f.Do = append(f.Do, x.rewire(x.placeOf(c.services[0], "recipient"))...)
	}
	return []Finding{f}
}

// checkWarnOnly looks for warn_if_reject before the call.
func checkWarnOnly(x *examination, c *call) []Finding {
	if !c.step().Warn {
		return nil
	}
	return []Finding{{
		"call.warn-only", Warning, fmt.Sprintf("warn_if_reject stands before the call in %s (%s): nothing is refused", c.Param, c.names()),
		"Postfix only logs what the daemon answers (reject_warning). To try rules, mode = \"observe\" in the daemon's own file is better: its log then tells the two apart.",
		x.rewire(c.place),
	}}
}

// checkUnlisted looks whether unknown recipients are refused before they cost
// lookups.
func checkUnlisted(x *examination, c *call) []Finding {
	if !x.asksOfUnlisted(c) {
		return nil
	}
	return []Finding{{
		"call.unlisted", Info, fmt.Sprintf("Mail to recipients that do not exist is asked about too (%s)", c.names()),
		"Postfix refuses them at the end of its restrictions (smtpd_reject_unlisted_recipient), after the daemon. Before the call they cost no lookups; the sender then reads \"User unknown\" whoever he is.",
		x.completed(c),
	}}
}

// asksOfUnlisted reports whether the daemon is asked about recipients that Postfix
// refuses later.
func (x *examination) asksOfUnlisted(c *call) bool {
	known := func(s maincf.Step) bool {
		return s.Name == "reject_unlisted_recipient" || s.Name == "reject_unverified_recipient" || s.Name == "check_recipient_maps"
	}
	early := (c.Name == "client" || c.Name == "helo" || c.Name == "sender") && x.get(c.services[0], "smtpd_delay_reject") != "no"
	return (early || c.Name == "recipient") && x.bestPlace(c.services[0]) == c.place && c.kind == maincf.MX && !c.dead && c.written() &&
		!slices.ContainsFunc(c.before(), known) && c.params.Expand(c.params["smtpd_reject_unlisted_recipient"]) == "yes"
}

// checkFilterPort looks for calls from a port on the loopback, where mail comes
// back from a content filter.
func checkFilterPort(x *examination, c *call) []Finding {
	if c.kind != maincf.Internal || c.dead || slices.ContainsFunc(c.before(), func(s maincf.Step) bool { return s.Name == "permit_mynetworks" }) {
		return nil
	}
	f := Finding{
		ID: "call.filter-port", Level: Warning,
		Title: fmt.Sprintf("Called from %s, on the loopback, in %s", c.names(), c.Param),
		Why: "Such a port is for mail that comes back from a content filter. There the client is the filter and not who sent the mail, which has been judged already: " +
			"the answer says nothing, and a rule of your own may refuse what was accepted.",
	}
	for _, s := range c.services {
		f.Do = append(f.Do, x.command("-P", s.String()+"/"+c.Param+"=permit_mynetworks,reject"))
	}
	return []Finding{f}
}

// checkOthers lists the calls of other policy services.
func checkOthers(x *examination) []Finding {
	var texts []string
	for _, c := range x.others {
		if c.Bad == "" {
			texts = withNew(texts, fmt.Sprintf("%s in %s", brief(c.Endpoint.Text), c.Param))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return []Finding{{ID: "call.other", Level: Info, Title: "Postfix calls other policy services too: " + and(texts)}}
}
