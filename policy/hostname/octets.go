package hostname

import "math/bits"

// octets is a set of the octets of an IPv4 address: bit i for the octet i.
type octets uint8

const (
	allOctets octets = 15
	// lastTwo are the octets that tell the hosts of a network apart.
	lastTwo octets = 1<<2 | 1<<3
	last    octets = 1 << 3
)

func (o octets) count() int { return bits.OnesCount8(uint8(o)) }

// sets is a set of sets of octets: bit s for the set s.
type sets uint16

func (s sets) has(o octets) bool { return s&(1<<o) != 0 }

// cover collects which sets of octets the numbers of a name make up, in any
// order, each number spent once.
type cover struct {
	reached sets
	at      [16]span
}

// add offers a number at p that decodes to any one of the sets in decoded.
func (c *cover) add(decoded sets, p span) {
	before := *c
	for set := octets(1); set <= allOctets; set++ {
		if !decoded.has(set) {
			continue
		}
		c.reach(set, p)
		for with := octets(1); with <= allOctets; with++ {
			if before.reached.has(with) && with&set == 0 && before.at[with].end <= p.start {
				c.reach(with|set, span{before.at[with].start, p.end})
			}
		}
	}
}

// reach keeps the shortest span of a set.
func (c *cover) reach(set octets, p span) {
	if !c.reached.has(set) || p.len() < c.at[set].len() {
		c.reached |= 1 << set
		c.at[set] = p
	}
}

// decodeDecimal is which sets of octets of a the digits decode to: one octet, or
// neighbours run together in either direction, padded to three digits or not.
// Of two octets both are padded, or neither, or the second, as there is less to
// tell an accident by.
func decodeDecimal(digits []byte, a *[4]byte) sets {
	found := sets(0)
	for first := range a {
		n := cutOctet(digits, a[first])
		switch {
		case n == 0:
		case n == len(digits):
			found |= 1 << (octets(1) << first)
		case len(digits) > 3: // or it is one octet, and not this
			found |= decodeOn(digits, n, a, first, 1) | decodeOn(digits, n, a, first, -1)
		}
	}
	if len(digits) > 3 && digits[0] == '0' {
		found |= decodePadded(digits, a)
	}
	return found
}

// decodeOn goes on from the octet first, which takes n digits, in steps of 1 or
// -1.
func decodeOn(digits []byte, n int, a *[4]byte, first, step int) sets {
	set := octets(1) << first
	for i := first + step; i >= 0 && i < len(a); i += step {
		m := cutOctet(digits[n:], a[i])
		if m == 0 {
			return 0
		}
		n += m
		set |= 1 << i
		if n == len(digits) {
			if plain := plainLen(a[first]); set.count() == 2 && n != 6 && n != plain+plainLen(a[i]) && (n != plain+3 || n < 5) {
				return 0
			}
			return 1 << set
		}
	}
	return 0
}

// decodePadded: one octet, padded to more than three digits.
func decodePadded(digits []byte, a *[4]byte) sets {
	found := sets(0)
	value := number(digits)
	for i := range a {
		if value == uint32(a[i]) {
			found |= 1 << (octets(1) << i)
		}
	}
	return found
}

// cutOctet is how many digits at the start of s are the octet v, padded or
// not; 0 if s does not start with it.
func cutOctet(s []byte, v byte) int {
	for n := min(3, len(s)); n >= plainLen(v); n-- {
		if number(s[:n]) == uint32(v) {
			return n
		}
	}
	return 0
}

// plainLen is how many digits v has.
func plainLen(v byte) int {
	switch {
	case v > 99:
		return 3
	case v > 9:
		return 2
	}
	return 1
}
