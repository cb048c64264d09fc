package policy_test

import (
	"testing"

	"policyd-rdns/policy"
)

func TestParseAction(t *testing.T) {
	tests := []struct {
		in, want string
	}{
		{"reject", "reject"},
		{"REJECT", "reject"},
		{"Defer", "defer"},
		{"dunno", "dunno"},
		{"info", `"info": want reject, defer or dunno`},
		{"", `"": want reject, defer or dunno`},
		{"OK", `"OK": want reject, defer or dunno`},
		{"deny", `"deny": want reject, defer or dunno`},
	}
	for _, tt := range tests {
		a, err := policy.ParseAction(tt.in)
		got := a.String()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("ParseAction(%q) = %s; want %s", tt.in, got, tt.want)
		}
	}
}
