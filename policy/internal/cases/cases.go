// Package cases reads what tests of policy and of policy/gather hold against clients:
// tables of one line for each client. README.txt in policy/testdata tells the notation.
package cases

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// A Case is one line of a table in testdata: a client, and what is wanted
// of it. README.txt there tells the notation.
type Case struct {
	Where string // file:line
	Rules *policy.Rules
	Evidence
	Want string
}

// Evidence is what there is to know about one client.
type Evidence struct {
	Text  string
	Req   policy.Request
	Facts policy.Facts
}

// Read reads a table. Lines "with" and "rule" after a case begin anew.
func Read(tb testing.TB, file string) []Case {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	var cases []Case
	rules, used := &policy.Rules{OnDoubt: policy.Defer}, false
	for i, line := range strings.Split(string(text), "\n") {
		where := fmt.Sprintf("%s:%d", file, i+1)
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if left, want, ok := strings.Cut(line, "=>"); ok {
			e, err := Client(left)
			if err != nil {
				tb.Fatalf("%s: %v", where, err)
			}
			cases = append(cases, Case{where, rules, e, strings.TrimSpace(want)})
			used = true
			continue
		}
		if used {
			rules, used = &policy.Rules{OnDoubt: policy.Defer}, false
		}
		if err := Setting(rules, line); err != nil {
			tb.Fatalf("%s: %v", where, err)
		}
	}
	return cases
}

// Client reads the left side of a case.
func Client(text string) (Evidence, error) {
	words := strings.Fields(text)
	e := Evidence{Text: strings.Join(words, " "), Req: policy.Request{
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), State: "RCPT",
	}}
	addr, err := netip.ParseAddr(words[0])
	if err != nil {
		return e, err
	}
	e.Req.Client = address.Plain(addr)
	e.Facts.Past.Asked, e.Facts.Past.DomainAsked = true, true
	e.Facts.SPF.Result = policy.None
	for _, w := range words[1:] {
		if err := e.word(w); err != nil {
			return e, fmt.Errorf("%s: %w", w, err)
		}
	}
	return e, nil
}

func (e *Evidence) word(w string) (err error) {
	switch key, value, _ := strings.Cut(w, ":"); key {
	case "at":
		e.Req.State = value
	case "on":
		e.Req.Time, err = time.Parse(time.RFC3339, value)
	case "from":
		e.Req.Sender = strings.Trim(value, "<>")
	case "to":
		e.Req.Recipient = value
	case "context":
		e.Req.Context = value
	case "server":
		e.Req.Server, err = netip.ParseAddr(value)
		e.Req.Server = address.Plain(e.Req.Server)
	case "past":
		return e.past(value)
	case "spf", "dnswl":
		check, _ := policy.CheckByName(key)
		result, known := check.Result(value)
		if *check.Fact(&e.Facts) = result; !known && value != "?" {
			return fmt.Errorf("want a result of %s, or ?", key)
		}
	case "auth":
		e.Req.Authenticated = true
	case "tls":
		e.Req.Encrypted = true
	case "own_client":
		e.Facts.OwnClient = true
	case "own_helo":
		e.Facts.OwnHELO = true
	case "more":
		e.Facts.PTR, e.Facts.MoreNames = resolver.Found, true
	case "ptr":
		e.Facts.PTR, err = outcome(value)
	case "helo":
		return e.helo(value)
	default:
		return e.name(w)
	}
	return err
}

// past reads what is remembered: known, returned, new, or ? for "not asked"; behind it
// since which time the client is objected to, as known:objected:2h, nat, correspondent, or
// sender for a known domain of MAIL FROM.
func (e *Evidence) past(text string) (err error) {
	p := &e.Facts.Past
	result, rest, _ := strings.Cut(text, ":")
	switch day := 24 * time.Hour; result {
	case "known":
		p.FirstContact, p.LastPass, p.PassDays = e.Req.Time.Add(-3*day), e.Req.Time.Add(-day), 2
	case "returned":
		p.FirstContact, p.Returned = e.Req.Time.Add(-day), e.Req.Time.Add(-day)
	case "new":
	case "?":
		p.Asked, p.DomainAsked = false, false
	default:
		return fmt.Errorf("want known, returned, new or ?")
	}
	for word := range strings.SplitSeq(rest, ":") {
		switch word {
		case "", "objected":
		case "nat":
			p.NAT = true
		case "correspondent":
			p.Correspondent = true
		case "sender":
			p.DomainKnown = true
		default:
			ago, err := time.ParseDuration(word)
			if err != nil {
				return err
			}
			p.Objected = e.Req.Time.Add(-ago)
		}
	}
	return nil
}

// helo reads NAME, NAME>FORWARD, NAME~STRENGTH>FORWARD.
func (e *Evidence) helo(text string) (err error) {
	name, to, _ := strings.Cut(text, ">")
	name, looks, forced := strings.Cut(name, "~")
	e.Req.HELO = name
	e.Facts.HELO = policy.NewHELO(name, e.Req.Client)
	if forced {
		e.Facts.HELO.Verdict = verdict(looks)
	}
	e.Facts.HELO.Forward, err = e.forward(to)
	return err
}

// name reads NAME>FORWARD or NAME~STRENGTH>FORWARD.
func (e *Evidence) name(text string) (err error) {
	name, to, ok := strings.Cut(text, ">")
	if !ok {
		return fmt.Errorf("want a name and what it resolves to")
	}
	name, looks, forced := strings.Cut(name, "~")
	n := policy.NewName(name, e.Req.Client)
	if forced {
		n.Verdict = verdict(looks)
	}
	n.Forward, err = e.forward(to)
	e.Facts.PTR = resolver.Found
	e.Facts.Names = append(e.Facts.Names, n)
	return err
}

func verdict(looks string) hostname.Verdict {
	strength, kind, _ := strings.Cut(looks, "-")
	v := hostname.Verdict{Generic: true, Kind: hostname.UnknownKind}
	for _, k := range [...]hostname.Kind{hostname.Dynamic, hostname.Static, hostname.Server} {
		if kind == k.String() {
			v.Kind = k
		}
	}
	switch strength {
	case "full":
		v.Strength = hostname.Full
	case "half":
		v.Strength = hostname.Half
	case "word":
		v.Strength = hostname.Word
	case "proper":
		v.Generic, v.Kind = false, hostname.NoKind
	}
	return v
}

func outcome(text string) (resolver.Outcome, error) {
	switch text {
	case "", "?":
		return resolver.NotQueried, nil
	case "none":
		return resolver.None, nil
	case "temperror":
		return resolver.TempError, nil
	}
	return resolver.Found, fmt.Errorf("%q: want none, temperror or ?", text)
}

// forward reads what a name resolves to; "me" is the client.
func (e *Evidence) forward(text string) (resolver.Forward, error) {
	if o, err := outcome(text); err == nil {
		return resolver.Forward{Outcome: o}, nil
	}
	l := resolver.Forward{Outcome: resolver.Found}
	for a := range strings.SplitSeq(text, "+") {
		if a == "me" {
			a = e.Req.Client.String()
		}
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return l, err
		}
		l.Addrs = append(l.Addrs, addr)
	}
	return l, nil
}

// Setting reads a line that says how clients are judged.
func Setting(r *policy.Rules, line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch kind {
	case "with":
		for w := range strings.FieldsSeq(rest) {
			if err := readWith(r, w); err != nil {
				return err
			}
		}
		return nil
	case "builtin":
		r.List = append(r.List, builtin.Rules()...)
		return nil
	case "rule", "exempt":
		if kind == "exempt" {
			name, entries, _ := strings.Cut(rest, ": ")
			rest = name + ": dunno " + entries
		}
		rule, err := Rule(rest)
		rule.Exempt = kind == "exempt"
		r.List = append(r.List, rule)
		return err
	}
	return fmt.Errorf("%q: want with, builtin, rule or exempt", line)
}

func readWith(r *policy.Rules, w string) (err error) {
	switch key, value, _ := strings.Cut(w, ":"); key {
	case "own":
		if r.OwnAddrs.Add(value) != nil {
			err = r.OwnNames.Add(value)
		}
	case "networks":
		err = r.Networks.Add(value)
	case "proper":
		err = r.ProperNames.Add(value)
	case "generic":
		err = r.GenericNames.Add(value)
	case "on_doubt":
		r.OnDoubt, err = policy.ParseAction(value)
	case "defer_for":
		r.DeferFor, err = time.ParseDuration(value)
	case "grace":
		r.Grace, err = time.ParseDuration(value)
	case "keep":
		r.Keep, err = time.ParseDuration(value)
	case "strangers":
		err = r.Strangers.Add(value)
	case "dnswl":
		r.AllowList = value
	case "mode":
		r.Mode = map[string]policy.Mode{"observe": policy.Observe, "info": policy.ObserveInfo}[value]
	default:
		err = fmt.Errorf("unknown setting %q", w)
	}
	return err
}

// Rule reads NAME: ACTION [observe] [N%] [when ENTRY…] [unless ENTRY…]…
func Rule(text string) (policy.Rule, error) {
	name, rest, _ := strings.Cut(text, ": ")
	words := strings.Fields(rest)
	rule := policy.Rule{Name: name, Text: "text of " + name}
	var err error
	if rule.Action, err = policy.ParseAction(words[0]); err != nil {
		return rule, err
	}
	table := &rule.When
	for _, w := range words[1:] {
		switch {
		case w == "observe":
			rule.Observe = true
		case strings.HasSuffix(w, "%"):
			if rule.Percent, err = strconv.Atoi(strings.TrimSuffix(w, "%")); err != nil {
				return rule, err
			}
		case strings.HasPrefix(w, "defer_for:"):
			period, err := time.ParseDuration(strings.TrimPrefix(w, "defer_for:"))
			if err != nil {
				return rule, err
			}
			rule.DeferFor = &period
		case w == "when":
		case w == "unless":
			rule.Unless = append(rule.Unless, nil)
			table = &rule.Unless[len(rule.Unless)-1]
		default:
			key, values, _ := strings.Cut(w, "=")
			list := strings.Split(values, ",")
			e, errs := policy.NewEntry(key, list, list)
			if len(errs) > 0 {
				return rule, errs[0]
			}
			*table = append(*table, e)
		}
	}
	return rule, nil
}

// Show writes facts as the tables have them.
func Show(req *policy.Request, f *policy.Facts) string {
	forward := func(l *resolver.Forward) string {
		switch l.Outcome {
		case resolver.NotQueried:
			return "?"
		case resolver.None:
			return "none"
		case resolver.TempError:
			return "temperror"
		}
		var s []string
		for _, a := range l.Addrs {
			if a == req.Client {
				s = append(s, "me")
				continue
			}
			s = append(s, a.String())
		}
		return strings.Join(s, "+")
	}
	var words []string
	switch f.PTR {
	case resolver.None:
		words = append(words, "ptr:none")
	case resolver.TempError:
		words = append(words, "ptr:temperror")
	}
	for i := range f.Names {
		words = append(words, f.Names[i].Name+">"+forward(&f.Names[i].Forward))
	}
	if f.MoreNames {
		words = append(words, "more")
	}
	if f.HELO.Forward.Outcome != resolver.NotQueried {
		words = append(words, "helo:"+f.HELO.Name+">"+forward(&f.HELO.Forward))
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{f.OwnClient, "own_client"}, {f.OwnHELO, "own_helo"}, {f.Cached, "cached"}, {f.Stale, "stale"}} {
		if flag.set {
			words = append(words, flag.name)
		}
	}
	for _, voice := range voices {
		c, _ := policy.CheckByName(voice)
		if r := *c.Fact(f); r != policy.NotLearnt {
			words = append(words, voice+":"+r.String())
		}
	}
	for _, err := range f.Errors {
		words = append(words, "("+err.String()+")")
	}
	return strings.Join(words, " ")
}

// Alike reports whether two decisions are the same, but for which rule has said DUNNO, for
// good or for now: what is asked last is not asked where nothing would be refused.
func Alike(a, b policy.Decision) bool {
	for _, d := range []*policy.Decision{&a, &b} {
		if d.Decided == policy.DUNNO && !d.Downgraded {
			d.Rule, d.Exempt, d.Early = "", false, false
		}
	}
	return Told(a) == Told(b)
}

// Told is a decision as the tables have it.
func Told(d policy.Decision) string {
	if d.Undetermined {
		return "open"
	}
	s := d.Action.String()
	if d.Rule != "" {
		s += " (" + d.Rule + ")"
	}
	if !d.CarriedOut() {
		s += ", decided " + d.Decided.String()
	}
	if d.Downgraded {
		s += ", downgraded"
	}
	if d.Early {
		s += ", early"
	}
	if d.Waiting > 0 {
		s += ", waiting " + (time.Duration(d.Waiting) * time.Second).String()
	}
	if d.Rescued {
		s += ", rescued"
	}
	if d.Exempt {
		s += ", exempt"
	}
	for _, name := range d.Tags {
		s += ", tagged (" + name + ")"
	}
	for _, v := range d.Would {
		s += fmt.Sprintf(", would %v (%s)", v.Action, v.Rule)
	}
	return s
}
