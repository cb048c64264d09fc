package policy_test

import (
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// TestForgetfulKeepsFindings: to see whether a reject would hold if the client were known
// changes nothing of what is learnt of it.
func TestForgetfulKeepsFindings(t *testing.T) {
	rules := rulesOf(t, "rule others: reject when ptr=found unless correspondent=true")
	e, err := cases.Client("203.0.113.10 mail.example.org>me helo:mail.example.org>me from:<user@example.org>")
	if err != nil {
		t.Fatal(err)
	}
	d := rules.Judge(&e.Req, &e.Facts)
	if got := cases.Told(d); got != "defer (others), downgraded" || d.Checks[policy.CheckHistory] != policy.New {
		t.Errorf("%s, history %q; want a defer, downgraded, and new", got, d.Checks[policy.CheckHistory])
	}
}
