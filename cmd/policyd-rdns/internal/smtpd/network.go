package smtpd

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
)

// Network reads an entry of mynetworks or a list like it: an address or a
// network, IPv6 ones in brackets.
func Network(word string) (netip.Prefix, bool) {
	word = strings.NewReplacer("[", "", "]", "").Replace(word)
	if prefix, err := netip.ParsePrefix(word); err == nil {
		return address.Networks(prefix)[0], true
	}
	addr, err := netip.ParseAddr(word)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = address.Plain(addr)
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// LastAddr is the last address of a network.
func LastAddr(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(bytes) // of 4 or 16 bytes
	return a
}

// PlainNetwork is a network as one writes it: a single address without a length.
func PlainNetwork(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
