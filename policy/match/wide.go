package match

import (
	"math"
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// What is wide: as much of the public Internet as an IPv4 network of 8 bits is, or
// an IPv6 one of 19. The largest networks of one holder are smaller, but for a few
// that were handed out before 1996.
const (
	wide4 = 1 << (32 - 8)
	wide6 = 1 << (64 - 19) // in networks of 64 bits
)

// Wide reports whether the set covers so much of the public Internet that it cannot be
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
		case leftOut != nil && leftOut(prefix) || !address.Public(prefix):
		case prefix.Addr().Is4():
			v4 += math.Ldexp(1, 32-prefix.Bits())
		default:
			v6 += math.Ldexp(1, 64-prefix.Bits())
		}
	}
	return v4, v6
}

// within reports whether another network of the set holds this one.
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

// UnderSuffix reports whether a text of Names is all names under a public suffix:
// strangers to each other have them.
func UnderSuffix(text string) bool {
	name, under := strings.CutPrefix(text, ".")
	return under && hostname.PublicSuffix(hostname.Normal(name))
}
