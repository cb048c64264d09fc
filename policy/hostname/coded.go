package hostname

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// How many digits an address takes in base 36, 0-9 and a-z, and in base 32, 0-9 and a-v
// (RFC 4648 section 7): an IPv4 address six or seven, an IPv6 address 25 or 26. What is
// shorter has leading zeros left out, and is left to accidents.
const (
	minCoded4, maxCoded4 = 6, 7
	minCoded6, maxCoded6 = 25, 26
)

// matchCoded finds the client's whole address as one number in base 36 or 32:
// user-1120ojo, node-1w7jr9st5p2etziuntaazujnj.
func (t *text) matchCoded(client netip.Addr) evidence {
	least, most := minCoded4, maxCoded4
	if client.Is6() {
		least, most = minCoded6, maxCoded6
	}
	a := client.As16()
	if client.Is4() {
		a = [16]byte{12: a[12], a[13], a[14], a[15]}
	}
	hi, lo := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
	for i := 0; i < t.host; {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		i = next
		if n := run.len(); n < least || n > most {
			continue
		}
		for _, base := range [...]uint64{32, 36} {
			if h, l, ok := parse(t.lower[run.start:run.end], base); ok && h == hi && l == lo {
				basis := Packed
				if client.Is6() {
					basis = IPv6
				}
				return evidence{wholeShare, basis, run}
			}
		}
	}
	return evidence{}
}

// parse is the value of digits in a base of up to 36, in two halves; not ok if one is no
// such digit or if it does not fit.
func parse(digits []byte, base uint64) (hi, lo uint64, ok bool) {
	for _, c := range digits {
		v := uint64(c - '0')
		if c >= 'a' {
			v = uint64(c-'a') + 10
		}
		over, top := bits.Mul64(hi, base)
		carried, low := bits.Mul64(lo, base)
		var carry uint64
		lo, carry = bits.Add64(low, v, 0)
		hi, carry = bits.Add64(top, carried, carry)
		if v >= base || over+carry > 0 {
			return 0, 0, false
		}
	}
	return hi, lo, true
}
