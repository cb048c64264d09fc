package doctor

import (
	"fmt"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// softens reports whether a restriction may turn every later refusal of its stage
// into a deferral: one that would permit, and whose DNS gave no answer
// (defer_if_reject in smtpd_check.c).
func softens(s maincf.Step) bool {
	return s.Name == "permit_dnswl_client" || s.Name == "permit_rhswl_client" || s.Name == "defer_if_reject"
}

// checkSoftens looks for what makes 450 of the daemon's 550.
func checkSoftens(x *examination, c *call) []Finding {
	at := slices.IndexFunc(c.before(), softens)
	if c.dead || c.Name == "etrn" || at < 0 {
		return nil
	}
	s := c.steps[at]
	f := Finding{
		"call.softened", Warning, fmt.Sprintf("%s stands before the call in %s (%s)", brief(s.Name+" "+s.Arg), c.Param, c.names()),
		"While the DNS of that list does not answer, Postfix makes a deferral of each later refusal: the daemon's 550 goes out as 450, and the sender comes again.",
		nil,
	}
	if s.Name == "defer_if_reject" {
		f.Why = "It makes a deferral of each later refusal: the daemon's 550 goes out as 450, and the sender comes again."
	}
	f.Do = x.beforeSoftener(c, s)
	return []Finding{f}
}

// beforeSoftener is the command that calls the daemon first, if that is where the
// call belongs.
func (x *examination) beforeSoftener(c *call, s maincf.Step) []string {
	list, at, ok := x.mended(c.place)
	if ok && !slices.ContainsFunc(list[:at], func(u smtpd.Unit) bool { return slices.ContainsFunc(c.params.Steps([]smtpd.Unit{u}), softens) }) {
		return x.rewire(c.place)
	}
	return []string{"# put the call before " + brief(s.Name) + " in " + c.Param}
}
