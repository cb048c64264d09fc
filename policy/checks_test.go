package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

func TestCheckNames(t *testing.T) {
	all := policy.AllChecks()
	for i, c := range all {
		if int(c) != i {
			t.Errorf("AllChecks()[%d] = %v; want them in order", i, c)
		}
		if got, ok := policy.CheckByName(c.String()); !ok || got != c {
			t.Errorf("CheckByName(%q) = %v, %v", c, got, ok)
		}
		for _, r := range c.Results() {
			if got, ok := c.Result(r.String()); !ok || got != r || r == policy.NotLearnt {
				t.Errorf("%v: Result(%q) = %v, %v", c, r, got, ok)
			}
			if doc := c.Doc(r); !strings.HasSuffix(doc, ".") || strings.Count(doc, " ") < 2 || doc[0] < 'A' || doc[0] > 'Z' {
				t.Errorf("%v: what %v says: %q; want sentences", c, r, doc)
			}
		}
		if doc := c.Doc(policy.NotLearnt); doc != "" {
			t.Errorf("%v: what is not learnt says %q", c, doc)
		}
		if _, ok := c.Result(""); ok {
			t.Errorf("%v: the empty text is a result", c)
		}
	}
	if c, ok := policy.CheckByName("ptr_name"); ok {
		t.Errorf("CheckByName(ptr_name) = %v; want none", c)
	}
}

func TestChecksString(t *testing.T) {
	tests := []struct{ client, want string }{
		{"203.0.113.10 at:CONNECT", "helo=none helo_name=none"},
		{"203.0.113.10 ptr:none helo:x", "ptr=none fcrdns=none name=none strength=none kind=none helo_form=unqualified helo=unresolved helo_name=none"},
		{"203.0.113.10 mail.example.com>me helo:mail.example.com>me", "ptr=found fcrdns=pass name=proper strength=none kind=none helo_form=fqdn helo=match helo_name=proper"},
	}
	for _, tt := range tests {
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		rules := policy.Rules{}
		if got := rules.Judge(&e.Req, &e.Facts).Checks.String(); !strings.HasPrefix(got+" ", tt.want+" ") {
			t.Errorf("checks of %s = %s; want %s, and further checks at most", tt.client, got, tt.want)
		}
	}
}
