package hostname

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// share is how much of an address a name shows.
type share uint8

const (
	noShare    share = iota
	lastShare        // the last octet
	halfShare        // the last two octets, side by side
	mostShare        // three octets; 32 bits of an IPv6 address
	wholeShare       // all of it; the interface identifier of an IPv6 address
)

// evidence is what a name shows of an address.
type evidence struct {
	share share
	basis Basis
	at    span
}

// match finds the client's address in the name.
func (t *text) match(client netip.Addr) evidence {
	found := t.matchPlain(client)
	if found.share != wholeShare && client.IsValid() {
		found = better(found, t.matchCoded(client))
	}
	return found
}

// matchPlain finds it in decimal and in hexadecimal.
func (t *text) matchPlain(client netip.Addr) evidence {
	switch {
	case client.Is4():
		a := client.As4()
		return t.match4(&a)
	case client.Is6():
		a := client.As16()
		return t.match6(&a)
	}
	return evidence{}
}

// spread is what of an IPv4 address the numbers of a name decode to.
type spread struct {
	whole evidence // in one number
	any   cover    // in decimal numbers and longer hexadecimal ones
	hex   cover    // in hexadecimal numbers
	last  span     // the first number that is the last octet
}

// match4 finds an IPv4 address. The registered domain may hold a part of it in
// decimal, as in ip-203-0-113.example, if it makes three octets.
func (t *text) match4(a *[4]byte) evidence {
	var s spread
	t.decode(&s, 0, t.host, a)
	found := t.best(&s)
	if found.share == wholeShare || t.count == t.host {
		return found
	}
	t.decode(&s, t.host, t.count, a)
	if wide := t.best(&s); wide.share > found.share && wide.share >= mostShare {
		return wide
	}
	return found
}

// decode offers the tokens from i up to end to s.
func (t *text) decode(s *spread, i, end int, a *[4]byte) {
	for i < end {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		for ; i < next; i++ {
			k := &t.token[i]
			if !k.digits {
				continue
			}
			at := span{k.start, k.end}
			if k.len() >= 8 && (k.value == binary.BigEndian.Uint32(a[:]) || k.value == binary.LittleEndian.Uint32(a[:])) {
				s.whole = evidence{wholeShare, Packed, at}
			}
			found := decodeDecimal(t.lower[k.start:k.end], a)
			if found == 0 {
				continue
			}
			s.any.add(found, at)
			if found.has(last) && s.last.len() == 0 {
				s.last = at
			}
		}
		if int(run.start) < t.cut {
			t.decodeHexRun(s, run, a)
		}
	}
}

// decodeHexRun offers a run of letters and digits as hexadecimal.
func (t *text) decodeHexRun(s *spread, run span, a *[4]byte) {
	text := t.lower[run.start:run.end]
	if len(text) >= 8 {
		if i := indexHex(text, a); i >= 0 {
			at := run.start + uint8(i)
			s.whole = evidence{wholeShare, Hex, span{at, at + 8}}
			return
		}
	}
	if found, n := decodeHex(text, a); n > 0 {
		at := span{run.end - uint8(n), run.end}
		s.hex.add(found, at)
		s.any.add(found, at)
		return
	}
	if len(text) != 2 {
		return
	}
	for i := range a {
		if isHexOctet(text, a[i]) {
			s.hex.add(1<<(octets(1)<<i), run)
		}
	}
}

// best is the largest part of the address that s holds.
func (t *text) best(s *spread) evidence {
	switch {
	case s.whole.share != noShare:
		return s.whole
	case s.any.reached.has(allOctets):
		at := s.any.at[allOctets]
		if t.numbers(at) < 4 {
			return evidence{wholeShare, Packed, at}
		}
		return evidence{wholeShare, Address, at}
	case s.hex.reached.has(allOctets) && t.hasLetters(s.hex.at[allOctets]):
		// Without a letter it is another address in decimal.
		return evidence{wholeShare, Hex, s.hex.at[allOctets]}
	}
	for left := range 4 {
		three := allOctets &^ (1 << left)
		if at := s.any.at[three]; s.any.reached.has(three) && t.digitsIn(at) >= minThree {
			return evidence{mostShare, Part, at}
		}
		if s.hex.reached.has(three) && t.hasLetters(s.hex.at[three]) {
			return evidence{mostShare, Part, s.hex.at[three]}
		}
	}
	if at := s.any.at[lastTwo]; s.any.reached.has(lastTwo) && t.numbers(at) <= 2 {
		return evidence{halfShare, Part, at}
	}
	if s.last.len() > 0 {
		return evidence{lastShare, Part, s.last}
	}
	return evidence{}
}

// minThree is how many digits three octets must have together to be more than
// three small numbers that happen to be there.
const minThree = 5

func (t *text) digitsIn(p span) int {
	n := 0
	for _, c := range t.lower[p.start:p.end] {
		if isDigit(c) {
			n++
		}
	}
	return n
}

// indexHex is where in run the eight hexadecimal digits of a are, in either
// byte order; -1 if they are not there.
func indexHex(run []byte, a *[4]byte) int {
	var forward, backward [8]byte
	for i, v := range a {
		forward[2*i], forward[2*i+1] = hexDigit(v>>4), hexDigit(v&15)
		backward[6-2*i], backward[7-2*i] = hexDigit(v>>4), hexDigit(v&15)
	}
	if i := bytes.Index(run, forward[:]); i >= 0 {
		return i
	}
	return bytes.Index(run, backward[:])
}
