package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// begin is a Monday.
var begin = time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)

// try is one recipient of one try, as a test tells it.
type try struct {
	at        time.Duration // since begin
	client    string
	ptr       string // confirmed, or with ? behind it leading elsewhere; empty: none
	helo      string // does not resolve, or with = behind it to the client
	sender    string
	recipient string // empty: user@example.com
	config    string // hash; empty: that of the rules
	beside    bool   // a name that resolves elsewhere does so within the /24
}

// record is what the daemon would have logged of it under some rules.
func (y try) record(t testing.TB, n int, rules *policy.Rules) journal.Record {
	t.Helper()
	client := netip.MustParseAddr(y.client)
	r := journal.Record{ID: fmt.Sprint(n), Config: "0123", Elapsed: time.Duration(n%97) * time.Millisecond, Request: policy.Request{
		Time: begin.Add(y.at), Client: client, State: "RCPT", Sender: y.sender, Recipient: "user@example.com", Instance: fmt.Sprintf("%x.%x", n, n),
	}}
	if y.config != "" {
		r.Config = y.config
	}
	if y.recipient != "" {
		r.Request.Recipient = y.recipient
	}
	back := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{client}}
	helo, forwards := bytes.CutSuffix([]byte(y.helo), []byte("="))
	r.Request.HELO = string(helo)
	r.Facts = policy.NewFacts(&r.Request)
	r.Facts.HELO.Forward = resolver.Forward{Outcome: resolver.None}
	if forwards {
		r.Facts.HELO.Forward = back
	}
	r.Facts.PTR = resolver.None
	if y.ptr != "" {
		name, unsure := bytes.CutSuffix([]byte(y.ptr), []byte("?"))
		r.Facts.PTR = resolver.Found
		r.Facts.Names = []policy.Name{policy.NewName(string(name), client)}
		r.Facts.Names[0].Forward = back
		if unsure {
			r.Facts.Names[0].Forward = resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.99")}}
			if y.beside {
				r.Facts.Names[0].Forward.Addrs[0] = netip.MustParseAddr("203.0.113.99")
			}
		}
	}
	r.Facts.Past, r.Facts.SPF.Result = policy.Past{Asked: true, DomainAsked: true}, policy.None
	r.Decision = rules.Judge(&r.Request, &r.Facts)
	if r.Decision.Action != policy.DUNNO {
		r.Reply = reply.Plain(&r.Request, &r.Facts, &r.Decision)
	}
	return r
}

// logOf is the decision log of some tries.
func logOf(t testing.TB, rules *policy.Rules, tries []try) []byte {
	t.Helper()
	var log []byte
	for i := range tries {
		r := tries[i].record(t, i+1, rules)
		log = journal.Logfmt.Append(log, &r)
	}
	return log
}

// builtinRules are the built-in rules, in force.
func builtinRules() *policy.Rules {
	rules := &policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer, OnOutage: policy.DUNNO}
	if err := rules.OwnNames.Add("mx.example.com"); err != nil {
		panic(err)
	}
	return rules
}

// rule is a rule of one entry.
func rule(t testing.TB, name string, action policy.Action, key string, values ...string) policy.Rule {
	t.Helper()
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	return policy.Rule{Name: name, Action: action, When: policy.Table{e}, Text: name}
}

// read is the report on a log.
func read(t testing.TB, log []byte, rules *policy.Rules) *Report {
	t.Helper()
	in := journal.Input{Name: "log", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(log)), nil }}
	r, err := Read(context.Background(), &journal.Reader{Inputs: []journal.Input{in}}, Config{
		Rules: rules, Name: "config.toml", Hash: "0123", Place: time.UTC,
		Wants:    func(*journal.Record) bool { return true },
		Progress: func(int) {},
		WriteRule: func(w io.Writer, r *policy.Rule) {
			fmt.Fprintf(w, "[[rule]]\nname = %q\nwhen = { %s = %q }\n", r.Name, r.When[0].Key, r.When[0].Written)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
