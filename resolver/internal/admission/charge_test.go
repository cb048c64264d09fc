package admission

import (
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/resolver/internal/message"
)

func TestNetworkOf(t *testing.T) {
	for _, test := range []struct{ client, want string }{
		{"192.0.2.1", "192.0.2.0/24"},
		{"192.0.2.255", "192.0.2.0/24"},
		{"::ffff:192.0.2.1", "192.0.2.0/24"},
		{"64:ff9b::192.0.2.1", "192.0.2.0/24"},
		{"64:ff9b::10.0.0.1", "64:ff9b::/48"},
		{"2001:db8:1:2::3", "2001:db8:1::/48"},
		{"fe80::1%eth0", "fe80::/48"},
		{"::1", "::/48"},
	} {
		if got := networkOf(netip.MustParseAddr(test.client)); got.String() != test.want {
			t.Errorf("networkOf(%s) = %v; want %s", test.client, got, test.want)
		}
	}
	if got := networkOf(netip.Addr{}); got.IsValid() {
		t.Errorf("networkOf(nobody) = %v; want none", got)
	}
}

func TestZone(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"mail.example.com.", "example.com"},
		{"a.b.c.example.com.", "example.com"}, // zones below are part of it
		{"example.com.", "example.com"},
		{"mail.example.co.uk.", "example.co.uk"},
		{"mail.one.github.io.", "one.github.io"}, // customers of a suffix are strangers
		{"ec2-192-0-2-1.compute-1.amazonaws.com.", "amazonaws.com"},
		{"co.uk.", "co.uk"},
		{"com.", "com"},
		{"mail.server.internal.", "server.internal"},
		{`a\\000b.example.co.uk.`, "co.uk"}, // no host name
		{".", ""},
		{"1.2.0.192.in-addr.arpa.", "2.0.192.in-addr.arpa"},
		{"1.0-15.2.0.192.in-addr.arpa.", "2.0.192.in-addr.arpa"}, // RFC 2317
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
		{"192.in-addr.arpa.", "192.in-addr.arpa"},
	} {
		if got := Zone(test.name); got != test.want {
			t.Errorf("Zone(%s) = %s; want %s", test.name, got, test.want)
		}
	}
}

// FuzzZone: a zone is the end of the name, at a dot, and its own zone.
func FuzzZone(f *testing.F) {
	for _, name := range []string{"mail.example.co.uk", "1.2.0.192.in-addr.arpa", `a\.b.example`, ".", "", "..", "co.uk"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name, ok := message.Canonical(name)
		if !ok {
			return
		}
		zone := Zone(name + ".")
		before, ok := strings.CutSuffix(name, zone)
		if !ok || before != "" && !strings.HasSuffix(before, ".") {
			t.Errorf("Zone(%q) = %q; want an end of it, at a dot", name, zone)
		}
		if again := Zone(zone + "."); again != zone {
			t.Errorf("Zone(%q) = %q, of which it is %q; want the same", name, zone, again)
		}
	})
}

// BenchmarkZone is what a lookup that the cache cannot answer costs more for
// being charged to its zone.
func BenchmarkZone(b *testing.B) {
	for _, name := range []string{"mail.example.com.", "a.b.c.mail.example.co.uk.", "1.2.0.192.in-addr.arpa."} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Zone(name)
			}
		})
	}
}
