package match_test

import (
	"testing"

	"policyd-rdns/policy/match"
)

func TestSplitMailbox(t *testing.T) {
	for _, test := range []struct {
		address, local, domain string
		at                     bool
	}{
		{"user@example.org", "user", "example.org", true},
		{`"a@b"@example.org`, `"a@b"`, "example.org", true},
		{`"a@b\"@c"@example.org`, `"a@b\"@c"`, "example.org", true},
		{`"a@b"`, `"a@b"`, "", false},
		{`"a@b@c"`, `"a@b@c"`, "", false},
		{"user@[192.0.2.1]", "user", "[192.0.2.1]", true},
		{"user@[IPv6:2001:db8::1]", "user", "[IPv6:2001:db8::1]", true},
		{"a@b@example.org", "a@b", "example.org", true}, // no address, and its last domain counts
		{"user@", "user", "", true},
		{"@example.org", "", "example.org", true},
		{"postmaster", "postmaster", "", false},
		{"", "", "", false},
	} {
		local, domain, at := match.SplitMailbox(test.address)
		if local != test.local || domain != test.domain || at != test.at {
			t.Errorf("SplitMailbox(%q) = %q, %q, %v; want %q, %q, %v", test.address, local, domain, at, test.local, test.domain, test.at)
		}
	}
	for _, test := range [][2]string{{`"a@b"@Example.ORG.`, "example.org"}, {`"a@b"`, ""}, {"", ""}} {
		if got := match.MailDomain(test[0]); got != test[1] {
			t.Errorf("MailDomain(%q) = %q; want %q", test[0], got, test[1])
		}
	}
}
