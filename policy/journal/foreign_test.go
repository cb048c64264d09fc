package journal_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// evidence is a line with all that the checks of a HELO that resolves elsewhere
// are drawn from.
const evidence = "time=2026-11-23T08:30:15.250Z msg=decision action=reject client=203.0.113.10 ptr=found fcrdns=mismatch name=proper " +
	"helo_form=fqdn helo=mismatch helo_name=proper names=mail.example.org>198.51.100.7 helo_to=198.51.100.7 helo_is=mail.example.net " +
	"sender=a@example.net recipient=b@example.com context=mx state=RCPT ms=1.204"

// ruleOn is one reject rule, with an entry.
func ruleOn(t *testing.T, key string, values ...string) *policy.Rules {
	t.Helper()
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	return &policy.Rules{OnDoubt: policy.Defer, List: []policy.Rule{{Name: "r", When: policy.Table{e}, Action: policy.Reject}}}
}

// outcome is what a rule on one key comes to by what a line holds.
func outcome(t *testing.T, line, rule string) (journal.Record, string) {
	t.Helper()
	r, err := journal.Parse([]byte(line))
	if err != nil {
		t.Errorf("Parse(%s): %v", line, err)
		return r, err.Error()
	}
	key, value, _ := strings.Cut(rule, "=")
	d := ruleOn(t, key, strings.Split(value, ",")...).Judge(&r.Request, &r.Facts)
	if d.Undetermined {
		return r, "undetermined"
	}
	return r, d.Decided.String()
}

// A line of another version is read as far as this one knows its words, and what
// it does not know is undetermined.
func TestParseUnknownWords(t *testing.T) {
	for _, test := range []struct{ was, is, unknown, rule, want string }{
		{"", "", "", "helo=mismatch", "reject"},
		{"helo=mismatch", "helo=sibling", `helo="sibling"`, "helo=mismatch", "undetermined"},
		{"helo=mismatch", "helo=sibling", `helo="sibling"`, "helo_form=fqdn", "reject"},
		{"helo=mismatch", "helo=sibling", `helo="sibling"`, "fcrdns=mismatch", "reject"},
		{"fcrdns=mismatch", "fcrdns=secure", `fcrdns="secure"`, "fcrdns=mismatch", "undetermined"},
		{"fcrdns=mismatch", "fcrdns=secure", `fcrdns="secure"`, "ptr=found", "reject"},
		{"name=proper", "name=rented", `name="rented"`, "name=proper", "undetermined"},
		{"helo_form=fqdn", "helo_form=idn", `helo_form="idn"`, "helo_form=fqdn", "undetermined"},
		{"helo_name=proper", "helo_name=rented", `helo_name="rented"`, "helo_name=generic", "undetermined"},
		{"ptr=found", "ptr=bogus", `ptr="bogus"`, "ptr=none", "undetermined"},
		{"ptr=found", "ptr=bogus", `ptr="bogus"`, "fcrdns=none", "undetermined"},
		{"helo=mismatch", "helo=own-domain2", `helo="own-domain2"`, "helo=mismatch", "undetermined"},
		{"names=mail.example.org>198.51.100.7", "names=mail.example.org>bogus", `names="bogus"`, "fcrdns=pass", "undetermined"},
		{"helo_to=198.51.100.7", "helo_to=bogus", `helo_to="bogus"`, "helo=match", "undetermined"},
		{"action=reject", "action=quarantine", `action="quarantine"`, "helo=mismatch", "reject"},
		{"action=reject", "action=dunno decided=score mode=observe would=score:x", `decided="score"`, "helo=mismatch", "reject"},
		{"action=reject", "action=dunno would=score:x,defer:y", `would="score"`, "helo=mismatch", "reject"},
		{"action=reject", "action=info", `decided=""`, "helo=mismatch", "reject"},
		{"action=reject", "action=reject decided=info", `decided="info"`, "helo=mismatch", "reject"},
		{"action=reject", "action=reject mode=rehearse", `mode="rehearse"`, "helo=mismatch", "reject"},
		{"state=RCPT", "state=RCPT encrypted=perhaps", `encrypted="perhaps"`, "encrypted=true", "dunno"},
		{"state=RCPT", `state=RCPT kind=dynamic spf=none history=new ptr_name=mail.example.org x="a b"`, "", "helo=mismatch", "reject"},
	} {
		line := strings.Replace(evidence, test.was, test.is, 1)
		r, got := outcome(t, line, test.rule)
		if got != test.want || r.Unknown != test.unknown {
			t.Errorf("%s: rule on %s: %s, unknown %s; want %s, %s", test.is, test.rule, got, r.Unknown, test.want, test.unknown)
		}
		if d := &r.Decision; d.Decided > policy.Reject || slices.ContainsFunc(d.Would, func(v policy.Ruling) bool { return v.Action > policy.Reject }) {
			t.Errorf("%s: %+v; no rule comes to info", test.is, *d)
		}
		if noAction := strings.Contains("action decided", strings.SplitN(test.unknown+"=", "=", 2)[0]) && test.unknown != ""; r.NoAction != noAction {
			t.Errorf("%s: NoAction is %v; want %v", test.is, r.NoAction, noAction)
		}
	}
}

// What a text that is not whole might hold is undetermined; what it cannot be is
// false.
func TestParseCutTexts(t *testing.T) {
	for _, test := range []struct{ was, is, rule, want string }{
		{"sender=a@example.net", "sender=a@exa cut=sender", "sender=example.net", "undetermined"},
		{"sender=a@example.net", "sender=a@example.net cut=sender", "sender=example.net", "undetermined"},
		{"sender=a@example.net", "sender=a@example.net cut=sender", "sender=<>", "dunno"},
		{"sender=a@example.net", "sender=a@example.net cut=sender", "sender=<>,a@", "undetermined"},
		{"sender=a@example.net", "sender=a@example.net cut=recipient,reply", "sender=example.net", "reject"},
		{"recipient=b@example.com", "recipient=b@ cut=recipient", "recipient=b@", "undetermined"},
		{"context=mx", "context=mx cut=context", "context=mx in", "undetermined"},
		{"context=mx", "context=mx cut=context", "context=mx", "dunno"},
		{"context=mx", "context=mx cut=context", "context=submission", "dunno"},
		// Another version may cut what this one does not.
		{"helo_is=mail.example.net", "helo_is=mail.example.n cut=helo_is", "helo_is=mail.example.net", "undetermined"},
		{"helo_is=mail.example.net", "helo_is=mail.example.n cut=helo_is", "helo_form=fqdn", "undetermined"},
		{"helo_is=mail.example.net", "helo_is=mail.example.n cut=helo_is", "helo=mismatch", "undetermined"},
		{"helo_is=mail.example.net", `helo_is="a b" cut=helo_is`, "helo_is=mail.example.net", "dunno"},
		{"helo_is=mail.example.net", `helo_is="a b" cut=helo_is`, "helo_form=malformed", "reject"},
		{"state=RCPT", "state=RCPT cut=time,ms,nothing,,", "sender=example.net", "reject"},
	} {
		if _, got := outcome(t, strings.Replace(evidence, test.was, test.is, 1), test.rule); got != test.want {
			t.Errorf("%s: rule on %s: %s; want %s", test.is, test.rule, got, test.want)
		}
	}
}

// What a collector makes of a line's values is the same decision.
func TestParseCollectors(t *testing.T) {
	const line = `{"time":"2026-11-23T08:30:15.250Z","msg":"decision","action":"reject","rule":"r","client":"203.0.113.10","queries":2,"cached":true,"ms":1.204}`
	want, err := journal.Parse([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ was, is string }{
		{`"queries":2`, `"queries":2.0`},
		{`"queries":2`, `"queries":2e0`},
		{`"queries":2`, `"queries":"2"`},
		{`"queries":2`, `"queries":[2]`},
		{`"rule":"r"`, `"rule":["r"]`},
		{`"cached":true`, `"cached":[true]`},
		{`"cached":true`, `"cached":"true","stale":false`},
		{`"ms"`, `"sender":null,"ms"`},
		{`"ms"`, `"sender":{"local":"a"},"recipient":[],"helo_is":["a","b"],"ms"`},
		{`"ms":1.204`, `"ms":1.204e0`},
	} {
		got, err := journal.Parse([]byte(strings.Replace(line, test.was, test.is, 1)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", test.is, got, err, want)
		}
	}
}

// Decisions with unknown words count as decisions, and are told of apart, with the
// first of them.
func TestReadUnknownWords(t *testing.T) {
	good, strange := logLine(journal.Logfmt, "a", 1), strings.Replace(logLine(journal.Logfmt, "b", 2), "action=dunno", "action=quarantine", 1)
	var told []string
	r := journal.Reader{Inputs: []journal.Input{inputOf(7, good+strange+good+strange)}, OnUnknown: func(first journal.Damage, lines int) {
		told = append(told, fmt.Sprintf("%v (%d)", first, lines))
	}}
	for _, err := range journal.Read(t.Context(), &r, func(*journal.Line) (int, bool) { return 0, true }) {
		if err != nil {
			t.Error(err)
		}
	}
	if want := (journal.Counts{Decisions: 4, Unknown: 2}); r.Counts != want {
		t.Errorf("Read counts %+v; want %+v", r.Counts, want)
	}
	if want := []string{`7:2: action="quarantine" (2)`}; !slices.Equal(told, want) {
		t.Errorf("told %q; want %q", told, want)
	}
}
