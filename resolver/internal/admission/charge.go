package admission

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// charge is what a flight is charged to: the network of a client, or the zone
// that is queried. The zero charge is nobody's.
type charge struct {
	network netip.Prefix
	zone    string
}

// networkOf is the network of a client, of the size that is routed on its own in
// the Internet and is therefore in one hand: a /24 of IPv4, a /48 of IPv6.
func networkOf(client netip.Addr) netip.Prefix {
	client = address.Plain(client)
	bits := 48
	if client.Is4() {
		bits = 24
	}
	network, _ := client.Prefix(bits) // of the zero Addr: zero
	return network
}

// Zone is the part of a name that is in one hand, as far as a name tells:
// the organisational domain of a host name, the reverse zone of a network. Zones
// below it are part of it, or who has one had as many shares as he likes. A name
// that is a public suffix, or none of a host, is in that of its last two labels.
func Zone(name string) string {
	name = strings.TrimSuffix(name, ".")
	switch {
	case strings.HasSuffix(name, ".in-addr.arpa"):
		return lastLabels(name, 2+24/8)
	case strings.HasSuffix(name, ".ip6.arpa"):
		return lastLabels(name, 2+48/4)
	}
	if org := hostname.Organisation(name); org != "" {
		return org
	}
	return lastLabels(name, 2)
}

// lastLabels is the end of a name without a final dot.
func lastLabels(name string, n int) string {
	at := len(name)
	for ; n > 0 && at >= 0; n-- {
		at = strings.LastIndexByte(name[:at], '.')
	}
	return name[at+1:]
}
