package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxSpec bounds a domain-spec, in bytes. What it makes is cut to 253 (RFC 7208 section
// 7.3), and each of its macros may be as long as a sender is.
const maxSpec = 512

// kind is what a term is.
type kind uint8

const (
	kindAll kind = iota
	kindInclude
	kindA
	kindMX
	kindPTR
	kindIP4
	kindIP6
	kindExists
	kindRedirect
	kindExp
	kindUnknown // a modifier that nobody knows, which counts for nothing
)

// mechanisms are the kinds by their names: RFC 7208 section 5.
var mechanisms = map[string]kind{
	"all": kindAll, "include": kindInclude, "a": kindA, "mx": kindMX, "ptr": kindPTR, "ip4": kindIP4, "ip6": kindIP6, "exists": kindExists,
}

// term is a directive or a modifier of a record.
type term struct {
	kind kind
	text string // as it stands there, without its qualifier
	// plain is how the library gets it: its name in lower case, and without what is not
	// evaluated.
	plain     string
	qualifier byte // '+', '-', '~' or '?'
	spec      string
	macros    macros // in the spec
	net       netip.Prefix
	bits      [2]int // of a and mx: IPv4 and IPv6
}

// record is a policy.
type record struct{ terms []term }

// errs of records. They are for people.
var (
	errTwice   = errors.New("a modifier that is there twice")
	errCharset = errors.New("a byte that is not printable ASCII")
)

// parse reads a policy after its version: RFC 7208 section 12. A syntax error anywhere in
// it is an error (section 4.6).
func parse(text string) (*record, error) {
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return nil, errCharset
	}
	r := record{terms: make([]term, 0, strings.Count(text, " ")+1)}
	var redirect, exp bool
	for word := range strings.SplitSeq(text, " ") {
		if word == "" {
			continue
		}
		t, err := parseTerm(word)
		if err != nil {
			return nil, fmt.Errorf("%.60q: %w", word, err)
		}
		if t.kind == kindRedirect && redirect || t.kind == kindExp && exp {
			return nil, fmt.Errorf("%.60q: %w", word, errTwice)
		}
		redirect = redirect || t.kind == kindRedirect
		exp = exp || t.kind == kindExp
		r.terms = append(r.terms, t)
	}
	return &r, nil
}

// parseTerm reads a word of a policy. A modifier has a "=" before any ":" or "/", and no
// qualifier: section 4.6.1.
func parseTerm(word string) (term, error) {
	end := strings.IndexAny(word, "=:/")
	if end > 0 && word[end] == '=' {
		return parseModifier(word, word[:end], word[end+1:])
	}
	t := term{qualifier: '+', text: word, bits: [2]int{32, 128}}
	if strings.IndexByte("+-~?", word[0]) >= 0 {
		t.qualifier, t.text = word[0], word[1:]
	}
	end = strings.IndexAny(t.text, ":/")
	if end < 0 {
		end = len(t.text)
	}
	name, rest := strings.ToLower(t.text[:end]), t.text[end:]
	kind, ok := mechanisms[name]
	if !ok {
		return term{}, errors.New("no mechanism, and no modifier")
	}
	t.kind = kind
	if err := t.parseValue(rest); err != nil {
		return term{}, err
	}
	t.plain = name + rest
	if kind == kindExists {
		t.plain = name + ":" + existsMark + t.spec
	}
	return t, nil
}

// parseValue reads what follows the name of a mechanism.
func (t *term) parseValue(rest string) error {
	switch t.kind {
	case kindAll:
		if rest != "" {
			return errors.New("a value that all has not")
		}
		return nil
	case kindIP4, kindIP6:
		return t.parseNetwork(rest)
	case kindA, kindMX:
		var err error
		if rest, err = t.parseLengths(rest); err != nil || rest == "" {
			return err
		}
	case kindPTR:
		if rest == "" {
			return nil
		}
	}
	spec, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return errors.New("no domain")
	}
	return t.parseSpec(spec)
}

// parseLengths takes the lengths of prefixes off the end of what follows a or mx: "/24",
// "//64", "/24//64".
func (t *term) parseLengths(rest string) (string, error) {
	at := len(rest)
	for at > 0 && (rest[at-1] == '/' || rest[at-1] >= '0' && rest[at-1] <= '9') {
		at--
	}
	// Digits before the first slash are of the domain.
	first := strings.IndexByte(rest[at:], '/')
	if first < 0 {
		return rest, nil
	}
	rest, lengths := rest[:at+first], rest[at+first+1:]
	four, six, both := strings.Cut("/"+lengths, "//")
	var err error
	if four != "" {
		t.bits[0], err = length(four[1:], 32)
	}
	if both && err == nil {
		t.bits[1], err = length(six, 128)
	}
	return rest, err
}

// length reads the length of a prefix, which has no leading zeros.
func length(text string, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most || strconv.Itoa(n) != text {
		return 0, fmt.Errorf("/%.20s: want /0 to /%d", text, most)
	}
	return n, nil
}

// parseNetwork reads what follows ip4 and ip6.
func (t *term) parseNetwork(rest string) error {
	text, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return errors.New("no address")
	}
	text, bits, some := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is4() != (t.kind == kindIP4) {
		return errors.New("no such address")
	}
	n := addr.BitLen()
	if some {
		if n, err = length(bits, n); err != nil {
			return err
		}
	}
	t.net, err = addr.Prefix(n)
	return err
}

// parseModifier reads a modifier: section 6.
func parseModifier(word, name, value string) (term, error) {
	t := term{text: word}
	switch strings.ToLower(name) {
	case "redirect":
		t.kind = kindRedirect
		t.plain = "redirect=" + value
		return t, t.parseSpec(value)
	case "exp":
		t.kind = kindExp
		return t, t.parseSpec(value)
	}
	t.kind = kindUnknown
	for i := range len(name) {
		c := name[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && strings.IndexByte("-_.", c) < 0) {
			return t, errors.New("no name of a modifier")
		}
	}
	_, _, err := readMacros(value)
	return t, err
}

// parseSpec reads a domain-spec: a macro-string that ends in a macro or a top label
// (section 7.1).
func (t *term) parseSpec(spec string) error {
	switch {
	case spec == "":
		return errors.New("no domain")
	case len(spec) > maxSpec:
		return errors.New("a domain that is too long")
	}
	m, ends, err := readMacros(spec)
	if err != nil {
		return err
	}
	if m&(macroC|macroR|macroT) != 0 {
		return errors.New("a macro for explanations only")
	}
	if !ends && !hasTopLabel(spec) {
		return errors.New("no domain name")
	}
	t.spec, t.macros = spec, m
	return nil
}

// hasTopLabel reports whether a text ends in a dot and the label of a top-level domain,
// which is not a number alone.
func hasTopLabel(spec string) bool {
	spec = strings.TrimSuffix(spec, ".")
	dot := strings.LastIndexByte(spec, '.')
	if dot < 0 {
		return false
	}
	label := spec[dot+1:]
	alone := true
	for i := range len(label) {
		c := label[i]
		if !isLetter(c) && !isDigit(c) && (c != '-' || i == 0 || i == len(label)-1) {
			return false
		}
		alone = alone && isDigit(c)
	}
	return !alone
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// macros are the macro letters of a text.
type macros uint16

const (
	macroS macros = 1 << iota // sender
	macroL                    // its local part
	macroO                    // its domain
	macroD                    // the domain that is evaluated
	macroI                    // the client
	macroP                    // its name
	macroH                    // HELO
	macroV                    // in-addr or ip6
	macroC
	macroR
	macroT
)

// ofSender are what makes a result depend on more than client and domain, and chosen what
// lets whoever owns a domain answer each client as he likes.
const (
	ofSender = macroS | macroL | macroH
	chosen   = ofSender | macroI | macroP
)

const macroLetters = "slodiphvcrt" // in the order of the constants

// readMacros reads a macro-string, and says whether it ends in a macro.
func readMacros(text string) (all macros, ends bool, err error) {
	for i := 0; i < len(text); {
		if text[i] != '%' {
			ends = false
			i++
			continue
		}
		ends = true
		rest := text[i+1:]
		if rest != "" && strings.IndexByte("%_-", rest[0]) >= 0 {
			i += 2
			continue
		}
		end := strings.IndexByte(rest, '}')
		if end < 2 || rest[0] != '{' {
			return 0, false, errors.New("no macro")
		}
		m, ok := readMacro(rest[1:end])
		if !ok {
			return 0, false, errors.New("no macro")
		}
		all |= m
		i += 1 + end + 1
	}
	return all, ends, nil
}

// readMacro reads what is between braces: a letter, how many labels, r, delimiters.
func readMacro(text string) (macros, bool) {
	letter := strings.IndexByte(macroLetters, text[0]|0x20)
	if letter < 0 {
		return 0, false
	}
	rest := strings.TrimLeft(text[1:], "0123456789")
	if digits := text[1 : len(text)-len(rest)]; digits != "" && strings.Trim(digits, "0") == "" {
		return 0, false // section 7.1: not zero
	}
	if rest != "" && rest[0]|0x20 == 'r' {
		rest = rest[1:]
	}
	return 1 << letter, strings.Trim(rest, ".-+,/_=") == ""
}

// plain is the record as the library gets it for a client: without what is not evaluated,
// and without networks that the client is not in. Of these a large hoster has a hundred,
// and the library takes a microsecond for each.
func (r *record) plain(client netip.Addr) string {
	var s strings.Builder
	s.WriteString(version)
	for i := range r.terms {
		t := &r.terms[i]
		switch {
		case t.kind == kindExp, t.kind == kindUnknown:
			continue
		case (t.kind == kindIP4 || t.kind == kindIP6) && !t.net.Contains(client):
			continue
		}
		s.WriteByte(' ')
		if t.kind != kindRedirect {
			s.WriteByte(t.qualifier)
		}
		s.WriteString(t.plain)
	}
	return s.String()
}

// find is the term that the library calls so, or nil.
func (r *record) find(plain string) *term {
	for i := range r.terms {
		if r.terms[i].plain == plain && plain != "" {
			return &r.terms[i]
		}
	}
	return nil
}
