package doctor

import (
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/refusal"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// checkRefusal looks whether who is refused can do what the reply says.
func checkRefusal(x *examination) []Finding {
	if x.m.Postfix.Unread != "" || len(x.ours) == 0 {
		return nil
	}
	found := refusal.Contact(x.params(), x.v.Contact, x.m.Lookups)
	for _, s := range x.servicesOf(maincf.MX) {
		set := func(value string) []string { return x.setFor(s, "smtpd_reject_footer", value) }
		found = append(found, refusal.Footer(x.m.Postfix.With(s)["smtpd_reject_footer"], x.get(s, "myhostname"), x.v.Help != "", set)...)
		found = append(found, x.stopped(s)...)
	}
	return findings(found)
}

// stopped follows the mail of a stranger to the contact, up to the end of RCPT.
func (x *examination) stopped(s *maincf.Service) (found []finding.Finding) {
	to := refusal.Address(x.params(), x.v.Contact)
	if to == "" {
		return nil
	}
	config, stranger := x.smtpdConfig(x.m.Postfix.With(s)), smtpd.Strangers("")[0]
	stranger.Recipient = to
	for _, p := range x.placesOf(s) {
		if p.Name == "data" || p.Name == "end_of_data" {
			continue
		}
		list := p.params.List(p.units)
		found = append(found, refusal.Stopped(&refusal.List{
			Param: p.Param, Units: p.units, Steps: p.steps, Way: walk(&list, config, p.Name, &stranger), Inline: !x.m.Postfix.Before(3, 0),
			Set: func(units []smtpd.Unit) []string { return x.set(p, units) },
		}, x.v.Contact)...)
	}
	return found
}
