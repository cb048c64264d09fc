package journal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/match"
)

// People says how senders and recipients are written: those whose mail it is.
type People uint8

// The ways.
const (
	Whole   People = iota // as they are
	Domains               // "@example.org"
	Hashes                // "#" and 16 digits: the same for the same address, until the program starts anew
)

var (
	senderField, _    = fieldOf("sender")
	recipientField, _ = fieldOf("recipient")
)

// peopleKey is the key of the hashes. It is kept nowhere, so that nobody can try addresses
// out.
var peopleKey = func() (key [sha256.Size]byte) {
	_, _ = rand.Read(key[:]) // never fails
	return key
}()

// Hide has a record hold of sender and recipient only what people may be told by. What is
// hidden counts as cut: an entry of a rule about it is undetermined when the line is judged
// again. The reply is the caller's to make by [People.Address].
func (p People) Hide(r *Record) {
	r.cut.drop(senderField)
	r.cut.drop(recipientField)
	if p == Whole {
		return
	}
	q := &r.Request
	p.hideSPF(r, match.MailDomain(q.Sender))
	for _, of := range []struct {
		f    field
		text *string
	}{{senderField, &q.Sender}, {recipientField, &q.Recipient}} {
		if *of.text == "" {
			continue // the null sender is nobody
		}
		*of.text = p.Address(*of.text)
		r.cut.add(of.f)
	}
}

// hideSPF takes the sender out of what was learnt of his domain: a macro may have put the
// whole of him into a name (RFC 7208 section 7).
func (p People) hideSPF(r *Record, domain string) {
	f := &r.Facts
	term, record, _ := strings.Cut(f.SPF.By, " ")
	switch {
	case p == Hashes:
		f.SPF.By = ""
	case record != domain:
		f.SPF.By = term // as it is written: its macros are not filled in
	}
	f.SPF.Why = ""
	for i := range f.Errors {
		about := &f.Errors[i].About
		if !ofClient(r, *about) && (p == Hashes || *about != domain) {
			*about = "#"
		}
	}
}

// ofClient reports whether a lookup was about the client's address, a name of it, or HELO.
func ofClient(r *Record, about string) bool {
	f := &r.Facts
	return about == r.Request.Client.String() || about == f.HELO.Name ||
		slices.ContainsFunc(f.Names, func(n policy.Name) bool { return n.Name == about })
}

// Address is an address as it is written; empty stays empty.
func (p People) Address(address string) string {
	switch {
	case address == "" || p == Whole:
		return address
	case p == Domains:
		_, domain, _ := match.SplitMailbox(address)
		return "@" + domain
	}
	h := hmac.New(sha256.New, peopleKey[:])
	h.Write([]byte(strings.ToLower(address)))
	return "#" + hex.EncodeToString(h.Sum(nil)[:8])
}
