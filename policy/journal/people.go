package journal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"policyd-rdns/policy/match"
	"policyd-rdns/policy/reply"
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

// Hide has a record hold of sender and recipient only what people may be told by, in the
// reply too. What is hidden counts as cut: an entry of a rule about it is undetermined when
// the line is judged again.
func (p People) Hide(r *Record) {
	r.cut.drop(senderField)
	r.cut.drop(recipientField)
	if p == Whole {
		return
	}
	q := &r.Request
	if p == Hashes {
		hideDomain(r, match.MailDomain(q.Sender))
	}
	if q.Recipient != "" && r.Reply != "" {
		r.Reply = p.without(r.Reply, q.Recipient)
	}
	for _, of := range []struct {
		f    field
		text *string
	}{{senderField, &q.Sender}, {recipientField, &q.Recipient}} {
		if *of.text == "" {
			continue // the null sender is nobody
		}
		*of.text = p.hidden(*of.text)
		r.cut.add(of.f)
	}
}

// hideDomain takes the sender's domain out of what was learnt of it.
func hideDomain(r *Record, domain string) {
	r.Facts.SPF.By, _, _ = strings.Cut(r.Facts.SPF.By, " ")
	for i := range r.Facts.Errors {
		if about := &r.Facts.Errors[i].About; domain != "" && *about == domain {
			*about = "#"
		}
	}
}

// hidden is an address as it is written.
func (p People) hidden(address string) string {
	if p == Domains {
		_, domain, _ := match.SplitMailbox(address)
		return "@" + domain
	}
	h := hmac.New(sha256.New, peopleKey[:])
	h.Write([]byte(strings.ToLower(address)))
	return "#" + hex.EncodeToString(h.Sum(nil)[:8])
}

// without is a reply that does not name its recipient, nor his domain where that is hidden.
func (p People) without(told, recipient string) string {
	shown := reply.Shown(recipient)
	told = strings.ReplaceAll(told, shown, p.hidden(recipient))
	if _, domain, _ := match.SplitMailbox(shown); p == Hashes && domain != "" {
		told = strings.ReplaceAll(told, domain, "#")
	}
	if domain := match.MailDomain(recipient); p == Hashes && domain != "" {
		told = strings.ReplaceAll(told, domain, "#") // whom he may write to is of it
	}
	// A long text may have ended in the middle of him.
	for n := len(shown) - 1; n > 0; n-- {
		if head, ok := strings.CutSuffix(told, shown[:n]); ok && (head == "" || strings.HasSuffix(head, " ") || strings.HasSuffix(head, "<")) {
			return head
		}
	}
	return told
}
