package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

func TestChecks(t *testing.T) {
	for _, tt := range cases.Read(t, "checks.txt") {
		got := tt.Rules.Judge(&tt.Req, &tt.Facts).Checks
		for want := range strings.FieldsSeq(tt.Want) {
			name, result, _ := strings.Cut(want, "=")
			check, ok := policy.CheckByName(name)
			if !ok {
				t.Fatalf("%s: unknown check %q", tt.Where, name)
			}
			if result == "-" {
				result = ""
			}
			if got[check].String() != result {
				t.Errorf("%s: %s: %s = %q; want %q", tt.Where, tt.Text, name, got[check], result)
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
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(e.Facts.Confirmed(e.Req.Client), " "); got != tt.want {
			t.Errorf("Confirmed of %s = %q; want %q", tt.client, got, tt.want)
		}
	}
}
