package journal

import (
	"cmp"
	"errors"
	"net/netip"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/journal/scan"
	"policyd-rdns/resolver"
)

// putWould writes what was only observed, as much of it as there is room for. The
// decision itself, if it is one of these, is always there, the last of them.
func putWould(l list, r *Record) list {
	d := &r.Decision
	observed := !d.CarriedOut()
	l.open()
	room := maxWould
	if observed {
		room -= verdictSize(policy.Ruling{Action: d.Decided, Rule: d.Rule})
	}
	for _, v := range d.Would {
		if room -= verdictSize(v); room < 0 {
			l.cut = true
			break
		}
		l.verdict(v)
	}
	if observed {
		l.verdict(policy.Ruling{Action: d.Decided, Rule: d.Rule})
	}
	l.close()
	return l
}

// putTags writes the rules that tagged the message.
func putTags(l list, r *Record) list {
	l.open()
	room := maxTags
	for _, name := range r.Decision.Tags {
		size, _ := listed(name, maxRule)
		if room -= size + len(`"",`); room < 0 {
			l.cut = true
			break
		}
		l.element()
		l.text(name, maxRule)
	}
	l.close()
	return l
}

func takeTags(v value, r *Record) (odd string, err error) {
	return noWord, v.texts(func(text string) { r.Decision.Tags = append(r.Decision.Tags, text) })
}

// verdictSize is what an element of would takes, quotes and comma included.
func verdictSize(v policy.Ruling) int {
	rule, _ := listed(v.Rule, maxRule)
	return len(v.Action.String()) + len(`":",`) + rule
}

func (l *list) verdict(v policy.Ruling) {
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
		r.Decision.Would = append(r.Decision.Would, policy.Ruling{Action: a, Rule: rule})
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
		forward, word, wrong := forwardOf(e.member[1])
		odd, err = firstWord(odd, word), cmp.Or(err, wrong)
		r.Facts.Names = append(r.Facts.Names, policy.Name{Name: e.member[0], Forward: forward})
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
		s := scan.Scanner{In: v.text}
		to, texts = s.Texts()
	}
	if !texts {
		return noWord, errors.New("want an array of texts")
	}
	r.Facts.HELO.Forward, odd, err = forwardOf(to)
	return odd, err
}

// known reports whether a line has what a name resolves to.
func known(to *resolver.Forward) bool {
	return to.Outcome != resolver.NotQueried && (to.Outcome != resolver.Found || len(to.Addrs) > 0)
}

// forward adds what a name resolves to: an address, in JSON an array of it, none or
// temperror; nothing if that was not queried. Of several addresses it is the client's, or
// else the one nearest to it: no judgement asks for more than whether one is the client's,
// or in its network.
func (l *list) forward(to *resolver.Forward, client netip.Addr) {
	switch {
	case !known(to):
	case to.Outcome == resolver.None:
		l.plain("none")
	case to.Outcome == resolver.TempError:
		l.plain("temperror")
	default:
		l.open()
		l.quote()
		l.buf = address.Closest(to.Addrs, client).WithZone("").AppendTo(l.buf)
		l.quote()
		if l.json {
			l.buf = append(l.buf, ']')
		}
	}
}

// forwardOf reads what a name resolves to.
func forwardOf(s string) (l resolver.Forward, odd string, err error) {
	switch s {
	case "":
		return resolver.Forward{}, noWord, nil
	case "none":
		return resolver.Forward{Outcome: resolver.None}, noWord, nil
	case "temperror":
		return resolver.Forward{Outcome: resolver.TempError}, noWord, nil
	}
	if scan.Word(s) {
		return resolver.Forward{}, s, nil
	}
	l.Outcome = resolver.Found
	for a := range strings.SplitSeq(s, "+") {
		addr, err := netip.ParseAddr(a)
		if err != nil || addr.Zone() != "" {
			return resolver.Forward{}, noWord, errors.New("want addresses, none or temperror")
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
func errorSize(e *resolver.LookupError) int {
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
		of := resolver.LookupError{About: e.member[0], Reason: e.member[2]}
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
