package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// TestWords: what a check rests on and what speaks against a client, for people.
func TestWords(t *testing.T) {
	for _, tt := range []struct{ client, evidence, objections string }{
		{
			"203.0.113.10 mail.example.com>me helo:mail.example.com>me",
			"ptr: mail.example.com; fcrdns: mail.example.com resolves to 203.0.113.10; name: mail.example.com: proper; helo: mail.example.com resolves to 203.0.113.10", "",
		},
		{"203.0.113.10 ptr:none", "", "no reverse name; no HELO"},
		{"203.0.113.10 ptr:?", "", "no HELO"},
		{"203.0.113.10 ptr:temperror helo:[203.0.113.10]", "", "reverse name not learnt"},
		{"203.0.113.10 -x>? helo:203.0.113.10", "ptr: -x", "reverse name is malformed; HELO is a bare address"},
		{
			"203.0.113.10 a.example.com>none b.example.com>198.51.100.7 helo:[198.51.100.7]",
			"ptr: a.example.com b.example.com; fcrdns: a.example.com resolves to nothing b.example.com resolves to 198.51.100.7; name: a.example.com: proper b.example.com: proper",
			"name resolves to 198.51.100.7; HELO is another address",
		},
		{
			"203.0.113.10 a.example.com>none helo:[IPv6:2001:db8::1]", "ptr: a.example.com; fcrdns: a.example.com resolves to nothing; name: a.example.com: proper",
			"name does not resolve; HELO is an address of the other family",
		},
		{
			"203.0.113.10 a.example.com>temperror helo:b.example.net>temperror",
			"ptr: a.example.com; fcrdns: a.example.com resolves to temperror; name: a.example.com: proper; helo: b.example.net resolves to temperror",
			"name not confirmed, for trouble with the DNS; HELO not learnt",
		},
		{
			"203.0.113.10 ip-203-0-113-10.example.com>me helo:b.example.net>198.51.100.7", "", `generic name: "203-0-113-10" is the address; HELO resolves to 198.51.100.7`,
		},
		{"203.0.113.10 ptr:none helo:b.example.net>none", "helo: b.example.net resolves to nothing", "no reverse name; HELO does not resolve"},
		{"203.0.113.10 ptr:none helo:mail", "", "no reverse name; HELO is no host name"},
		{"203.0.113.10 ptr:none helo:a?b", "", "no reverse name; HELO is malformed"},
		{"203.0.113.10 ptr:none own_helo helo:mx.example.net>none", "helo: mx.example.net resolves to nothing", "no reverse name; HELO is our name"},
		{"203.0.113.10 ptr:none helo:ip-203-0-113-10.example.net>?", "", "no reverse name"},
	} {
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		checks := new(policy.Rules).Judge(&e.Req, &e.Facts).Checks
		if got := strings.Join(checks.Objections(&e.Req, &e.Facts), "; "); got != tt.objections {
			t.Errorf("%s: objections %q; want %q", tt.client, got, tt.objections)
		}
		var all []string
		for _, c := range policy.AllChecks() {
			if texts := c.Evidence(&e.Req, &e.Facts); len(texts) > 0 {
				all = append(all, c.String()+": "+strings.Join(texts, " "))
			}
		}
		if got := strings.Join(all, "; "); got != tt.evidence && tt.evidence != "" {
			t.Errorf("%s: evidence %q; want %q", tt.client, got, tt.evidence)
		}
	}
}
