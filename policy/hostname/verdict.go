package hostname

import "strconv"

// Strength is how surely a generic name is generic.
type Strength uint8

// The strengths, weakest first. The zero value is that of a proper name.
const (
	NoStrength Strength = iota
	// Word: a word that operators give to lines and to unnamed machines.
	Word
	// Half: part of the client's address, or a serial beside such a word.
	Half
	// Full: the client's whole address, or an unmistakable serial.
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

// Verdict is whether a name is generic, with the evidence.
type Verdict struct {
	Generic  bool
	Strength Strength
	// Piece is the part of the name that the verdict rests on, as it stands
	// in the name but for the case of its letters; "" if nothing was found.
	Piece string
	// Why says what Piece is: "is the address". It is one of a fixed set of
	// phrases.
	Why string
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
	return s + ": " + strconv.Quote(v.Piece) + " " + v.Why
}
