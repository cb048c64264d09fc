package declog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Roles are what a word is in a decision, one bit each.
type Roles uint8

// The roles, in the order in which they are told.
const (
	AsClient    Roles = 1 << iota // the client's address, or a network of it
	AsName                        // a name of the client, confirmed or not
	AsHELO                        // what the client said in HELO
	AsSender                      // MAIL FROM
	AsRecipient                   // RCPT TO
	AsID                          // the decision's id
	AsCase                        // the number of the case that the client was told
	lastRole
)

// roleNames are the roles for people.
var roleNames = map[Roles]string{
	AsClient: "client address", AsName: "client name", AsHELO: "HELO", AsSender: "sender", AsRecipient: "recipient", AsID: "decision id", AsCase: "case number",
}

// Each lists the roles one by one.
func (r Roles) Each() (all []Roles) {
	for one := AsClient; one < lastRole; one <<= 1 {
		if r&one != 0 {
			all = append(all, one)
		}
	}
	return all
}

// String lists the roles for people: "client name, HELO".
func (r Roles) String() string {
	var names []string
	for _, one := range r.Each() {
		names = append(names, roleNames[one])
	}
	return strings.Join(names, ", ")
}

// Word is what decisions are searched for, whatever it may be in them. Nil is in each.
//
//   - An address or a network is of clients and of HELO literals.
//   - A name, or all names under a domain (".example.org"), is of clients, in HELO, and the
//     domain of senders. A name that is an organisational domain is all names under it, too.
//   - A mail address, as "user@example.org", "user@" or "@example.org", is of senders and
//     recipients, and "<>" the null sender.
//   - The number of a case, or the URL that ends with it, is of the refusals of its client
//     in its minute, whoever made it.
//   - A text without a dot is the id of a decision, a HELO, or a name that has no dot.
type Word struct {
	// Text is what was given.
	Text string
	// Tried are the roles that it may have.
	Tried Roles

	networks match.Prefixes
	names    match.Names
	senders  match.Mailboxes
	mail     match.Mailboxes  // of senders and recipients
	helo     string           // in lower case; empty: it is none as a text
	number   *casenumber.Case // nil: it is none
	needles  [][]byte         // folded; one of them is in each line that it is in; none: not known
}

// maxWord bounds a word, in bytes: no value of a decision that it could be is longer.
const maxWord = 512

// ParseWord reads a word. The error says what would be right.
func ParseWord(text string) (*Word, error) {
	w := &Word{Text: strings.TrimSpace(text)}
	switch {
	case w.Text == "":
		return nil, errors.New("an empty text is in no decision: want an address, a network, a name, a mail address or the id of a decision")
	case len(w.Text) > maxWord:
		return nil, fmt.Errorf("%.60q: longer than %d bytes", w.Text, maxWord)
	}
	return w, w.parse()
}

func (w *Word) parse() error {
	number := w.Text[strings.LastIndexByte(w.Text, '/')+1:]
	if c, ok := casenumber.Unverified(number, time.Now()); ok {
		w.Text, w.Tried, w.number = number, AsCase, &c
		w.needles = [][]byte{folded([]byte(c.Client.String()))}
		return nil
	}
	w.Tried, w.helo = AsHELO, hostname.Normal(w.Text)
	if prefix, ok := network(w.Text); ok {
		return w.network(prefix)
	}
	w.need(w.Text)
	if meant := match.MeantNetwork(w.Text); meant != "" {
		var set match.Prefixes
		return set.Add(w.Text) // which says what was meant
	}
	switch domain, isDomain := strings.CutPrefix(w.Text, "@"); {
	case w.Text == "<>":
		w.Tried, w.needles = AsSender, nil // a line without the key
	case isDomain:
		return w.mailboxes(domain)
	case strings.Contains(w.Text, "@"):
		return w.mailboxes(w.Text)
	case strings.Contains(strings.TrimSuffix(w.Text, "."), "."):
		return w.domain()
	default:
		w.Tried |= AsID | AsName
		_ = w.names.Add(w.Text) // it may be none
	}
	return nil
}

// wildcard is the error of what was meant as a pattern. Anything else that is no name and
// no mail address may be a HELO all the same.
func (w *Word) wildcard(err error) error {
	if strings.ContainsAny(w.Text, "*") {
		return err
	}
	w.Tried = AsHELO
	return nil
}

// network reads an address or a network; an address literal too. Host bits do not
// matter: it is looked for, and nothing is set.
func network(text string) (netip.Prefix, bool) {
	if _, addr := hostname.ParseHELO(text); addr.IsValid() && addr.Zone() == "" {
		addr = address.Plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = address.Plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil
}

func (w *Word) network(prefix netip.Prefix) error {
	w.Tried |= AsClient
	w.helo = ""
	if err := w.networks.Add(prefix.String()); err != nil {
		return err
	}
	for _, n := range address.Networks(prefix) {
		begin := textOf(n)
		if begin == "" {
			w.needles = nil
			return nil
		}
		w.needles = append(w.needles, folded([]byte(begin)))
	}
	w.needles = append(w.needles, folded([]byte("IPv6:"))) // a literal, in any spelling
	return nil
}

// textOf is what the text of each address of a network begins with, as logs have it:
// RFC 5952.
func textOf(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	var b strings.Builder
	if n.Addr().Is4() {
		for _, octet := range n.Addr().AsSlice()[:n.Bits()/8] {
			fmt.Fprintf(&b, "%d.", octet)
		}
		return b.String()
	}
	raw := n.Addr().As16()
	for i := 0; i < n.Bits()/16; i++ {
		group := uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		if group == 0 {
			break // with which "::" may begin
		}
		fmt.Fprintf(&b, "%x:", group)
	}
	return b.String()
}

func (w *Word) mailboxes(text string) error {
	w.Tried |= AsSender | AsRecipient
	if err := w.mail.Add(text); err != nil {
		return w.wildcard(err)
	}
	return nil
}

func (w *Word) domain() error {
	w.Tried |= AsName | AsSender
	texts := []string{w.Text}
	if name := hostname.Normal(w.Text); hostname.Organisation(name) == name {
		texts = append(texts, "."+name)
	}
	for _, text := range texts {
		if err := w.names.Add(text); err != nil {
			return w.wildcard(err)
		}
		_ = w.senders.Add(text) // what is a name is a domain
	}
	return nil
}

// Case is what the word tells if it is the number of a case; nil: it is none.
func (w *Word) Case() *casenumber.Case { return w.number }

// Roles are what the word is in a decision; 0: it is not in it.
func (w *Word) Roles(r *journal.Record) (as Roles) {
	if w == nil {
		return AsID
	}
	q := &r.Request
	if c := w.number; c != nil {
		if q.Client == c.Client && r.Decision.Action.Refuses() && q.Time.Truncate(time.Minute).Equal(c.At) {
			return AsCase
		}
		return 0
	}
	add := func(role Roles, is bool) {
		if is && w.Tried&role != 0 {
			as |= role
		}
	}
	add(AsClient, q.Client.IsValid() && w.networks.Has(q.Client))
	add(AsName, slices.ContainsFunc(r.Facts.Names, func(n policy.Name) bool { return w.names.Has(n.Name) }) ||
		w.names.Has(hostname.Normal(q.ClientName)) || w.names.Has(hostname.Normal(q.ReverseClientName)))
	add(AsHELO, q.HELO != "" && w.isHELO(r))
	add(AsSender, w.isSender(q))
	add(AsRecipient, q.Recipient != "" && w.mail.Has(q.Recipient))
	add(AsID, r.ID == w.Text)
	return as
}

// isHELO: of a bare address that is no other spelling of it, which a look at the bytes
// would not find.
func (w *Word) isHELO(r *journal.Record) bool {
	helo, h := hostname.Normal(r.Request.HELO), &r.Facts.HELO
	if h.Addr.IsValid() && w.networks.Has(h.Addr) {
		return h.Form == hostname.Literal || helo == h.Addr.String()
	}
	return w.helo != "" && helo == w.helo || w.names.Has(helo)
}

func (w *Word) isSender(q *policy.Request) bool {
	switch {
	case q.Sender != "":
		return w.mail.Has(q.Sender) || w.senders.Has(q.Sender)
	case w.Text != "<>":
		return false
	}
	switch q.State {
	case "MAIL", "RCPT", "DATA", "END-OF-MESSAGE":
		return true
	}
	return false
}

// need notes that a text is in each line that the word is in: the longest part of it that
// nobody escapes.
func (w *Word) need(text string) {
	longest := ""
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return !unescaped(c) }) {
		if part = strings.Trim(part, "."); len(part) > len(longest) {
			longest = part
		}
	}
	other := func(c rune) bool { return c >= utf8.RuneSelf } // for which the DNS has its own form
	if longest != "" && !strings.ContainsFunc(text, other) {
		w.needles = [][]byte{folded([]byte(longest))}
	}
}

// unescaped reports whether a letter stands for itself in logfmt and in JSON. Writers that
// escape any of them write \u00.. for it.
func unescaped(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' || c == ':' || c == '@'
}

// MayHold reports whether a decision that the word is in may stand in a line of a log. It
// is for [journal.Reader], and false only if there is none for certain. A line costs some
// 50 ns, where it takes 5 us to parse it.
func (w *Word) MayHold(line []byte) bool {
	if w == nil || len(w.needles) == 0 {
		return true
	}
	var stack [4 << 10]byte
	text := foldTo(stack[:0], line)
	for _, needle := range w.needles {
		if bytes.Contains(text, needle) {
			return true
		}
	}
	// Letters that are escaped, or that grep has coloured.
	return bytes.Contains(line, escape) || bytes.IndexByte(line, 0x1b) >= 0
}

var escape = []byte(`\u`)

// fold is the bit that is all the difference between letters of the two cases. In other
// bytes it makes some the same, too, which only ever finds more.
const fold = 0x20

func folded(text []byte) []byte { return foldTo(nil, text) }

// foldTo appends a text with the bit set in each byte, eight at a time.
func foldTo(to, text []byte) []byte {
	to = slices.Grow(to, len(text))[:len(text)]
	i := 0
	for ; i+8 <= len(text); i += 8 {
		binary.NativeEndian.PutUint64(to[i:], binary.NativeEndian.Uint64(text[i:])|0x2020202020202020)
	}
	for ; i < len(text); i++ {
		to[i] = text[i] | fold
	}
	return to
}
