package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
)

func TestParseAction(t *testing.T) {
	names := ""
	for _, a := range policy.Actions(true) {
		names += ", " + a.String()
	}
	names = strings.TrimPrefix(strings.Replace(names, ", dunno", " or dunno", 1), ", ")
	tests := []struct {
		in, want string
	}{
		{"reject", "reject"},
		{"REJECT", "reject"},
		{"Defer", "defer"},
		{"dunno", "dunno"},
		{"info", `"info": want ` + names},
		{"", `"": want ` + names},
		{"OK", `"OK": want ` + names},
		{"deny", `"deny": want ` + names},
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
