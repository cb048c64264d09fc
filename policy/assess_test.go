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
