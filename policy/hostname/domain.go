package hostname

import (
	"bytes"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// registered is where the registered domain starts in name, which is in lower
// case: the public suffix and one label more, by the part of the list that
// registries keep. The private section is left out, as what operators enter
// there (compute.amazonaws.com) holds the labels that are to be judged.
func registered(name string) int {
	suffix, icann := publicsuffix.PublicSuffix(name)
	for !icann {
		_, parent, ok := strings.Cut(suffix, ".")
		if !ok {
			break
		}
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	if len(suffix) >= len(name) {
		return 0
	}
	return strings.LastIndexByte(name[:len(name)-len(suffix)-1], '.') + 1
}

// twoLabels is where the last two labels of name start, the least that a
// registered domain is.
func twoLabels(name string) int {
	return strings.LastIndexByte(name[:len(name)-len(lastLabel(name))-1], '.') + 1
}

// isFlat reports whether names are registered right below a top-level domain,
// whatever their second label is. It spares the look into the list, which
// allocates, for most of the names that there are.
func isFlat(tld string) bool {
	switch tld {
	case "com", "net", "org", "info", "de", "eu", "ch":
		return true
	}
	return false
}

// domain is the first label of the registered domain.
func (t *text) domain() span {
	end := uint8(t.cut)
	for !t.endsLabel(end) {
		end++
	}
	return span{uint8(t.cut), end}
}

// isMailService reports whether the registered domain is that of a mail service
// by its name: sendgrid, mailgun, smtp2go. These name whole pools after their
// addresses, often without a mail word.
func (t *text) isMailService() bool {
	d := t.domain()
	label := t.lower[d.start:d.end]
	for _, stem := range [...]string{"mail", "smtp", "newsletter"} {
		if bytes.Contains(label, []byte(stem)) {
			return true
		}
	}
	for _, stem := range [...]string{"send", "post", "msg", "mx", "mta", "message", "letter", "deliver", "bounce", "inbox"} {
		if bytes.HasPrefix(label, []byte(stem)) || bytes.HasSuffix(label, []byte(stem)) {
			return true
		}
	}
	return false
}

// isZone reports whether the whole address is found as four labels: the reverse zone
// written forwards by a script, as no mail service names its pools.
func (t *text) isZone() bool {
	at := t.found.at
	if t.found.basis != Address || at.start > 0 && t.lower[at.start-1] != '.' || !t.endsLabel(at.end) {
		return false
	}
	for _, c := range t.lower[at.start:at.end] {
		if c != '.' && !isDigit(c) {
			return false
		}
	}
	return true
}
