package resolver

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
)

// TestLookupMX: the hosts that take a domain's mail, through aliases and over TCP
// like every lookup; a "no" is not a "don't know".
func TestLookupMX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, `
example.com.        MX 10 MX1.example.com.
example.com.        MX 20 mx2.example.net.
example.com.        MX 30 mx1.example.com.
none.example.com.   MX 0 .
host.example.com.   A 192.0.2.1
alias.example.com.  CNAME example.com.
long.example.com.   MX 10 mx.example.org.
!servfail broken.example.com
!truncate long.example.com
`)
		for _, test := range []struct {
			domain  string
			outcome Outcome
			want    string
		}{
			{"example.com", Found, "mx1.example.com mx2.example.net"},
			{"Example.COM.", Found, "mx1.example.com mx2.example.net"},
			{"alias.example.com", Found, "mx1.example.com mx2.example.net"},
			{"long.example.com", Found, "mx.example.org"},
			{"none.example.com", Found, "."},
			{"host.example.com", None, ""},
			{"missing.example.com", None, ""},
			{strings.Repeat("a", 64) + ".example.com", None, ""},
			{"broken.example.com", TempError, ""},
		} {
			a := b.LookupMX(t.Context(), test.domain)
			if got := strings.Join(a.Names, " "); a.Outcome != test.outcome || got != test.want || (a.Err != nil) != (test.outcome == TempError) {
				t.Errorf("LookupMX(%q) = %v %q %v; want %v %q", test.domain, a.Outcome, got, a.Err, test.outcome, test.want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if a := b.LookupMX(ctx, "example.com"); a.Outcome != TempError || a.Err == nil {
			t.Errorf("LookupMX, cancelled = %v, %v; want temperror and why", a.Outcome, a.Err)
		}
	})
}
