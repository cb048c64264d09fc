// Package address says which address it is that somebody has, and of what kind.
//
// An IPv4 address is written in IPv6 in more than one way. Whoever is named by an
// address, a client, a network of ours, a HELO, is named by the IPv4 address
// within: there is its PTR record, and there are the rules about it. So every
// address and network that comes in, in a request, a HELO, a setting, an argument
// or a log line, goes through [Plain] or [Networks] once, and is compared as it
// is from then on.
//
// An address that packets are sent to, a DNS server's or one to listen on, does
// not: to reach 64:ff9b::192.0.2.53 is the translator's work.
package address

import "net/netip"

// wellKnown is the prefix of NAT64 and SIIT: the last 32 bits of an address are
// an IPv4 address (RFC 6052 section 2.1).
var wellKnown = netip.MustParsePrefix("64:ff9b::/96")

// Plain is the address that somebody is known by: without zone, and IPv4 where
// IPv6 only carries it, as IPv4-mapped address (RFC 4291 section 2.5.5.2) or
// behind the well-known prefix (RFC 6052). With an IPv4 address that is not
// global that prefix must not be used (RFC 6052 section 3.1): such an address
// stays what it is.
func Plain(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if a.Is4() || !wellKnown.Contains(a) {
		return a
	}
	if v4 := last32(a); Global4(v4) {
		return netip.AddrFrom4(v4)
	}
	return a
}

// Networks are the networks whose addresses, as Plain has them, are those of p:
// of a part of the well-known prefix that of IPv4 too, if any of it is global. A
// wider prefix is of IPv6 alone, as ::/0 is.
func Networks(p netip.Prefix) []netip.Prefix {
	p = p.Masked()
	switch {
	case p.Addr().Is4In6() && p.Bits() >= 96:
		return []netip.Prefix{netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)}
	case p.Addr().Is6() && p.Bits() >= 96 && wellKnown.Contains(p.Addr()):
		v4 := netip.PrefixFrom(netip.AddrFrom4(last32(p.Addr())), p.Bits()-96)
		switch all, some := spread(v4); {
		case all:
			return []netip.Prefix{v4}
		case some:
			return []netip.Prefix{v4, p}
		}
	}
	return []netip.Prefix{p}
}

// spread reports whether all and whether some addresses of an IPv4 network are
// global.
func spread(p netip.Prefix) (all, some bool) {
	all, some = true, true
	for _, s := range &local4 {
		if s.Overlaps(p) {
			all = false
			some = some && s.Bits() > p.Bits()
		}
	}
	return all, some
}

func last32(a netip.Addr) [4]byte {
	b := a.As16()
	return [4]byte(b[12:])
}

// private4 and private6 are the networks of [Private].
var (
	private4 = [...]netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // between a provider and its customers: RFC 6598
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.0.0.0/24"), // of protocols, as DS-Lite's and 464XLAT's: RFC 6890 section 2.2.2
		netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("198.18.0.0/15"), // of benchmarks: RFC 2544
	}
	private6 = [...]netip.Prefix{
		netip.MustParsePrefix("2001:2::/48"), // of benchmarks: RFC 5180
		netip.MustParsePrefix("fc00::/7"),
		netip.MustParsePrefix("fe80::/10"),
	}
)

// local4 are the IPv4 networks that are not global.
var local4 = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	private4[0], private4[1], private4[2], private4[3], private4[4], private4[5], private4[6],
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("224.0.0.0/3"), // multicast and what is reserved
}

// Global4 reports whether an IPv4 address may be one of the public Internet. Those
// of examples (RFC 5737) may.
func Global4(a [4]byte) bool { return !within(local4[:], netip.AddrFrom4(a)) }

// unicast6 is where public addresses of IPv6 are (RFC 4291 section 2.4).
var unicast6 = netip.MustParsePrefix("2000::/3")

// Public reports whether some address of a network may be one of the public
// Internet: those of examples (RFC 5737, RFC 3849) may, and those behind the
// well-known prefix with an IPv4 address that may. IPv4 networks are IPv4 ones, as
// Networks has them.
func Public(p netip.Prefix) bool {
	p = p.Masked()
	switch {
	case p.Addr().Is4():
		return !inside(local4[:], p)
	case p.Bits() >= wellKnown.Bits() && wellKnown.Contains(p.Addr()):
		return !inside(local4[:], netip.PrefixFrom(netip.AddrFrom4(last32(p.Addr())), p.Bits()-wellKnown.Bits()))
	}
	return (p.Overlaps(unicast6) || p.Overlaps(wellKnown)) && !inside(private6[:], p)
}

// inside reports whether one of the networks holds all of p.
func inside(networks []netip.Prefix, p netip.Prefix) bool {
	for i := range networks {
		if networks[i].Bits() <= p.Bits() && networks[i].Contains(p.Addr()) {
			return true
		}
	}
	return false
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for i := range networks {
		if networks[i].Contains(a) {
			return true
		}
	}
	return false
}

// Private reports whether an address is one that hosts have and that is never of
// the public Internet, so that it has no public name: RFC 1918, RFC 4193, RFC
// 6598, link-local, and what RFC 6890 keeps for protocols and benchmarks. The
// networks of examples (RFC 5737, RFC 3849) are ordinary ones here; those that no
// host has, 0.0.0.0/8 and 240.0.0.0/4, are a mistake of whoever names one.
func Private(a netip.Addr) bool {
	if a.Is4() {
		return within(private4[:], a)
	}
	return within(private6[:], a)
}
