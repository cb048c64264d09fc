package gather

import (
	"net/netip"
	"strings"
	"testing"
)

// What is remembered is of that text and that client alone; what is too long is not.
func TestMemory(t *testing.T) {
	var m memory[string]
	judged := 0
	judge := func(text string, client netip.Addr) string {
		judged++
		return text + " of " + client.String()
	}
	long := strings.Repeat("a", maxRemembered+1)
	for _, test := range []struct {
		text, client string
		again        bool
	}{
		{"mail.example.org", "192.0.2.1", false},
		{"mail.example.org", "192.0.2.1", true},
		{"mail.example.org", "2001:db8::1", false},
		{"", "192.0.2.1", false},
		{"", "192.0.2.1", true},
		{long, "192.0.2.1", false},
		{long, "192.0.2.1", false},
	} {
		before := judged
		got := m.of(test.text, netip.MustParseAddr(test.client), judge)
		if want := test.text + " of " + test.client; got != want || (judged == before) != test.again {
			t.Errorf("of(%.20q, %s) = %.40q, judged %d times; want %.40q, remembered %v", test.text, test.client, got, judged-before, want, test.again)
		}
	}
	places := 0
	for i := range m.places {
		if m.places[i].Load() != nil {
			places++
		}
	}
	if places == 0 || places > 3 {
		t.Errorf("%d places taken; want one for each of three, or fewer where they share one", places)
	}
}
