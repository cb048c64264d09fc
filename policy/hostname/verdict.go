package hostname

import "strconv"

// Strength is how surely a generic name is generic.
type Strength uint8

// The strengths, weakest first. The zero value is that of a proper name.
const (
	NoStrength Strength = iota
	// Word: words that operators give to lines and to unnamed machines, or a number
	// that may be a serial.
	Word
	// Half: a part of the client's address, or an address that is not the
	// client's.
	Half
	// Full: the client's whole address, or a serial in a form that many hosters share.
	Full
)

// String is the strength as it stands in rules and in the decision log, ""
// for NoStrength.
func (s Strength) String() string {
	switch s {
	case Word:
		return "word"
	case Half:
		return "half"
	case Full:
		return "full"
	default:
		return ""
	}
}

// Basis is the kind of evidence that a generic name shows, for breaking figures
// down.
type Basis uint8

// The kinds of evidence. The zero value is that of a proper name.
const (
	NoBasis Basis = iota
	Address       // the whole IPv4 address as four decimal numbers
	Packed        // the whole IPv4 address as decimal numbers without borders, or as one of 32 bits
	Hex           // the whole IPv4 address in hexadecimal
	IPv6          // the IPv6 address, or at least 32 bits of it
	Part          // some octets of the IPv4 address
	Foreign       // an address, but not the client's
	Serial        // a serial number or a hardware address
	Phrase        // words that say that nobody named it, or one word for all
	Line          // a word for lines or machines, with a number
)

// String is the basis in one word, "" for NoBasis.
func (b Basis) String() string {
	names := [...]string{"", "address", "packed", "hex", "ipv6", "part", "foreign", "serial", "phrase", "line"}
	if int(b) >= len(names) {
		return "Basis(" + strconv.Itoa(int(b)) + ")"
	}
	return names[b]
}

// Verdict is whether a name is generic, with the evidence.
type Verdict struct {
	Generic  bool
	Strength Strength
	Kind     Kind
	Basis    Basis
	// Piece is the part of the name that the verdict rests on, as it stands
	// there; "" if nothing was found.
	Piece string
	// Why says what Piece is: "is the address". It is one of a fixed set of
	// phrases.
	Why string
}

// Evidence is the piece of the name that shows it, in words; "" if there is none.
func (v Verdict) Evidence() string {
	if v.Why == "" {
		return ""
	}
	return strconv.Quote(v.Piece) + " " + v.Why
}

// String is the verdict for people: `generic/full: "203-0-113-10" is the
// address`, or `proper`, with the reason if there is one.
func (v Verdict) String() string {
	s := "proper"
	if v.Generic {
		s = "generic/" + v.Strength.String()
	}
	if v.Why == "" {
		return s
	}
	return s + ": " + v.Evidence()
}
