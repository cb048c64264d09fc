package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// trusted are the entries of mynetworks, as it holds for a service.
func (x *examination) trusted(s *maincf.Service) []string {
	return smtpd.Split(x.get(s, "mynetworks"), smtpd.Separators)
}

// checkWide looks for strangers among those whom Postfix trusts.
func (x *examination) checkWide() []Finding {
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission) {
		found := maincf.WideNetworks(x.trusted(s))
		if len(found) == 0 {
			continue
		}
		of := ""
		if s.Sets("mynetworks") {
			of = " of " + brief(s.String())
		}
		all = append(all, Finding{
			"postfix.mynetworks", Error, "mynetworks" + of + " holds public addresses by the million: " + brief(and(found)),
			"Whoever has one may relay through this host, and permit_mynetworks lets their mail pass before the daemon is called. Private networks end at 10.255.255.255, 172.31.255.255 and 192.168.255.255.",
			x.narrowNetworks(s),
		})
	}
	return once(all)
}

// narrowNetworks is the command that leaves of mynetworks what may be trusted. Of
// a network that was too wide the private part stays.
func (x *examination) narrowNetworks(s *maincf.Service) []string {
	trusted := x.trusted(s)
	found := maincf.WideNetworks(trusted)
	var kept []string
	for _, word := range trusted {
		if !slices.Contains(found, word) {
			kept = append(kept, word)
			continue
		}
		p, _ := smtpd.Network(word)
		for _, private := range []string{"172.16.0.0/12", "192.168.0.0/16"} {
			q := netip.MustParsePrefix(private)
			if p.Bits() > 0 && p.Contains(q.Addr()) {
				kept = withNew(kept, private)
			}
		}
	}
	if len(kept) == 0 {
		kept = []string{"127.0.0.0/8"}
	}
	if s.Sets("mynetworks") { // there a value has no spaces
		return x.setFor(s, "mynetworks", strings.Join(kept, ","))
	}
	return x.setMain("mynetworks", strings.Join(kept, ", "))
}
