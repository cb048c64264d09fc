package reply

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/match"
	"policyd-rdns/resolver"
)

// values are what the placeholders of a text stand for.
type values struct {
	client    netip.Addr
	helo      string
	name      string // the client's confirmed or else first name
	addresses *resolver.Forward
	recipient string
	// contact is a mail address, or what stands before its @ and domain behind.
	contact, domain string
	loses           loss
}

// loss is what a text that is too long goes without: all up to the value.
type loss uint8

const (
	losesNothing loss = iota
	losesNames
	losesAddresses
	losesContact
)

// placeholder is what a text may name in braces.
type placeholder struct {
	name   string
	lost   loss // with which it stands for dots, if they are shorter; 0: never
	append func(dst []byte, v *values) []byte
}

// help is the placeholder of the URL. It stands at the end of a text or nowhere.
const help = "{help}"

var placeholders = []placeholder{
	{"{client}", losesNothing, func(dst []byte, v *values) []byte { return v.client.AppendTo(dst) }},
	{"{helo}", losesNames, func(dst []byte, v *values) []byte { return clip(dst, v.helo) }},
	{"{name}", losesNames, func(dst []byte, v *values) []byte { return clip(dst, v.name) }},
	{"{addresses}", losesAddresses, func(dst []byte, v *values) []byte { return list(dst, v.addresses) }},
	{"{recipient}", losesNames, func(dst []byte, v *values) []byte { return clip(dst, v.recipient) }},
	{"{contact}", losesContact, func(dst []byte, v *values) []byte { return v.appendContact(dst) }},
}

// Placeholders names the placeholders of a text, braces included.
func Placeholders() []string {
	var names []string
	for _, p := range placeholders {
		names = append(names, p.name)
	}
	return append(names, help)
}

// Misplaced says what is wrong with the placeholders of a rule's text; empty: nothing.
func Misplaced(text string) string {
	rest := text
	for _, known := range Placeholders() {
		rest = strings.ReplaceAll(rest, known, "")
	}
	switch {
	case strings.ContainsAny(rest, "{}"):
		return "unknown placeholder; known are " + strings.Join(Placeholders(), ", ")
	case strings.Contains(strings.TrimSuffix(text, help), help):
		return help + " is the URL of the page: want it once, with nothing behind it, so that it is never cut"
	}
	return ""
}

const (
	// maxValue bounds what a name brings into a text, in bytes.
	maxValue = 100
	// maxAddrs bounds the addresses.
	maxAddrs = 3
	// dots stand for what is left out.
	dots = "..."
)

// clip appends a name, or as much of it as there is room for.
func clip(dst []byte, name string) []byte {
	if len(name) <= maxValue {
		return append(dst, name...)
	}
	n := maxValue - len(dots)
	for n > 0 && !utf8.RuneStart(name[n]) { // no part of a character
		n--
	}
	return append(append(dst, name[:n]...), dots...)
}

// list appends what a name resolves to.
func list(dst []byte, to *resolver.Forward) []byte {
	if to.Outcome != resolver.Found {
		return append(dst, to.String()...)
	}
	for i, a := range to.Addrs {
		if i == maxAddrs {
			dst = append(dst, " and "...)
			dst = strconv.AppendInt(dst, int64(len(to.Addrs)-i), 10)
			return append(dst, " more"...)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = a.AppendTo(dst)
	}
	return dst
}

// fill appends a text with values put into it. They may hold bytes that the client or the
// DNS chose. Braces with anything else in them stay as they are.
func fill(dst []byte, text string, v *values) []byte {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return append(dst, text...)
		}
		dst, text = append(dst, text[:i]...), text[i:]
		known := slices.IndexFunc(placeholders, func(p placeholder) bool { return strings.HasPrefix(text, p.name) })
		if known < 0 {
			dst, text = append(dst, '{'), text[1:]
			continue
		}
		p := &placeholders[known]
		text = text[len(p.name):]
		before := len(dst)
		dst = p.append(dst, v)
		if p.lost != losesNothing && p.lost <= v.loses && len(dst)-before > len(dots) {
			dst = append(dst[:before], dots...)
		}
	}
}

func (v *values) appendContact(dst []byte) []byte {
	dst = append(dst, v.contact...)
	if v.domain == "" {
		return dst
	}
	return append(append(dst, '@'), v.domain...)
}

// nowhere is what the name of a client without one resolves to.
var nowhere resolver.Forward

// newValues are those of a request. contact is as of [Settings].
func newValues(req *policy.Request, f *policy.Facts, contact string) values {
	v := values{client: req.Client, helo: req.HELO, name: "unknown", addresses: &nowhere, recipient: req.Recipient}
	if len(f.Names) > 0 {
		i := slices.IndexFunc(f.Names, func(n policy.Name) bool { return n.Forward.To(req.Client) })
		n := &f.Names[max(i, 0)]
		v.name, v.addresses = n.Name, &n.Forward
	}
	if v.contact = contact; contact != "" && !strings.Contains(contact, "@") {
		if v.domain = match.MailDomain(req.Recipient); !hostname.Valid(v.domain) {
			v.contact, v.domain = "", ""
		}
	}
	return v
}
