package spf

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"blitiri.com.ar/go/spf"

	"policyd-rdns/policy/hostname"
)

const (
	// maxCovered is how many IPv4 addresses a record may cover: of the large hosters the
	// largest have a third of that.
	maxCovered = 1 << 21
)

// Lengths of prefixes: below shortest a pass says nothing of a client; from own on the
// network is one that somebody may have for himself. IPv4 and IPv6.
var (
	shortest = [2]int{12, 29}
	ownBits  = [2]int{24, 64}
)

// matchedAs are the errors by which the library tells what a pass is by.
var matchedAs = map[kind]error{
	kindAll: spf.ErrMatchedAll, kindA: spf.ErrMatchedA, kindMX: spf.ErrMatchedMX, kindIP4: spf.ErrMatchedIP, kindIP6: spf.ErrMatchedIP,
	kindPTR: spf.ErrMatchedPTR, kindExists: spf.ErrMatchedExists,
}

// grade is what a pass is worth, and why it is worth nothing.
func (e *evaluation) grade(matched error) (Code, string) {
	d := e.end
	if d == nil || d.term == nil || !errors.Is(matched, matchedAs[d.term.kind]) || !d.matches(e.query.Client) {
		return Neutral, "nobody can tell which term matched"
	}
	switch d.term.kind {
	case kindAll, kindPTR, kindExists:
		return Neutral, "everybody may have a pass by such a term"
	}
	for _, t := range append(d.via, d.term) {
		if t.macros&chosen != 0 {
			return Neutral, "a pass by way of a macro, which may answer each client in its own way"
		}
	}
	family := 1
	if e.query.Client.Is4() {
		family = 0
	}
	bits := d.term.length(family)
	if bits < shortest[family] {
		return Neutral, "a pass by too large a network"
	}
	if family == 0 && d.frame.covered() > maxCovered {
		return Neutral, "a pass by a record that covers too many addresses"
	}
	if bits < ownBits[family] || !e.ownRecord(d) {
		return Pass, ""
	}
	return Own, ""
}

// matches reports whether the term that decided names the client, as far as that can be
// told: the library's word is not the only one for that.
func (d *decision) matches(client netip.Addr) bool {
	switch d.term.kind {
	case kindIP4, kindIP6:
		return d.term.net.Contains(client)
	case kindA, kindMX:
		return slices.ContainsFunc(d.frame.addrs[d.term], func(addr netip.Addr) bool {
			family := 1
			if addr.Is4() {
				family = 0
			}
			p, err := addr.Prefix(d.term.bits[family])
			return err == nil && p.Contains(client)
		})
	}
	return true
}

// length is that of the prefixes of a term.
func (t *term) length(family int) int {
	if t.kind == kindIP4 || t.kind == kindIP6 {
		return t.net.Bits()
	}
	return t.bits[family]
}

// ownRecord reports whether all records that led to a decision are of the domain's own
// organisation.
func (e *evaluation) ownRecord(d *decision) bool {
	for _, f := range append(d.within, d.frame) {
		if !sameOrganisation(e.domain, f.domain) {
			return false
		}
	}
	return true
}

func sameOrganisation(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	org := hostname.Organisation(a)
	return org != "" && org == hostname.Organisation(b)
}

// covered is how many IPv4 addresses a record has pass, as far as it says so itself, or
// was looked up.
func (f *frame) covered() uint64 {
	var nets []netip.Prefix
	var more uint64
	for i := range f.record.terms {
		t := &f.record.terms[i]
		switch {
		case t.qualifier != '+':
		case t.kind == kindIP4:
			nets = append(nets, t.net)
		case t.kind != kindA && t.kind != kindMX:
		case len(f.addrs[t]) == 0: // not looked up: one, at least
			more += size(t.bits[0])
		default:
			for _, addr := range f.addrs[t] {
				if p, err := addr.Prefix(t.bits[0]); err == nil {
					nets = append(nets, p)
				}
			}
		}
	}
	return more + union(nets)
}

func size(bits int) uint64 { return 1 << (32 - bits) }

// union is how many addresses networks have in all.
func union(nets []netip.Prefix) (n uint64) {
	slices.SortFunc(nets, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
	})
	var last netip.Prefix
	for _, p := range nets {
		if last.IsValid() && last.Overlaps(p) {
			continue // it is within
		}
		n += size(p.Bits())
		last = p
	}
	return n
}
