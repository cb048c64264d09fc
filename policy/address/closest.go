package address

import (
	"math/bits"
	"net/netip"
	"slices"
)

// Closest is the address that has the most leading bits in common with the
// client's, of several the first. There is one at least.
func Closest(addrs []netip.Addr, client netip.Addr) netip.Addr {
	return slices.MaxFunc(addrs, func(a, b netip.Addr) int { return commonBits(a, client) - commonBits(b, client) })
}

// commonBits is the number of leading bits that two addresses of one family have
// in common, -1 of others.
func commonBits(a, b netip.Addr) int {
	if a.BitLen() != b.BitLen() {
		return -1
	}
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 8 * len(x)
}
