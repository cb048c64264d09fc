package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/match"
)

// wideNetworks are the entries of mynetworks that strangers are in by the million,
// many that are less wide but come to the same included.
func wideNetworks(trusted []string) []string {
	var all, many []string
	var together match.Prefixes
	for _, word := range trusted {
		p, ok := smtpd.Network(word)
		switch {
		case !ok:
		case wide(p):
			all = append(all, word)
		case address.Public(p) && p.Bits() < largeHolder:
			_ = together.Add(p.String()) // of a network that was read
			many = append(many, word)
		}
	}
	if together.Wide() {
		all = append(all, many...)
	}
	return all
}

// largeHolder is the prefix length of networks that few have more than one of.
const largeHolder = 16

func wide(p netip.Prefix) bool {
	var set match.Prefixes
	_ = set.Add(p.String()) // as above
	return set.Wide()
}

// trusted are the entries of mynetworks, as it holds for a service.
func (x *examination) trusted(s *maincf.Service) []string {
	return smtpd.Split(x.get(s, "mynetworks"), smtpd.Separators)
}

// checkWide looks for strangers among those whom Postfix trusts.
func (x *examination) checkWide() []Finding {
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission) {
		found := wideNetworks(x.trusted(s))
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
	found := wideNetworks(trusted)
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
