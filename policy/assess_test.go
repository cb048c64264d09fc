package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
)

func TestChecks(t *testing.T) {
	for _, tt := range readCases(t, "checks.txt") {
		got := tt.rules.Judge(&tt.req, &tt.facts).Checks
		for want := range strings.FieldsSeq(tt.want) {
			name, result, _ := strings.Cut(want, "=")
			check, ok := policy.CheckByName(name)
			if !ok {
				t.Fatalf("%s: unknown check %q", tt.where, name)
			}
			if result == "-" {
				result = ""
			}
			if got[check].String() != result {
				t.Errorf("%s: %s: %s = %q; want %q", tt.where, tt.text, name, got[check], result)
			}
		}
	}
}

func TestConfirmed(t *testing.T) {
	tests := []struct{ client, want string }{
		{"203.0.113.10", ""},
		{"203.0.113.10 a.example.com>none b.example.com>temperror c.example.com>198.51.100.7", ""},
		{"203.0.113.10 a.example.com>me b.example.com>none c.example.com>198.51.100.7+me", "a.example.com c.example.com"},
	}
	for _, tt := range tests {
		e, err := readEvidence(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(e.facts.Confirmed(e.req.Client), " "); got != tt.want {
			t.Errorf("Confirmed of %s = %q; want %q", tt.client, got, tt.want)
		}
	}
}
