package policy

import (
	"math"
	"net/netip"
)

// What is wide: as much of the public Internet as an IPv4 network of 8 bits is, or
// an IPv6 one of 19. The largest networks of one holder are smaller, but for a few
// that were handed out before 1996.
const (
	wide4 = 1 << (32 - 8)
	wide6 = 1 << (64 - 19) // in networks of 64 bits
)

// Wide says that the set covers so much of the public Internet that it cannot be
// the networks of somebody who is known: one network of it, or all together.
func (p *Prefixes) Wide() bool {
	v4, v6 := p.public(nil)
	if v4 < wide4 && v6 < wide6 {
		return false // and so it is nearly always
	}
	v4, v6 = p.public(p.within)
	return v4 >= wide4 || v6 >= wide6
}

// public is how many addresses of IPv4 and how many networks of 64 bits of IPv6 the
// set holds, but for prefixes of which no address is public, and those that are
// left out.
func (p *Prefixes) public(leftOut func(netip.Prefix) bool) (v4, v6 float64) {
	for prefix := range p.prefixes {
		switch {
		case leftOut != nil && leftOut(prefix) || !somePublic(prefix):
		case prefix.Addr().Is4():
			v4 += math.Ldexp(1, 32-prefix.Bits())
		default:
			v6 += math.Ldexp(1, 64-prefix.Bits())
		}
	}
	return v4, v6
}

// within says that another network of the set holds this one.
func (p *Prefixes) within(prefix netip.Prefix) bool {
	lengths := p.bits6
	if prefix.Addr().Is4() {
		lengths = p.bits4
	}
	for _, b := range lengths {
		if b < prefix.Bits() {
			wider, _ := prefix.Addr().Prefix(b)
			if _, ok := p.prefixes[wider]; ok {
				return true
			}
		}
	}
	return false
}

// notPublic4 are the IPv4 networks that never are of the public Internet (RFC
// 6890) and are large enough to matter here; public6 is where public addresses of
// IPv6 are (RFC 4291 section 2.4).
var (
	notPublic4 = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("224.0.0.0/3"),
	}
	public6 = netip.MustParsePrefix("2000::/3")
)

func somePublic(prefix netip.Prefix) bool {
	if !prefix.Addr().Is4() {
		return prefix.Overlaps(public6)
	}
	for _, n := range &notPublic4 {
		if n.Bits() <= prefix.Bits() && n.Contains(prefix.Addr()) {
			return false
		}
	}
	return true
}

// Wide says that the entry asks for the client's address, and for so many that
// strangers have them: see [Prefixes.Wide].
func (e *Entry) Wide() bool {
	c, ok := e.cond.(*clients)
	return ok && c.Wide()
}
