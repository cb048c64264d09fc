package builtin_test

import (
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
)

// TestTakesContact: whether the refused can write to the contact is what the rules do, and
// not what one of them is called.
func TestTakesContact(t *testing.T) {
	exempt := func(name, key string, values ...string) policy.Rule {
		e, errs := policy.NewEntry(key, values, values)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return policy.Rule{Name: name, Exempt: true, When: policy.Table{e}}
	}
	for _, tt := range []struct {
		rules   []policy.Rule
		contact string
		want    bool
	}{
		{builtin.Rules(), "postmaster", true},
		{builtin.Rules(), "hostmaster@example.com", false},
		{[]policy.Rule{builtin.WithContact(builtin.Rules()[2], "hostmaster@example.com")}, "Hostmaster@example.com", true},
		{[]policy.Rule{exempt("postmaster", "client", "192.0.2.0/24")}, "postmaster", false},
		{[]policy.Rule{exempt("any name", "recipient", "postmaster@")}, "postmaster", true},
		{nil, "postmaster", false},
	} {
		if got := builtin.TakesContact(tt.rules, tt.contact); got != tt.want {
			t.Errorf("of %d rules, %s: %t; want %t", len(tt.rules), tt.contact, got, tt.want)
		}
	}
}
