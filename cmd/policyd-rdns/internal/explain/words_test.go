package explain

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/smtp"
)

func TestReason(t *testing.T) {
	tests := []struct {
		about string
		line  string // what a log line has beside the least
		want  string
	}{
		{"nothing known", "", ""},
		{"all well", "fcrdns=pass helo=match", "name confirmed"},
		{"no name", "ptr=none helo=match", "no reverse name"},
		{"malformed", "ptr=malformed", "reverse name is malformed"},
		{"mismatch", "ptr=found fcrdns=mismatch names=a.example>192.0.2.1+192.0.2.2", "name resolves to 192.0.2.1, 192.0.2.2"},
		{"mismatch of nothing", "ptr=found fcrdns=mismatch", "name resolves to another address"},
		{"unresolved", "ptr=found fcrdns=unresolved name=generic names=203-0-113-20.dyn.example>none", `name does not resolve; generic name: "203-0-113-20" is the address`},
		{"generic by list", "ptr=found fcrdns=pass name=generic names=mail.example>203.0.113.20", "generic name"},
		{"doubt", `ptr=temperror action=defer downgraded=true dns_errors="203.0.113.20>192.0.2.53:53>SERVFAIL"`, "reverse name not learnt; 203.0.113.20: SERVFAIL from 192.0.2.53:53"},
		{"doubt of a name", "ptr=found fcrdns=temperror", "name not confirmed, for trouble with the DNS"},
		{"outage", "ptr=temperror outage=true", "no DNS server answered; reverse name not learnt"},
		{"overload", "ptr=temperror overload=true", "the daemon was overloaded; reverse name not learnt"},
		{"HELO names", "helo=own", "HELO is our name"},
		{"", "helo=temperror", "HELO not learnt"},
		{"", "helo=mismatch helo_form=bare_ip", "HELO is a bare address"},
		{"", "helo=match helo_form=bare_ip", "HELO is a bare address"},
		{"", "helo=mismatch helo_form=literal", "HELO is another address"},
		{"", "helo=unresolved helo_form=literal", "HELO is an address of the other family"},
		{"", "helo=mismatch helo_form=fqdn helo_to=192.0.2.1", "HELO resolves to 192.0.2.1"},
		{"", "helo=unresolved helo_form=fqdn", "HELO does not resolve"},
		{"", "helo=unresolved helo_form=unqualified", "HELO is no host name"},
		{"", "helo=unresolved helo_form=malformed", "HELO is malformed"},
		{"", "helo=none helo_form=missing", "no HELO"},
		{"a rule of ones own", `action=reject reply="554 5.7.1 not you"`, "not you"},
		{"the same, observed", `action=info decided=reject would=reject:x reply="INFO would reject (x): not you"`, "not you"},
		{"observed rules", "action=dunno would=reject:a,defer:b", `observed: reject by "a"; observed: defer by "b"`},
		{"logged in", "authenticated=true", "logged in"},
		{"an exemption", `rule=partner exempt=true exempt_why="ticket 4711" ptr=none`, "no reverse name; exempt: ticket 4711"},
		{"one that a stranger cannot paint with", `rule=partner exempt=true exempt_why="a\u001b[31m"`, "exempt: a?[31m"},
		{"a built-in one", `rule="own client" exempt=true`, "exempt"},
		{"early", "rule=postmaster early=true ptr=none", "no reverse name; judged later: this stage cannot tell whether it is spared"},
		{"tagged", `action=tag tags="odd,second one" fcrdns=pass`, "tagged by odd, second one"},
		{"deferred for now", "action=defer rule=a waiting=12000 ptr=none history=new", "no reverse name; never seen before; deferred for now: refused (5xx) in 3 h 20 min if nothing changes (defer_for)"},
		{"its next recipient", "action=defer rule=a waiting=11999 ptr=none history=new first_contact=2026-11-15T23:59:59.000Z party=203.0.113.20", "no reverse name; never seen before; deferred for now: refused (5xx) in 3 h 20 min if nothing changes (defer_for)"},
		{"a stranger that is rejected at once", "action=reject ptr=none history=new", "no reverse name"},
		{"seen before", "action=defer rule=a waiting=59 ptr=none history=new first_contact=2026-11-15T10:00:00.000Z party=203.0.113.20", "no reverse name; not known yet, seen since 2026-11-15; deferred for now: refused (5xx) in 59 s if nothing changes (defer_for)"},
		{"a known one", "action=defer rule=a waiting=273600 ptr=none history=known first_contact=2026-10-03T10:00:00.000Z party=example.org", "no reverse name; known since 2026-10-03, as example.org; deferred for now: refused (5xx) in 3 days 4 h if nothing changes (grace, since the client is known)"},
		{"whose names are well", "action=defer rule=a waiting=600 ptr=found fcrdns=pass name=proper helo=own history=known", "HELO is our name; known; deferred for now: refused (5xx) in 10 min if nothing changes (defer_for)"},
		{"one that came back", "action=dunno fcrdns=pass history=returned returned=2026-11-16T00:00:00.000Z party=192.0.2.0/24", "came back with what it was deferred for, as 192.0.2.0/24"},
		{"and did before", "action=reject ptr=none history=returned returned=2026-11-14T00:00:00.000Z", "no reverse name; came back on 2026-11-14"},
		{"a known one that passes", "action=dunno fcrdns=pass history=known first_contact=2026-10-03T10:00:00.000Z", "name confirmed"},
		{"one of many behind an address", "action=reject ptr=none nat=true", "no reverse name; not remembered, for others stand behind its address"},
		{"a party that nobody can paint with", `action=reject ptr=none history=known party="a\u001b[31m"`, "no reverse name; known, as a?[31m"},
		{"held", `action=hold rule=look reply="HOLD look at this" fcrdns=pass`, "look at this"},
	}
	for _, test := range tests {
		line := "time=2026-11-16T00:00:00.000Z msg=decision client=203.0.113.20 " + test.line
		if !strings.Contains(line, "action=") {
			line += " action=dunno"
		}
		r, err := journal.Parse([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := Reason(&r); got != test.want {
			t.Errorf("Reason(%s) = %q; want %q", test.line, got, test.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, test := range []struct {
		seconds int
		want    string
	}{
		{1, "1 s"},
		{119, "119 s"},
		{120, "2 min"},
		{3540, "59 min"},
		{3541, "1 h"},
		{3600, "1 h"},
		{12_000, "3 h 20 min"},
		{14_400, "4 h"},
		{172_740, "47 h 59 min"},
		{172_800, "2 days"},
		{273_600, "3 days 4 h"},
	} {
		if got := Duration(test.seconds); got != test.want {
			t.Errorf("Duration(%d) = %q; want %q", test.seconds, got, test.want)
		}
	}
}

// TestDecisionLines: what is said of a decision behind its first line.
func TestDecisionLines(t *testing.T) {
	code, err := smtp.ParseCode("554 5.7.1", '5', "a reject")
	if err != nil {
		t.Fatal(err)
	}
	d := policy.Decision{Action: policy.Defer, Decided: policy.Defer, Rule: "a", Code: code, Waiting: 12_000}
	if got, want := strings.Join(DecisionLines(&d), "; "), `defer by rule "a"; deferred for now: refused (554) in 3 h 20 min if nothing changes (defer_for)`; got != want {
		t.Errorf("told as %s; want %s", got, want)
	}
	for _, test := range []struct {
		check  policy.Check
		result policy.Result
		want   string
	}{
		{policy.CheckPTR, policy.TempError, "because the DNS could not say"},
		{policy.CheckHistory, policy.New, "because it holds only as the client is not known yet"},
		{policy.CheckHistory, policy.Known, "because the DNS could not say"},
	} {
		d := policy.Decision{Action: policy.Defer, Decided: policy.Defer, Rule: "a", Downgraded: true}
		d.Checks[test.check] = test.result
		if got, want := strings.Join(DecisionLines(&d), "; "), `defer by rule "a"; less than a reject, `+test.want; got != want {
			t.Errorf("%s %s is told as %s; want %s", test.check, test.result, got, want)
		}
	}
}
