package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/policy/lint"
	"policyd-rdns/policy/reply"
)

func TestBuiltin(t *testing.T) {
	decided := map[string]bool{}
	for _, tt := range cases.Read(t, "builtin.txt") {
		d := tt.Rules.Judge(&tt.Req, &tt.Facts)
		if got := cases.Told(d); got != tt.Want {
			t.Errorf("%s: %s: %s; want %s", tt.Where, tt.Text, got, tt.Want)
		}
		decided[d.Rule] = true
		for _, v := range d.Would {
			decided[v.Rule] = true
		}
	}
	for _, rule := range builtin.Rules() {
		if !decided[rule.Name] {
			t.Errorf("no client in builtin.txt meets with rule %q", rule.Name)
		}
	}
}

// A sender reads the text behind Postfix's own "Recipient address rejected: "
// or "Client host rejected: "; the address says who is meant.
func TestBuiltinTexts(t *testing.T) {
	names := map[string]bool{}
	for _, rule := range builtin.Rules() {
		if names[rule.Name] || rule.Name == "" {
			t.Errorf("rule %q: the log cannot tell it from others", rule.Name)
		}
		names[rule.Name] = true
		if rule.Action == policy.DUNNO {
			continue
		}
		rest := rule.Text
		for _, placeholder := range reply.Placeholders() {
			rest = strings.ReplaceAll(rest, placeholder, "")
		}
		if !strings.Contains(rule.Text, "[{client}]") || strings.ContainsAny(rest, "{}") || rest != strings.TrimSpace(rest) {
			t.Errorf("rule %q: text %q; want the client in brackets and known placeholders", rule.Name, rule.Text)
		}
	}
}

// No rule of the list stands in the way of a later one.
func TestBuiltinReachable(t *testing.T) {
	list := builtin.Rules()
	for i := range list {
		for j := range i {
			if lint.Shadows(&list[j], &list[i]) {
				t.Errorf("rule %q is never reached: %q is before it", list[i].Name, list[j].Name)
			}
		}
	}
}
