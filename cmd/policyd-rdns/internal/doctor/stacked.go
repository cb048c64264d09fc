package doctor

import (
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/stacked"
)

// checkStacked looks for others that have clients come again, as our rules do.
func checkStacked(x *examination) []Finding {
	if !x.v.Defers || x.m.Postfix.Unread != "" {
		return nil
	}
	var found []finding.Finding
	for _, s := range x.servicesOf(maincf.MX) {
		found = append(found, stacked.Milters(x.get(s, "smtpd_milters"))...)
	}
	for i := range x.m.Postfix.Services {
		if s := &x.m.Postfix.Services[i]; stacked.IsPostscreen(s) {
			found = append(found, stacked.DeepTests(func(name string) string { return x.get(s, name) }, func(name string) []string { return x.setFor(s, name, "no") })...)
		}
	}
	for _, c := range x.others {
		if c.Bad == "" {
			found = append(found, stacked.Service(&c.Endpoint, c.step().Name+" "+c.step().Arg, c.Param)...)
		}
	}
	return findings(found)
}
