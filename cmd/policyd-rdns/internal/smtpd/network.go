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

// special are the address blocks that are no stranger's (RFC 6890, RFC 5771, RFC
// 4193).
func special() []string {
	return []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "ff00::/8",
	}
}

// Public reports whether an address may be a stranger's.
func Public(a netip.Addr) bool { return PublicNetwork(netip.PrefixFrom(a, a.BitLen())) }

// PublicNetwork reports whether any address of a network may be a stranger's.
func PublicNetwork(p netip.Prefix) bool {
	for _, text := range special() {
		if q := netip.MustParsePrefix(text); q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return false
		}
	}
	return true
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

// A network of public addresses of this length or less is no administrator's own:
// it holds a two hundredth of IPv4, or what is given to a whole country.
const (
	Wide4 = 8
	Wide6 = 19
)

// Wide reports whether a network is too large to be trusted.
func Wide(p netip.Prefix) bool {
	limit := Wide6
	if p.Addr().Is4() {
		limit = Wide4
	}
	return p.Bits() <= limit && PublicNetwork(p)
}
