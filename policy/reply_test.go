package policy_test

import (
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

func TestReply(t *testing.T) {
	const text = "text of r"
	tests := []struct {
		rule, code string
		mode       policy.Mode
		client     string
		want       string
	}{
		{"r: dunno", "", policy.Enforce, "203.0.113.10", "DUNNO"},
		{"r: reject when ptr=none", "", policy.Enforce, "203.0.113.10 mail.example.com>me", "DUNNO"},
		{"r: reject", "", policy.Enforce, "203.0.113.10", "550 5.7.1 " + text},
		{"r: reject", "550 5.7.25", policy.Enforce, "203.0.113.10", "550 5.7.25 " + text},
		{"r: reject", "521", policy.Enforce, "203.0.113.10", "521 5.7.1 " + text},
		// So that a later hard reject still wins.
		{"r: defer", "", policy.Enforce, "203.0.113.10", "DEFER_IF_PERMIT 4.7.1 " + text},
		{"r: defer", "451 4.7.25", policy.Enforce, "203.0.113.10", "451 4.7.25 " + text},
		// Downgraded: the rule's code is for a reject; its subject and detail stay.
		{"r: reject when ptr=none", "", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.1 temporary DNS failure: " + text},
		{"r: reject when ptr=none", "550 5.7.25", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.25 temporary DNS failure: " + text},
		{"r: reject when ptr=none", "521 5.7.1", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.1 temporary DNS failure: " + text},

		{"r: reject", "550 5.7.25", policy.Observe, "203.0.113.10", "DUNNO"},
		{"r: reject", "550 5.7.25", policy.ObserveInfo, "203.0.113.10", "INFO would reject (r): " + text},
		{"r: defer", "", policy.ObserveInfo, "203.0.113.10", "INFO would defer (r): " + text},
		{"r: reject when ptr=none", "", policy.ObserveInfo, "203.0.113.10 ptr:temperror", "INFO would defer (r): temporary DNS failure: " + text},
		{"r: dunno", "", policy.ObserveInfo, "203.0.113.10", "DUNNO"},
		{"r: reject observe", "", policy.Enforce, "203.0.113.10", "DUNNO"},
		{"r: reject when ptr=none", "", policy.ObserveInfo, "203.0.113.10", "DUNNO"}, // not asked yet
	}
	for _, tt := range tests {
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := cases.Rule(tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		if tt.code != "" {
			if rule.Code, err = policy.ParseCode(tt.code, rule.Action); err != nil {
				t.Fatal(err)
			}
		}
		rules := policy.Rules{Mode: tt.mode, OnDoubt: policy.Defer, List: []policy.Rule{rule}}
		d := rules.Judge(&e.Req, &e.Facts)
		if got := d.Reply(); got != tt.want {
			t.Errorf("reply of %s, code %q, mode %v to %s = %q; want %q", tt.rule, tt.code, tt.mode, tt.client, got, tt.want)
		}
	}
}

// With on_doubt = "dunno" nothing is left of a reject that the DNS could not
// settle.
func TestReplyDUNNOOnDoubt(t *testing.T) {
	e, err := cases.Client("203.0.113.10 ptr:temperror")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := cases.Rule("r: reject when ptr=none")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []policy.Mode{policy.Enforce, policy.Observe, policy.ObserveInfo} {
		rules := policy.Rules{Mode: mode, OnDoubt: policy.DUNNO, List: []policy.Rule{rule}}
		d := rules.Judge(&e.Req, &e.Facts)
		if got := d.Reply(); got != "DUNNO" || d.Text != "" {
			t.Errorf("mode %v: reply = %q, text %q; want DUNNO without text", mode, got, d.Text)
		}
	}
}
