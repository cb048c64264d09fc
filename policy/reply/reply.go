// Package reply makes of a decision what Postfix is told, and with it what the sending
// server reads: the text of the rule, whom to write to, and the URL of the page for the
// refused with the number of the case.
//
// Postfix puts its own words before a text and cuts the whole line at its end
// (smtpd_check.c). So a text is made no longer than there is room for behind the longer of
// the two forms that it may get, of smtpd_recipient_restrictions or of
// smtpd_client_restrictions. What is too long loses names, then addresses, then whom to
// write to, then the end of the rule's sentence. The URL stands last, once and whole.
package reply

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/smtp"
)

// Settings are what stands in replies beside the texts of the rules.
type Settings struct {
	// Contact is whom the refused may write to: a mail address, or its part before the @,
	// of the domain that he wrote to; empty: nobody.
	Contact string
	// Help is the URL of the page for the refused, up to the number of the case, or the
	// cause; empty: there is none.
	Help string
	// ByCause: the page is one for each cause, and cases have no number.
	ByCause bool
	// Keys make the numbers. Nil: what stands in their place is as long, and x all over.
	Keys *casenumber.Keys
}

// Texts makes the texts of replies by the rules of a configuration. It is not modified
// once it is in use.
type Texts struct {
	Settings
	asked map[string]policy.CheckSet
}

// New is for the rules that decide.
func New(rules *policy.Rules, s Settings) *Texts { return &Texts{s, asked(rules.List)} }

// Reply is what Postfix is told.
type Reply struct {
	// Action is of access(5). It may hold bytes that the client or the DNS chose: the
	// writer of the reply makes them harmless.
	Action string
	// Case is the number that stands in it; empty: there is none.
	Case string
	// Cause is why the client is refused, if he is.
	Cause casenumber.Cause
}

// doubtful is the text of a defer that rests on what the DNS could not say: what the
// rule's text would say, nobody knows.
const doubtful = "temporary DNS failure: the names of your server [{client}] could not be looked up; there is nothing to do, it tries again by itself"

// Reply is what Postfix is told of a decision about a request.
func (t *Texts) Reply(req *policy.Request, f *policy.Facts, d *policy.Decision) Reply {
	head := d.ReplyHead()
	if !d.Action.TakesText() {
		return Reply{Action: head}
	}
	text := d.Text
	switch {
	case d.Doubtful:
		text = doubtful
	case strings.TrimSpace(text) == "":
		text = "Access denied" // as Postfix says itself
	}
	l := lines.Get().(*line)
	defer l.put()
	l.head, l.text, l.url = head, text, l.url[:0]
	if !d.Action.Refuses() {
		l.values = newValues(req, f, "")
		return Reply{Action: l.String(smtp.MaxAction)}
	}
	l.values = newValues(req, f, t.Contact)
	r := Reply{Cause: t.cause(d)}
	number := 0
	if t.Help != "" {
		l.url = append(l.url, t.Help...)
		switch {
		case t.ByCause:
			l.url = append(l.url, r.Cause.String()...)
		case t.Keys == nil:
			l.url = append(l.url, unknown(req)...)
		default:
			l.url = t.Keys.Append(l.url, casenumber.Case{Cause: r.Cause, At: req.Time, Client: req.Client})
			number = len(l.url) - len(t.Help)
		}
	}
	r.Action = l.String(min(smtp.MaxAction, smtp.MaxLine-wrapping(req)+shorter(head)))
	r.Case = r.Action[len(r.Action)-number:]
	return r
}

// Plain is the action with nothing in it beside the rule's text.
func Plain(req *policy.Request, f *policy.Facts, d *policy.Decision) string {
	return new(Texts).Reply(req, f, d).Action
}

// unknown stands for the number of a case.
func unknown(req *policy.Request) string {
	if address.Plain(req.Client).Is4() {
		return strings.Repeat("x", casenumber.Length4)
	}
	return strings.Repeat("x", casenumber.Length6)
}

// The words that Postfix puts between code and text, and what may be the length of an
// address in them: behind the well-known prefix (RFC 6052) an IPv4 address has more
// characters.
const (
	recipientForm = "<>: Recipient address rejected: "
	clientForm    = "<[]>: Client host rejected: "
	minAddress    = len("64:ff9b::ffff:ffff")
	minName       = len("unknown")
)

// wrapping is how many bytes Postfix puts between code and text, at most.
func wrapping(req *policy.Request) int {
	name := max(len(req.ClientName), minName)
	var space [64]byte
	addr := max(len(req.Client.AppendTo(space[:0])), minAddress)
	return max(len(recipientForm)+len(req.Recipient), len(clientForm)+name+addr)
}

// shorter is by how many bytes an action is longer than the code that Postfix puts in its
// place.
func shorter(head string) int {
	if word, _, _ := strings.Cut(head, " "); len(word) > len("450") {
		return len(word) - len("450")
	}
	return 0
}

// line is an action with its text, in parts.
type line struct {
	head   string // of the action, up to the text
	text   string // with placeholders
	url    []byte
	values values
	whole  []byte
}

// lines are used again: who is refused is not dearer than who is not.
var lines = sync.Pool{New: func() any { return new(line) }}

// put keeps nothing alive of what was told.
func (l *line) put() {
	l.values = values{}
	lines.Put(l)
}

// String is the action, of at most some bytes if that leaves room for the URL.
func (l *line) String(limit int) string {
	sentence, named := strings.CutSuffix(l.text, help)
	switch {
	case named && len(l.url) == 0:
		sentence = strings.TrimRight(sentence, " :;,-(")
	case named:
		sentence = strings.TrimRight(sentence, " ")
	}
	for {
		b := append(l.whole[:0], l.head...)
		b = fill(b, sentence, &l.values)
		end := len(b)
		if l.values.contact != "" && l.values.loses < losesContact && !strings.Contains(l.text, "{contact}") {
			b = l.values.appendContact(append(join(b), "contact "...))
		}
		switch {
		case named && len(l.url) > 0:
			b = append(b, ' ')
		case len(l.url) > 0:
			b = append(join(b), "see "...)
		}
		b = append(b, l.url...)
		switch l.whole = b; {
		case len(b) <= limit:
			return string(b)
		case l.values.loses == losesContact:
			return string(l.cut(b, end, limit, named))
		}
		l.values.loses++
	}
}

// Sentence is the rule's own part of a text, without what is put behind it.
func Sentence(text string) string {
	for _, added := range []string{"see http", "contact "} {
		i := strings.LastIndex(text, " "+added)
		if i > 0 && strings.IndexByte(text[i+1+len(added):], ' ') < 0 {
			text = strings.TrimSuffix(text[:i], ";")
		}
	}
	return text
}

// join puts what goes between two parts of a text, by how the first one ends.
func join(b []byte) []byte {
	switch n := len(b); {
	case n == 0 || b[n-1] == ' ':
		return b
	case strings.IndexByte(".!?", b[n-1]) >= 0 && !bytes.HasSuffix(b, []byte(dots)):
		return append(b, ' ')
	}
	return append(b, "; "...)
}

// cut takes words away from the sentence, which ends at some place in b, and if that is
// not enough all but the URL.
func (l *line) cut(b []byte, end, limit int, named bool) []byte {
	behind := " " + dots
	switch {
	case named && len(l.url) > 0:
		behind += " "
	case len(l.url) > 0:
		behind += "; see "
	}
	sentence := bytes.TrimRight(b[:end], " ")
	most := min(limit-len(behind)-len(l.url), len(sentence)-1)
	keep := bytes.LastIndexByte(sentence[:max(most+1, 0)], ' ')
	if keep <= len(l.head) {
		return slices.Concat([]byte(l.head), l.url)
	}
	return slices.Concat(sentence[:keep], []byte(behind), l.url)
}
