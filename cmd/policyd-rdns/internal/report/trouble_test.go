package report

import (
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/resolver"
)

// Each lookup counts for its zone, with what each server did; a reason without one
// is nobody's.
func TestLookupFaults(t *testing.T) {
	at := func(about, server, reason string) resolver.LookupError {
		e := resolver.LookupError{About: about, Reason: reason}
		if server != "" {
			e.Server = netip.MustParseAddrPort(server)
		}
		return e
	}
	var many []resolver.LookupError
	for range 2 * maxReasons {
		many = append(many, at("a.example.org", "", strings.Repeat("x", 100)))
	}
	long := strings.Repeat("x", 80) + "..."
	for _, test := range []struct {
		errs []resolver.LookupError
		want string
	}{
		{nil, ""},
		{
			[]resolver.LookupError{at("192.0.2.1", "192.0.2.53:53", "no reply"), at("192.0.2.1", "[2001:db8::53]:53", "SERVFAIL"), at("mail.a.example.org", "", "deadline")},
			"192.0.2.1 in 2.0.192.in-addr.arpa: no reply from 192.0.2.53:53; SERVFAIL from [2001:db8::53]:53, mail.a.example.org in example.org: deadline",
		},
		{
			[]resolver.LookupError{at("2001:db8:1234::1", "192.0.2.53:53", "connection refused")},
			"2001:db8:1234::1 in 4.3.2.1.8.b.d.0.1.0.0.2.ip6.arpa: connection refused from 192.0.2.53:53",
		},
		{[]resolver.LookupError{at("", "", "")}, " in : "},
		{many, "a.example.org in example.org: " + strings.Repeat(long+"; ", maxReasons-1) + long},
	} {
		var got []string
		for _, f := range lookupFaults(test.errs) {
			var reasons []string
			for _, r := range f.reasons {
				reasons = append(reasons, r.String())
			}
			got = append(got, f.about+" in "+f.zone+": "+strings.Join(reasons, "; "))
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("lookupFaults(%v) = %s; want %s", test.errs, got, test.want)
		}
	}
}
