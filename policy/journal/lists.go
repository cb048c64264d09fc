package journal

import (
	"cmp"
	"errors"
	"iter"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// value is what a line has of a key.
type value struct {
	text  string
	array bool // it is an array of JSON, and the text is that
}

// element is one of a list: a text, or the members of an object.
type element struct {
	text   string
	member [3]string
}

// elements hands the elements of a list to yield: those of a list of objects with members
// of these keys, which split takes from what logfmt has.
func (v value) elements(members []string, split func(string) [3]string, yield func(element)) error {
	if v.array {
		return v.arrayElements(members, yield)
	}
	for text := range splitList(v.text) {
		e := element{text: text}
		if split != nil {
			e.member = split(text)
		}
		yield(e)
	}
	return nil
}

// texts hands the elements of a list of texts to yield.
func (v value) texts(yield func(string)) error {
	return v.elements(nil, nil, func(e element) { yield(e.text) })
}

// splitList reads a list of logfmt.
func splitList(v string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := v != ""; more; {
			end, escaped := 0, false
			for end < len(v) && v[end] != ',' {
				if v[end] == '\\' && end+1 < len(v) {
					escaped = true
					end++
				}
				end++
			}
			e := v[:end]
			if escaped {
				e = unescape(e)
			}
			if more = end < len(v); more {
				v = v[end+1:]
			}
			if !yield(e) {
				return
			}
		}
	}
}

// list writes a list: texts or objects in an array of JSON; or, of logfmt, a text with
// commas between its elements.
type list struct {
	buf     []byte
	json    bool
	begin   int  // where in the buffer it begins
	some    bool // there is an element
	members int  // that were written of the element
	odd     bool // one of them may need quotes in logfmt
	cut     bool // it holds less than there was
}

func (l *list) open() {
	if l.json {
		l.buf = append(l.buf, '[')
	}
}

// element begins an element.
func (l *list) element() {
	if l.some {
		l.buf = append(l.buf, ',')
	}
	l.some, l.members = true, 0
}

// member begins a member of an element, and reports whether it is written: all of logfmt,
// of JSON the first and those that are not empty.
func (l *list) member(key string, empty bool) bool {
	switch {
	case !l.json && l.members > 0:
		l.buf = append(l.buf, '>')
	case l.json && empty && l.members > 0:
		return false
	case l.json:
		l.buf = append(append(append(l.buf, "{,"[b2i(l.members > 0)], '"'), key...), `":`...)
	}
	l.members++
	return true
}

// endMembers ends an element that has members.
func (l *list) endMembers() {
	if l.json {
		l.buf = append(l.buf, '}')
	}
}

// quote begins or ends a text.
func (l *list) quote() {
	if l.json {
		l.buf = append(l.buf, '"')
	}
}

// plain adds a text that needs no escapes.
func (l *list) plain(s string) {
	l.quote()
	l.buf = append(l.buf, s...)
	l.quote()
}

// text adds a text, at most so many bytes of it.
func (l *list) text(s string, most int) {
	l.quote()
	l.part(s, most)
	l.quote()
}

// part adds to a text, at most so many bytes of it as they are written in the end.
func (l *list) part(s string, most int) {
	if bare(s) && strings.IndexByte(s, ',') < 0 && len(s) <= most {
		l.buf = append(l.buf, s...)
		return
	}
	l.odd = true
	_, n := listed(s, most)
	l.cut = l.cut || n < len(s)
	if l.json {
		l.buf, _ = appendEscaped(l.buf, s[:n], math.MaxInt)
		return
	}
	for i := range n {
		if s[i] == ',' || s[i] == '\\' {
			l.buf = append(l.buf, '\\')
		}
		l.buf = append(l.buf, s[i])
	}
}

// close ends the list.
func (l *list) close() {
	switch value := l.buf[l.begin:]; {
	case l.json:
		l.buf = append(l.buf, ']')
	case l.odd && !bare(value):
		l.buf, _ = appendQuoted(l.buf[:l.begin], string(value), math.MaxInt)
	}
}

// listed is how many bytes a text takes as written, in an element of a list that
// has quotes, and how many bytes of the text are within a bound.
func listed(s string, most int) (size, n int) {
	for i, r := range s {
		one := 0
		switch {
		case r == ',':
			one = len(`\\,`)
		case r == '\\':
			one = len(`\\\\`)
		case r == '"':
			one = len(`\"`)
		case r >= ' ' && r < 0x7f:
			one = 1
		case r < 0x10000:
			one = len(`\u0000`)
		default:
			one = 2 * len(`\u0000`)
		}
		if size+one > most {
			return size, i
		}
		size += one
	}
	return size, len(s)
}

// putWould writes what was only observed, as much of it as there is room for. The
// decision itself, if it is one of these, is always there, the last of them.
func putWould(l list, r *Record) list {
	d := &r.Decision
	observed := d.Decided != d.Action
	l.open()
	room := maxWould
	if observed {
		room -= verdictSize(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	for _, v := range d.Would {
		if room -= verdictSize(v); room < 0 {
			l.cut = true
			break
		}
		l.verdict(v)
	}
	if observed {
		l.verdict(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	l.close()
	return l
}

// verdictSize is what an element of would takes, quotes and comma included.
func verdictSize(v policy.Verdict) int {
	rule, _ := listed(v.Rule, maxRule)
	return len(v.Action.String()) + len(`":",`) + rule
}

func (l *list) verdict(v policy.Verdict) {
	l.element()
	l.quote()
	l.buf = append(append(l.buf, v.Action.String()...), ':')
	l.part(v.Rule, maxRule)
	l.quote()
}

// takeWould reads what was only observed, the decision itself included.
func takeWould(v value, r *Record) (odd string, err error) {
	odd = noWord
	bad := v.texts(func(text string) {
		word, rule, _ := strings.Cut(text, ":")
		a, known, wrong := actionOf(word)
		if !known {
			odd, err = firstWord(odd, word), cmp.Or(err, wrong)
		}
		if a == policy.Info {
			a = policy.DUNNO
		}
		r.Decision.Would = append(r.Decision.Would, policy.Verdict{Action: a, Rule: rule})
	})
	return odd, cmp.Or(err, bad)
}

// nameMembers are the members of an element of names.
var nameMembers = []string{"name", "to"}

// putNames writes the client's names.
func putNames(l list, r *Record) list {
	f := &r.Facts
	l.open()
	malformed := 0
	for i := range f.Names {
		n, most := &f.Names[i], maxName
		if !n.Valid {
			malformed++
			most = maxMalformed
		}
		if i == policy.MaxNames {
			l.cut = true
			break
		}
		if !n.Valid && malformed > maxMalformedMany {
			l.cut = true
			continue
		}
		l.element()
		if l.member("name", false) {
			l.text(n.Name, most)
		}
		if l.member("to", !known(&n.Forward)) {
			l.forward(&n.Forward, r.Request.Client)
		}
		l.endMembers()
	}
	l.close()
	return l
}

// splitName takes an element of names apart: name>address.
func splitName(s string) (members [3]string) {
	i := strings.LastIndexByte(s, '>')
	if i < 0 {
		i = len(s)
	}
	members[0], members[1] = s[:i], strings.TrimPrefix(s[i:], ">")
	return members
}

func takeNames(v value, r *Record) (odd string, err error) {
	odd = noWord
	bad := v.elements(nameMembers, splitName, func(e element) {
		if !v.array && strings.IndexByte(e.text, '>') < 0 {
			err = errors.New("want name>address")
			return
		}
		n := policy.NewName(e.member[0], r.Request.Client)
		forward, word, wrong := forwardOf(e.member[1])
		n.Forward = forward
		odd, err = firstWord(odd, word), cmp.Or(err, wrong)
		r.Facts.Names = append(r.Facts.Names, n)
	})
	return odd, cmp.Or(err, bad)
}

// firstWord is the first of two words that is any.
func firstWord(a, b string) string {
	if a != noWord {
		return a
	}
	return b
}

func putHELOTo(l list, r *Record) list {
	l.forward(&r.Facts.HELO.Forward, r.Request.Client)
	return l
}

func takeHELOTo(v value, r *Record) (odd string, err error) {
	to, texts := v.text, true
	if v.array {
		s := scanner{in: v.text}
		to, texts = s.texts()
	}
	if !texts {
		return noWord, errors.New("want an array of texts")
	}
	r.Facts.HELO.Forward, odd, err = forwardOf(to)
	return odd, err
}

// known reports whether a line has what a name resolves to.
func known(to *policy.Forward) bool {
	return to.Outcome != resolver.NotAsked && (to.Outcome != resolver.Found || len(to.Addrs) > 0)
}

// forward adds what a name resolves to: an address, in JSON an array of it, none or
// temperror; nothing if that was not queried. Of several addresses it is the client's, or
// else the one nearest to it: no judgement asks for more than whether one is the client's,
// or in its network.
func (l *list) forward(to *policy.Forward, client netip.Addr) {
	switch {
	case !known(to):
	case to.Outcome == resolver.None:
		l.plain("none")
	case to.Outcome == resolver.TempError:
		l.plain("temperror")
	default:
		l.open()
		l.quote()
		l.buf = nearest(to.Addrs, client).WithZone("").AppendTo(l.buf)
		l.quote()
		if l.json {
			l.buf = append(l.buf, ']')
		}
	}
}

// nearest is the address that has the most leading bits in common with the
// client's, of several the first.
func nearest(addrs []netip.Addr, client netip.Addr) netip.Addr {
	return slices.MaxFunc(addrs, func(a, b netip.Addr) int { return commonBits(a, client) - commonBits(b, client) })
}

// commonBits is the number of leading bits that two addresses of one family have
// in common, -1 of others.
func commonBits(a, b netip.Addr) int {
	if a.BitLen() != b.BitLen() {
		return -1
	}
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 8 * len(x)
}

// forwardOf reads what a name resolves to.
func forwardOf(s string) (l policy.Forward, odd string, err error) {
	switch s {
	case "":
		return policy.Forward{}, noWord, nil
	case "none":
		return policy.Forward{Outcome: resolver.None}, noWord, nil
	case "temperror":
		return policy.Forward{Outcome: resolver.TempError}, noWord, nil
	}
	if isWord(s) {
		return policy.Forward{}, s, nil
	}
	l.Outcome = resolver.Found
	for a := range strings.SplitSeq(s, "+") {
		addr, err := netip.ParseAddr(a)
		if err != nil || addr.Zone() != "" {
			return policy.Forward{}, noWord, errors.New("want addresses, none or temperror")
		}
		l.Addrs = append(l.Addrs, addr)
	}
	return l, noWord, nil
}

// errorMembers are the members of an element of dns_errors.
var errorMembers = []string{"about", "server", "reason"}

// putErrors writes why lookups failed, as much of it as there is room for.
func putErrors(l list, r *Record) list {
	l.open()
	room := maxErrors
	for i := range r.Facts.Errors {
		e := &r.Facts.Errors[i]
		if room -= errorSize(e); room < 0 {
			l.cut = true
			break
		}
		l.element()
		// No name that is looked up has a >, and it would end here.
		if about := strings.ReplaceAll(e.About, ">", "?"); l.member("about", false) {
			l.text(about, maxName)
		}
		server := netip.AddrPortFrom(e.Server.Addr().WithZone(""), e.Server.Port())
		if l.member("server", !server.IsValid()) && server.IsValid() {
			l.quote()
			l.buf = server.AppendTo(l.buf)
			l.quote()
		}
		if l.member("reason", e.Reason == "") {
			l.text(e.Reason, maxReason)
		}
		l.endMembers()
	}
	l.close()
	return l
}

// errorSize is what an element of dns_errors takes at most.
func errorSize(e *policy.LookupError) int {
	about, _ := listed(e.About, maxName)
	reason, _ := listed(e.Reason, maxReason)
	size := len(`{"about":"","server":"","reason":""},`) + about + reason
	if e.Server.IsValid() {
		size += maxServer
	}
	return size
}

// splitError takes an element of dns_errors apart: about>server>reason.
func splitError(s string) (members [3]string) {
	parts := strings.SplitN(s, ">", 3)
	copy(members[3-len(parts):], parts)
	if len(parts) == 2 {
		members[0], members[1] = parts[0], ""
	}
	return members
}

func takeErrors(v value, r *Record) (odd string, err error) {
	err = v.elements(errorMembers, splitError, func(e element) {
		of := policy.LookupError{About: e.member[0], Reason: e.member[2]}
		if e.member[1] != "" {
			server, err := netip.ParseAddrPort(e.member[1])
			if err != nil {
				of.Reason = e.member[1] + ">" + e.member[2]
			} else {
				of.Server = netip.AddrPortFrom(server.Addr().WithZone(""), server.Port())
			}
		}
		r.Facts.Errors = append(r.Facts.Errors, of)
	})
	return noWord, err
}
