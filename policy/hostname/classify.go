package hostname

import (
	"net/netip"
	"sync"

	"policyd-rdns/policy/address"
)

// Classify judges whether name was made by the operator of a network, from the
// client's address or by counting, or was chosen by somebody. client is the
// address that has the name; if it is not valid, only what needs no address
// counts. What is not a valid name is proper, for want of evidence.
//
// It does not allocate, but for a name that some evidence speaks against and
// whose top-level domain has registries at more than one level: the public
// suffix list is asked for those alone.
func Classify(name string, client netip.Addr) Verdict {
	if !Valid(name) {
		return Verdict{}
	}
	name = cutDot(name)
	client = address.Plain(client)
	t := texts.Get().(*text)
	defer texts.Put(t)
	*t = text{}
	t.fill(name)
	t.split(twoLabels(name))
	v := t.judge(name, client)
	if v.Why == "" && t.found.share < halfShare || isFlat(lastLabel(name)) {
		return v
	}
	if cut := registered(Normal(name)); cut != t.cut {
		t.split(cut)
		v = t.judge(name, client)
	}
	return v
}

// texts are kept: each is 2 KB, which would be elsewhere in memory on the stack of
// every caller's goroutine, and not in a processor's cache.
var texts = sync.Pool{New: func() any { return new(text) }}

// The phrases of Verdict.Why.
const (
	whyWhole   = "is the address"
	whyPart    = "is part of the address"
	whyForeign = "is an address, but not the client's"
	whySerial  = "is a serial number"
	whyPhrase  = "says that nobody named it"
	whyLine    = "is a word for lines, beside a number"
	whyPort    = "counts lines"
	whyMail    = "is a mail word"
	whyDomain  = "is a mail service's domain"
)

// judge weighs all evidence.
func (t *text) judge(name string, client netip.Addr) Verdict {
	s := t.read()
	t.found, t.six = t.match(client), client.Is6()
	v := t.accuse(name, &s)
	switch {
	case !v.Generic, s.access&line != 0 && t.found.share >= mostShare:
		return v
	case s.mail:
		return Verdict{Piece: piece(name, s.mailAt), Why: whyMail}
	case s.access.rank() < 2 && !t.isZone() && t.isMailService():
		return Verdict{Piece: piece(name, t.domain()), Why: whyDomain}
	}
	return v
}

// accuse weighs what speaks for a generic name, in the order of the package
// comment.
func (t *text) accuse(name string, s *features) Verdict {
	found := t.found
	generic := func(strength Strength, basis Basis, at span, why string) Verdict {
		return Verdict{true, strength, t.kind(basis), basis, piece(name, at), why}
	}
	if found.share == wholeShare {
		return generic(Full, found.basis, found.at, whyWhole)
	}
	serialAt, serial := t.matchSerial()
	switch {
	case serial == Full:
		return generic(Full, Serial, serialAt, whySerial)
	case found.share == mostShare, found.share == halfShare && t.isHost(s, found.at):
		return generic(Half, found.basis, found.at, whyPart)
	}
	if at, ok := t.matchForeign(); ok {
		return generic(Half, Foreign, at, whyForeign)
	}
	if serial != NoStrength {
		return generic(serial, Serial, serialAt, whySerial)
	}
	if at, ok := t.matchPhrase(); ok {
		return generic(Word, Phrase, at, whyPhrase)
	}
	if at, ok := t.matchLine(s); ok {
		return generic(Word, Line, at, whyPort)
	}
	if s.access.rank() > 1 && s.counts(found) || found.share == lastShare && s.access != 0 && t.isCounted(s, found.at) {
		return generic(Word, Line, s.accessAt, whyLine)
	}
	if found.share == lastShare && (t.isCounted(s, found.at) || t.isBare(s, found.at)) {
		return generic(Word, Part, found.at, whyPart)
	}
	return Verdict{}
}

func piece(name string, p span) string { return name[p.start:p.end] }
