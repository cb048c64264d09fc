package address

import "net/netip"

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
