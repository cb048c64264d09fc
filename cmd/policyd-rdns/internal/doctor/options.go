package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// checkSyntax looks for calls that end Postfix's smtpd when it starts.
func checkSyntax(x *examination) []Finding {
	var all []Finding
	for _, c := range slices.Concat(x.ours, x.others) {
		if c.Bad == "" {
			continue
		}
		all = append(all, Finding{
			"call.syntax", Error, fmt.Sprintf("Postfix cannot read the call %s in %s (%s)", brief(c.step().Arg), c.Param, c.names()),
			plain.Text(c.Bad, 200) + ". Its smtpd ends with \"fatal:\" as soon as a client connects.",
			x.repair(c.place),
		})
	}
	return all
}

// checkBraces looks for what Postfix before 3.0 cannot read.
func checkBraces(x *examination, c *call) []Finding {
	if !x.m.Postfix.Before(3, 0) {
		return nil
	}
	if !c.Braces {
		return nil
	}
	return []Finding{{
		"call.braces", Error, fmt.Sprintf("Postfix %s knows no braces behind check_policy_service (%s)", brief(x.params()["mail_version"]), c.Param),
		"They came with Postfix 3.0. This one takes \"{\" for the name of the service, and answers 451 to all mail.",
		append(x.rewire(c.place), x.setMain("smtpd_policy_service_timeout", x.timeout().String())...),
	}}
}

// actionLevel says what a default_action does while the daemon is down. It is OK
// if mail passes on to the next restriction, Info if it waits with its sender, and
// an Error if it is lost or let past the restrictions behind the call.
func actionLevel(action string) Level {
	word, _, _ := strings.Cut(strings.TrimSpace(action), " ")
	switch upper := strings.ToUpper(word); {
	case upper == "DUNNO", upper == "INFO", upper == "WARN", upper == "PREPEND":
		return OK
	case upper == "OK", upper == "RELAY", upper == "PERMIT", upper == "DISCARD", upper == "REJECT":
		return Error
	case allDigits(upper) && upper == strings.TrimSpace(action): // a permit (access(5))
		return Error
	case allDigits(upper) && strings.HasPrefix(upper, "5"):
		return Error
	}
	return Info
}

func allDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// checkDefaultAction looks at what happens while the daemon is down.
func checkDefaultAction(x *examination, c *call) []Finding {
	action, own := c.option("default_action")
	level := actionLevel(action)
	if level == OK || c.Bad != "" || c.silent != "" || c.kind == maincf.Internal {
		return nil
	}
	f := Finding{
		"call.default-action", level, "", "", x.rewire(c.place),
	}
	where := fmt.Sprintf("in %s (%s)", c.Param, c.names())
	switch {
	case level == Error:
		f.Title = fmt.Sprintf("default_action=%s %s", brief(action), where)
		f.Why = "While the daemon is down that is done with all mail: OK, PERMIT, RELAY and a number alone let it past all restrictions behind the call, relaying included; REJECT, 5NN and DISCARD lose it."
	case own:
		f.Title = fmt.Sprintf("Mail waits while the daemon is down: default_action=%s %s", brief(action), where)
		f.Why = "That may be what you want. With DUNNO mail passes unjudged instead."
		f.Do = nil
	default:
		f.Level = Warning
		f.Title = fmt.Sprintf("There is no default_action %s", where)
		f.Why = "While the daemon is down every recipient is answered with smtpd_policy_service_default_action (" + brief(action) + "): no mail comes in. With DUNNO it passes unjudged."
	}
	if x.m.Postfix.Before(3, 0) {
		f.Level, f.Do = Info, []string{"# Postfix before 3.0 has no default_action: while the daemon is down it answers 451"}
	}
	return []Finding{f}
}

// checkTimeout compares how long Postfix waits to how long the daemon may take.
func checkTimeout(x *examination, c *call) []Finding {
	text, own := c.option("timeout")
	wait, ok := maincf.Time(text)
	where := fmt.Sprintf("in %s (%s)", c.Param, c.names())
	f := Finding{ID: "call.timeout", Level: Warning}
	switch {
	case c.Bad != "" || c.silent != "" || c.kind == maincf.Internal: // which should not call at all
		return nil
	case !ok:
		f.Level = Error
		f.Title = fmt.Sprintf("timeout=%s is no time %s", brief(text), where)
		f.Why = "Postfix's smtpd ends with \"fatal:\"."
	case wait <= x.v.Deadline:
		f.Level = Error
		f.Title = fmt.Sprintf("Postfix waits %v for an answer %s, and the daemon may take %v (server.deadline)", wait, where, x.v.Deadline)
		f.Why = "Where the DNS is slow, Postfix gives up before the daemon answers, asks a second time, and then takes default_action."
	case !own && wait >= time.Minute:
		f.Title = fmt.Sprintf("There is no timeout %s: Postfix waits %v", where, wait)
		f.Why = "Should the daemon hang, each recipient holds an smtpd process for twice that, until there are none left. The daemon itself answers within " + x.v.Deadline.String() + "."
	case wait > time.Minute:
		f.Level = Info
		f.Title = fmt.Sprintf("Postfix waits %v for an answer %s", wait, where)
		f.Why = "Should the daemon hang, each recipient holds an smtpd process for twice that."
	default:
		return nil
	}
	f.Do = x.rewire(c.place)
	if x.m.Postfix.Before(3, 0) {
		f.Do = x.setMain("smtpd_policy_service_timeout", x.timeout().String())
	}
	return []Finding{f}
}

// checkRequestLimit looks for calls that open a connection for each request.
func checkRequestLimit(x *examination, c *call) []Finding {
	text, own := c.option("request_limit")
	if n, err := strconv.Atoi(text); err != nil || n == 0 || n >= 100 {
		return nil
	}
	f := Finding{
		"call.request-limit", Info, fmt.Sprintf("Postfix opens a new connection after %s requests (request_limit)", brief(text)),
		"That is a work-around for policy services that close connections. This daemon never closes one that is in use.",
		[]string{x.command("-X", "smtpd_policy_service_request_limit")},
	}
	if own {
		f.Do = x.rewire(c.place)
	}
	return []Finding{f}
}

// checkHostNames looks for calls by name.
func checkHostNames(x *examination, c *call) []Finding {
	if c.Endpoint.Network != "inet" || c.Bad != "" || c.silent != "" {
		return nil
	}
	if _, err := netip.ParseAddr(c.Endpoint.Host); err == nil {
		return nil
	}
	return []Finding{{
		"call.name", Info, fmt.Sprintf("The daemon is called by a name, %s, in %s (%s)", brief(c.Endpoint.Text), c.Param, c.names()),
		"Postfix looks it up for every connection, may get ::1 first, where nobody listens, and in a chroot has to have a copy of /etc/hosts. An address needs none of that.",
		x.rewire(c.place),
	}}
}
