package looks_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/looks"
)

// TestMemory: what is remembered of a text and a client is what they look like, however
// many others there were, and no text takes more than a name may.
func TestMemory(t *testing.T) {
	m := new(looks.Memory)
	clients := []netip.Addr{netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("203.0.113.11"), netip.MustParseAddr("2001:db8::10")}
	texts := []string{"mail.example.org", "MAIL.example.org.", "[203.0.113.10]", "203.0.113.11", "localhost", "", strings.Repeat("a", 300)}
	for i := range 5000 {
		texts = append(texts, fmt.Sprintf("host-203-0-113-%d.n%d.example.net", i%12, i))
	}
	for range 2 {
		for _, text := range texts {
			for _, client := range clients {
				if got, want := m.Name(text, client), policy.NewName(text, client); !reflect.DeepEqual(got, want) {
					t.Errorf("Name(%q, %v) = %+v; want %+v", text, client, got, want)
				}
				if got, want := m.HELO(text, client), policy.NewHELO(text, client); !reflect.DeepEqual(got, want) {
					t.Errorf("HELO(%q, %v) = %+v; want %+v", text, client, got, want)
				}
			}
		}
	}
	for i, text := range texts[:7] {
		long := i == 6
		if n := testing.AllocsPerRun(100, func() { m.HELO(text, clients[0]) }); (n > 0) != long {
			t.Errorf("HELO(%.20q) takes %v allocations again; want remembered: %v", text, n, !long)
		}
	}
}
