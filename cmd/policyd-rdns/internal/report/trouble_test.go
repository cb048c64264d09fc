package report

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseFault(t *testing.T) {
	tests := []struct{ text, want string }{
		{"192.0.2.1: no reply from 192.0.2.53:53 in 2s; SERVFAIL from [2001:db8::53]:53", "2.0.192.in-addr.arpa [{no reply 192.0.2.53:53} {SERVFAIL [2001:db8::53]:53}]"},
		{"2001:db8:1234::1: REFUSED from 192.0.2.53:53", "4.3.2.1.8.b.d.0.1.0.0.2.ip6.arpa [{REFUSED 192.0.2.53:53}]"},
		{"mail.a.example.org: CNAME loop at \"x\" from 192.0.2.53:53", "example.org [{CNAME loop at \"x\" 192.0.2.53:53}]"},
		{"mail.example.org: 192.0.2.53:53: connection refused", "example.org [{connection refused 192.0.2.53:53}]"},
		{"mail.example.org: deadline", "example.org [{deadline }]"},
		{"localhost: too many look-ups under way", "localhost [{too many look-ups under way }]"},
		{"nonsense", " [{nonsense }]"},
		{"", " [{ }]"},
		{"a: from x from y", "a [{from x from y }]"},
	}
	for _, test := range tests {
		f := parseFault(test.text)
		if got := fmt.Sprint(f.zone, " ", f.reasons); got != test.want {
			t.Errorf("parseFault(%q) = %s; want %s", test.text, got, test.want)
		}
	}
}

// FuzzParseFault: whatever a look-up failed of, it is bounded, and a server is
// an address.
func FuzzParseFault(f *testing.F) {
	f.Add("192.0.2.1: no reply from 192.0.2.53:53 in 2s; SERVFAIL from [2001:db8::53]:53")
	f.Add("mail.example.org: 192.0.2.53:53: connection refused")
	f.Add("2001:db8::1: " + strings.Repeat("x from y; ", 100))
	f.Add(strings.Repeat("\xff: ", 50))
	f.Fuzz(func(t *testing.T, text string) {
		p := parseFault(text)
		if len(p.reasons) == 0 || len(p.reasons) > maxReasons {
			t.Errorf("parseFault(%q) has %d reasons; want 1 to %d", text, len(p.reasons), maxReasons)
		}
		for _, r := range p.reasons {
			if len(r.fault) > 100 || r.server != "" && !strings.Contains(r.server, ":") {
				t.Errorf("parseFault(%q) = %+v", text, r)
			}
		}
		all := newFaults()
		all.add([]lookupFault{p, p}, begin)
		if d := all.report(0); d.Decisions != 1 || len(d.Zones) != 1 || d.Zones[0].Decisions != 1 {
			t.Errorf("%q is counted as %+v; want one decision for its zone", text, d)
		}
	})
}
