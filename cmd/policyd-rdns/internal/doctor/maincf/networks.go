package maincf

import (
	"net/netip"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/match"
)

// WideNetworks are the entries of mynetworks that strangers are in by the million,
// many that are less wide but come to the same included.
func WideNetworks(trusted []string) []string {
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
