package explain

import (
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
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
		{"observed rules", "action=dunno would=reject:a,defer:b", "observed: reject by a; observed: defer by b"},
		{"logged in", "authenticated=true", "logged in"},
		{"an exemption", `rule=partner exempt=true exempt_why="ticket 4711" ptr=none`, "no reverse name; exempt: ticket 4711"},
		{"one that a stranger cannot paint with", `rule=partner exempt=true exempt_why="a\u001b[31m"`, "exempt: a?[31m"},
		{"a built-in one", `rule="own client" exempt=true`, "exempt"},
		{"early", "rule=postmaster early=true ptr=none", "no reverse name; judged later: this stage cannot tell whether it is spared"},
		{"tagged", `action=tag tags="odd,second one" fcrdns=pass`, "tagged by odd, second one"},
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
