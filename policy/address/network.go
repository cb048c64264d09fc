package address

import (
	"net/netip"
	"slices"
)

// The networks that clients are counted with where many are summed up: what is
// routed on its own in the Internet and so in one hand. Of IPv6 that is what a
// site gets (RFC 6177 section 2): one client may change its /64 as it likes.
const (
	networkBits4 = 24
	networkBits6 = 48
)

// Network is the network that a client is counted with: a /24 of IPv4, a /48 of
// IPv6. That of an address that is not valid is not valid either.
func Network(client netip.Addr) netip.Prefix {
	client = Plain(client)
	bits := networkBits6
	if client.Is4() {
		bits = networkBits4
	}
	network, _ := client.Prefix(bits) // of the zero Addr: zero
	return network
}

// Nearest is the index of the client's own address among some, or else of one in
// its network, or else -1. A network is what one site has: a /24 of IPv4, a /64 of
// IPv6.
func Nearest(addrs []netip.Addr, client netip.Addr) int {
	if i := slices.Index(addrs, client); i >= 0 {
		return i
	}
	bits := 64
	if client.Is4() {
		bits = 24
	}
	network, err := client.Prefix(bits)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(addrs, network.Contains)
}
