package crowd

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strconv"
)

// The parts of names. mail is a word by which a numbered name counts as chosen.
const (
	hostPrefix    = "mail"
	hostSuffix    = ".example.org"
	otherPrefix   = "mx"
	nowherePrefix = "desk"
	otherSuffix   = ".example.net"
	genericSuffix = ".dyn.example.com"
)

// AppendName appends the name of client n, lower case, without final dot;
// nothing if it has none.
func (c *Crowd) AppendName(b []byte, n uint32, f Family) []byte {
	switch c.Kind(n) {
	case Nameless:
		return b
	case Generic:
		return append(appendDashed(b, Address(n, f)), genericSuffix...)
	}
	return numbered(b, hostPrefix, n, hostSuffix)
}

// AppendHELO appends what client n says in HELO.
func (c *Crowd) AppendHELO(b []byte, n uint32, f Family) []byte {
	switch c.Kind(n) {
	case Other, Nameless:
		return numbered(b, otherPrefix, n, otherSuffix)
	case Literal:
		b = append(b, '[')
		if f == IPv6 {
			b = append(b, "IPv6:"...) // RFC 5321 section 4.1.3
		}
		return append(Address(n, f).AppendTo(b), ']')
	case Generic:
		return numbered(b, nowherePrefix, n, otherSuffix)
	}
	return numbered(b, hostPrefix, n, hostSuffix)
}

func numbered(b []byte, prefix string, n uint32, suffix string) []byte {
	b = strconv.AppendUint(append(b, prefix...), uint64(n), 10)
	return append(b, suffix...)
}

// appendDashed appends 240-18-0-1, or the 32 digits of an IPv6 address.
func appendDashed(b []byte, addr netip.Addr) []byte {
	if addr.Is6() {
		a := addr.As16()
		return hex.AppendEncode(b, a[:])
	}
	start := len(b)
	b = addr.AppendTo(b)
	for i := start; i < len(b); i++ {
		if b[i] == '.' {
			b[i] = '-'
		}
	}
	return b
}

// ResolvesTo is the address that a name resolves to, in the family asked for; not valid
// if it does not resolve. The name is lower case and without final dot.
func (c *Crowd) ResolvesTo(name []byte, f Family) netip.Addr {
	if n, ok := number(name, hostPrefix, hostSuffix, f); ok {
		switch c.Kind(n) {
		case Named, Other, Literal:
			return Address(n, f)
		case Mismatch:
			return Elsewhere(f)
		}
	}
	if n, ok := number(name, otherPrefix, otherSuffix, f); ok {
		switch c.Kind(n) {
		case Other, Nameless:
			return Address(n, f)
		}
	}
	if dashed, ok := bytes.CutSuffix(name, []byte(genericSuffix)); ok {
		addr := undashed(dashed)
		if n, ok := Number(addr); ok && addr.Is4() == (f == IPv4) && c.Kind(n) == Generic {
			return addr
		}
	}
	return netip.Addr{}
}

// number is the client that has a numbered name in a family.
func number(name []byte, prefix, suffix string, f Family) (n uint32, ok bool) {
	digits, hasPrefix := bytes.CutPrefix(name, []byte(prefix))
	digits, hasSuffix := bytes.CutSuffix(digits, []byte(suffix))
	if !hasPrefix || !hasSuffix || len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	wide := uint64(0)
	for _, d := range digits {
		if d < '0' || d > '9' || wide >= f.Size() {
			return 0, false
		}
		wide = 10*wide + uint64(d-'0')
	}
	return uint32(wide), wide < f.Size()
}

// undashed is the inverse of appendDashed; not valid if there is none.
func undashed(dashed []byte) netip.Addr {
	var a [16]byte
	if len(dashed) == hex.EncodedLen(len(a)) {
		if _, err := hex.Decode(a[:], dashed); err != nil {
			return netip.Addr{}
		}
		return netip.AddrFrom16(a)
	}
	var dotted [len("255.255.255.255")]byte
	if len(dashed) > len(dotted) {
		return netip.Addr{}
	}
	n := copy(dotted[:], dashed)
	for i, d := range dotted[:n] {
		switch d {
		case '-':
			dotted[i] = '.'
		case '.':
			return netip.Addr{}
		}
	}
	addr, err := netip.ParseAddr(string(dotted[:n]))
	if err != nil || !addr.Is4() {
		return netip.Addr{}
	}
	return addr
}
