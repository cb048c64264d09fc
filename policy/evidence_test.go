package policy_test

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
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// A testCase is one line of a table in testdata: a client, and what is wanted
// of it. README.txt there tells the notation.
type testCase struct {
	where string // file:line
	rules *policy.Rules
	evidence
	want string
}

// evidence is what there is to know about one client.
type evidence struct {
	text  string
	req   policy.Request
	facts policy.Facts
}

// readCases reads a table. Lines "with" and "rule" after a case begin anew.
func readCases(tb testing.TB, file string) []testCase {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	var cases []testCase
	rules, used := &policy.Rules{OnDoubt: policy.Defer}, false
	for i, line := range strings.Split(string(text), "\n") {
		where := fmt.Sprintf("%s:%d", file, i+1)
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if left, want, ok := strings.Cut(line, "=>"); ok {
			e, err := readEvidence(left)
			if err != nil {
				tb.Fatalf("%s: %v", where, err)
			}
			cases = append(cases, testCase{where, rules, e, strings.TrimSpace(want)})
			used = true
			continue
		}
		if used {
			rules, used = &policy.Rules{OnDoubt: policy.Defer}, false
		}
		if err := readSetting(rules, line); err != nil {
			tb.Fatalf("%s: %v", where, err)
		}
	}
	return cases
}

// readEvidence reads the left side of a case.
func readEvidence(text string) (evidence, error) {
	words := strings.Fields(text)
	e := evidence{text: strings.Join(words, " "), req: policy.Request{
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), State: "RCPT",
	}}
	addr, err := netip.ParseAddr(words[0])
	if err != nil {
		return e, err
	}
	e.req.Client = address.Plain(addr)
	for _, w := range words[1:] {
		if err := e.word(w); err != nil {
			return e, fmt.Errorf("%s: %w", w, err)
		}
	}
	return e, nil
}

func (e *evidence) word(w string) (err error) {
	switch key, value, _ := strings.Cut(w, ":"); key {
	case "at":
		e.req.State = value
	case "on":
		e.req.Time, err = time.Parse(time.RFC3339, value)
	case "from":
		e.req.Sender = strings.Trim(value, "<>")
	case "to":
		e.req.Recipient = value
	case "context":
		e.req.Context = value
	case "server":
		e.req.Server, err = netip.ParseAddr(value)
		e.req.Server = address.Plain(e.req.Server)
	case "auth":
		e.req.Authenticated = true
	case "tls":
		e.req.Encrypted = true
	case "own_client":
		e.facts.OwnClient = true
	case "own_helo":
		e.facts.OwnHELO = true
	case "more":
		e.facts.PTR, e.facts.MoreNames = resolver.Found, true
	case "ptr":
		e.facts.PTR, err = outcome(value)
	case "helo":
		return e.helo(value)
	default:
		return e.name(w)
	}
	return err
}

// HELO reads NAME, NAME>LEAD, NAME~STRENGTH>LEAD.
func (e *evidence) helo(text string) (err error) {
	name, to, _ := strings.Cut(text, ">")
	name, looks, forced := strings.Cut(name, "~")
	e.req.HELO = name
	e.facts.HELO = policy.NewHELO(name, e.req.Client)
	if forced {
		e.facts.HELO.Verdict = verdict(looks)
	}
	e.facts.HELO.Forward, err = e.forward(to)
	return err
}

// name reads NAME>LEAD or NAME~STRENGTH>LEAD.
func (e *evidence) name(text string) (err error) {
	name, to, ok := strings.Cut(text, ">")
	if !ok {
		return fmt.Errorf("want a name and what it resolves to")
	}
	name, looks, forced := strings.Cut(name, "~")
	n := policy.NewName(name, e.req.Client)
	if forced {
		n.Verdict = verdict(looks)
	}
	n.Forward, err = e.forward(to)
	e.facts.PTR = resolver.Found
	e.facts.Names = append(e.facts.Names, n)
	return err
}

func verdict(strength string) hostname.Verdict {
	v := hostname.Verdict{Generic: true}
	switch strength {
	case "full":
		v.Strength = hostname.Full
	case "half":
		v.Strength = hostname.Half
	case "word":
		v.Strength = hostname.Word
	case "proper":
		v.Generic = false
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

// lead reads what a name resolves to; "me" is the client.
func (e *evidence) forward(text string) (policy.Forward, error) {
	if o, err := outcome(text); err == nil {
		return policy.Forward{Outcome: o}, nil
	}
	l := policy.Forward{Outcome: resolver.Found}
	for a := range strings.SplitSeq(text, "+") {
		if a == "me" {
			a = e.req.Client.String()
		}
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return l, err
		}
		l.Addrs = append(l.Addrs, addr)
	}
	return l, nil
}

// readSetting reads a line that says how clients are judged.
func readSetting(r *policy.Rules, line string) error {
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
		r.List = append(r.List, policy.Builtin()...)
		return nil
	case "rule":
		rule, err := readRule(rest)
		r.List = append(r.List, rule)
		return err
	}
	return fmt.Errorf("%q: want with, builtin or rule", line)
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
	case "mode":
		r.Mode = map[string]policy.Mode{"observe": policy.Observe, "info": policy.ObserveInfo}[value]
	default:
		err = fmt.Errorf("unknown setting %q", w)
	}
	return err
}

// readRule reads NAME: ACTION [observe] [N%] [when ENTRY…] [unless ENTRY…]…
func readRule(text string) (policy.Rule, error) {
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
