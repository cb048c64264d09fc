package hostname

import (
	"bytes"
	"encoding/binary"
)

// How much of an IPv6 address makes a name generic, in hexadecimal digits: in
// all, and of them other than zero.
const (
	most6        = 8
	significant6 = 4
)

// hex6 is an IPv6 address in hexadecimal digits.
type hex6 struct {
	forward, backward [32]byte
	// hardware is the hardware address that the interface identifier was
	// made from (modified EUI-64, RFC 4291 appendix A), if hasHardware.
	hardware    [12]byte
	hasHardware bool
}

func (s *hex6) decode(a *[16]byte) {
	for i, v := range a {
		s.forward[2*i], s.forward[2*i+1] = hexDigit(v>>4), hexDigit(v&15)
		s.backward[30-2*i], s.backward[31-2*i] = hexDigit(v&15), hexDigit(v>>4)
	}
	s.hasHardware = a[11] == 0xff && a[12] == 0xfe
	for i, v := range [...]byte{a[8] ^ 2, a[9], a[10], a[13], a[14], a[15]} {
		s.hardware[2*i], s.hardware[2*i+1] = hexDigit(v>>4), hexDigit(v&15)
	}
}

// match6 finds an IPv6 address: its groups, padded or not; its digits run
// together, or one by one, in either direction; or its hardware address.
// All of it and the interface identifier are wholeShare, else 32 bits in a row
// or 8 digits in groups are mostShare.
func (t *text) match6(a *[16]byte) evidence {
	var groups [8]uint16
	for i := range groups {
		groups[i] = binary.BigEndian.Uint16(a[2*i:])
	}
	found := t.matchGroups(&groups)
	if found.share == wholeShare {
		return found
	}
	var s hex6
	s.decode(a)
	for i := 0; i < t.host; {
		next := t.nextRun(i)
		if run := t.runAt(i, next); run.len() >= most6 {
			found = better(found, s.match(t.lower[run.start:run.end], run.start))
		}
		i = next
	}
	return better(found, t.matchNibbles(&s))
}

func better(a, b evidence) evidence {
	if b.share > a.share {
		return b
	}
	return a
}

// match finds the longest stretch of the address in a run of letters and digits
// that starts at start of the name.
func (s *hex6) match(run []byte, start uint8) evidence {
	if s.hasHardware {
		if i := bytes.Index(run, s.hardware[:]); i >= 0 {
			return evidence{wholeShare, IPv6, span{start + uint8(i), start + uint8(i+len(s.hardware))}}
		}
	}
	n, end := commonStretch(run, s.forward[:])
	host := s.forward[16:]
	if m, e := commonStretch(run, s.backward[:]); m > n {
		n, end, host = m, e, s.backward[:16]
	}
	stretch := run[end-n : end]
	if n < most6 || significant(stretch) < significant6 {
		return evidence{}
	}
	share := mostShare
	if n == len(s.forward) || bytes.Contains(stretch, host) && significant(host) >= significant6 {
		share = wholeShare
	}
	return evidence{share, IPv6, span{start + uint8(end-n), start + uint8(end)}}
}

// significant is how many digits are not zero.
func significant(digits []byte) int { return len(digits) - bytes.Count(digits, []byte("0")) }

// commonStretch is the length of the longest string of most6 digits and more that is in
// both, and where in a it ends. b has at most 32 bytes.
func commonStretch(a, b []byte) (length, end int) {
	if len(a) < most6 || len(b) < most6 {
		return 0, 0
	}
	// Which windows of most6 digits are in b, by a few of their bits: few others look so.
	var seen [4]uint64
	for j := range len(b) - most6 + 1 {
		h := mark(b[j:])
		seen[h>>6] |= 1 << (h & 63)
	}
	for i := range len(a) - most6 + 1 {
		if h := mark(a[i:]); seen[h>>6]>>(h&63)&1 == 0 {
			continue
		}
		for j := range len(b) - most6 + 1 {
			if i > 0 && j > 0 && a[i-1] == b[j-1] || min(len(a)-i, len(b)-j) <= length {
				continue // it begins before, or is no longer than what was found
			}
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			if n >= most6 && n > length {
				length, end = n, i+n
			}
		}
	}
	return length, end
}

// mark is a number below 256 that most6 bytes give.
func mark(window []byte) uint64 {
	return binary.LittleEndian.Uint64(window) * 0x9e3779b97f4a7c15 >> 56
}

// matchNibbles finds the address digit by digit, as below ip6.arpa.
func (t *text) matchNibbles(s *hex6) evidence {
	var digits [32]byte
	n := 0
	var at span
	for i := 0; i < t.host && n < len(digits); {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		i = next
		if run.len() != 1 || hexValue(t.lower[run.start]) > 15 {
			if n >= most6 {
				break
			}
			n = 0
			continue
		}
		if n == 0 {
			at.start = run.start
		}
		digits[n] = t.lower[run.start]
		at.end = run.end
		n++
	}
	found := s.match(digits[:n], 0)
	found.at = at
	return found
}
