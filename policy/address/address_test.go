package address

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	tests := []struct{ in, want string }{
		{"203.0.113.10", "203.0.113.10"},
		{"2001:db8::25", "2001:db8::25"},
		{"::ffff:203.0.113.10", "203.0.113.10"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"::203.0.113.10", "::cb00:710a"},
		{"fe80::1%eth0", "fe80::1"},
		{"64:ff9b::203.0.113.10", "203.0.113.10"},
		{"64:ff9b::cb00:710a", "203.0.113.10"},
		{"64:FF9B:0:0:0:0:CB00:710A", "203.0.113.10"},
		{"64:ff9b::cb00:710a%eth0", "203.0.113.10"},
		{"64:ff9b::1.0.0.0", "1.0.0.0"},
		{"64:ff9b::223.255.255.255", "223.255.255.255"},
		// Not global: it stays.
		{"64:ff9b::", "64:ff9b::"},
		{"64:ff9b::0.0.0.1", "64:ff9b::1"},
		{"64:ff9b::10.0.0.1", "64:ff9b::a00:1"},
		{"64:ff9b::100.64.0.1", "64:ff9b::6440:1"},
		{"64:ff9b::127.0.0.1", "64:ff9b::7f00:1"},
		{"64:ff9b::169.254.0.1", "64:ff9b::a9fe:1"},
		{"64:ff9b::172.31.255.255", "64:ff9b::ac1f:ffff"},
		{"64:ff9b::192.0.0.1", "64:ff9b::c000:1"},
		{"64:ff9b::192.168.0.1", "64:ff9b::c0a8:1"},
		{"64:ff9b::198.19.255.255", "64:ff9b::c613:ffff"},
		{"64:ff9b::224.0.0.1", "64:ff9b::e000:1"},
		{"64:ff9b::255.255.255.255", "64:ff9b::ffff:ffff"},
		// Another prefix: RFC 8215, one of a site, 6to4, Teredo, ISATAP.
		{"64:ff9b:0:0:0:1:cb00:710a", "64:ff9b::1:cb00:710a"},
		{"64:ff9b:1::203.0.113.10", "64:ff9b:1::cb00:710a"},
		{"2001:db8:64::203.0.113.10", "2001:db8:64::cb00:710a"},
		{"2002:cb00:710a::1", "2002:cb00:710a::1"},
		{"2001:0:cb00:710a::", "2001:0:cb00:710a::"},
		{"2001:db8::5efe:203.0.113.10", "2001:db8::5efe:cb00:710a"},
	}
	for _, tt := range tests {
		got := Plain(netip.MustParseAddr(tt.in))
		if got.String() != tt.want {
			t.Errorf("Plain(%s) = %s; want %s", tt.in, got, tt.want)
		}
		if got.Is6() && (Private(got) || got.IsLoopback()) && !strings.HasPrefix(tt.in, "fe80:") {
			t.Errorf("Plain(%s) = %s is private or the loopback", tt.in, got)
		}
	}
	if got := Plain(netip.Addr{}); got.IsValid() {
		t.Errorf("Plain of no address = %s", got)
	}
}

func TestNetworks(t *testing.T) {
	tests := []struct{ in, want string }{
		{"203.0.113.0/24", "203.0.113.0/24"},
		{"203.0.113.9/24", "203.0.113.0/24"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"::/0", "::/0"},
		{"::ffff:0:0/96", "0.0.0.0/0"},
		{"::ffff:203.0.113.0/120", "203.0.113.0/24"},
		{"::ffff:0:0/95", "::fffe:0:0/95"},
		{"64:ff9b::203.0.113.0/120", "203.0.113.0/24"},
		{"64:ff9b::203.0.113.10/128", "203.0.113.10/32"},
		{"64:ff9b::203.0.113.10/120", "203.0.113.0/24"},
		// Some of it is not global, or all.
		{"64:ff9b::/96", "0.0.0.0/0 64:ff9b::/96"},
		{"64:ff9b::192.0.0.0/112", "192.0.0.0/16 64:ff9b::c000:0/112"},
		{"64:ff9b::10.0.0.0/104", "64:ff9b::a00:0/104"},
		{"64:ff9b::10.1.0.0/112", "64:ff9b::a01:0/112"},
		{"64:ff9b::224.0.0.0/99", "64:ff9b::e000:0/99"},
		{"64:ff9b::192.168.0.1/128", "64:ff9b::c0a8:1/128"},
		// Wider ones are of IPv6 alone.
		{"64:ff9b::/95", "64:ff9b::/95"},
		{"64:ff9b::/32", "64:ff9b::/32"},
		{"64:ff9b:1::/96", "64:ff9b:1::/96"},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range Networks(netip.MustParsePrefix(tt.in)) {
			got = append(got, p.String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("Networks(%s) = %s; want %s", tt.in, s, tt.want)
		}
	}
}

func TestPrivate(t *testing.T) {
	tests := []struct {
		addrs string
		want  bool
	}{
		{"10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255", true},
		{"9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0", false},
		{"100.64.0.0 100.127.255.255 169.254.0.0 169.254.255.255", true},
		{"100.63.255.255 100.128.0.0 169.253.255.255 169.255.0.0", false},
		{"192.0.0.0 192.0.0.4 192.0.0.255 198.18.0.0 198.19.255.255", true},
		{"191.255.255.255 192.0.1.0 198.17.255.255 198.20.0.0", false},
		{"fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80::1 febf:: 2001:2::1 2001:2:0:ffff::", true},
		{"fbff:: fe00:: fec0::1 2001:1:ffff:: 2001:2:1::", false},
		// Those of examples are ordinary ones here.
		{"192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1", false},
		// No host has them, or has them alone.
		{"0.0.0.0 0.0.0.1 127.0.0.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ff02::1", false},
		{"64:ff9b::a00:1 64:ff9b::7f00:1 64:ff9b:1::a00:1 ::a00:1 2002:a00:1::", false},
	}
	for _, tt := range tests {
		for text := range strings.FieldsSeq(tt.addrs) {
			if got := Private(netip.MustParseAddr(text)); got != tt.want {
				t.Errorf("Private(%s) = %v; want %v", text, got, tt.want)
			}
		}
	}
	if Private(netip.Addr{}) {
		t.Error("no address is private")
	}
}

// FuzzNetworks: an address is in a network just if what it is known by is in one
// of those that the network is known by, as far as the network is not wider than
// the prefix that carries IPv4.
func FuzzNetworks(f *testing.F) {
	for _, s := range []string{"64:ff9b::/96", "64:ff9b::a00:0/104", "64:ff9b::c000:0/112", "::ffff:192.0.2.0/120", "203.0.113.0/24", "2001:db8::/32"} {
		for _, a := range []string{"64:ff9b::cb00:710a", "64:ff9b::a00:1", "::ffff:192.0.2.1", "203.0.113.10", "2001:db8::1"} {
			f.Add(s, a)
		}
	}
	f.Fuzz(func(t *testing.T, network, address string) {
		p, err := netip.ParsePrefix(network)
		a, err2 := netip.ParseAddr(address)
		if err != nil || err2 != nil || a.Zone() != "" {
			return
		}
		plain := Plain(a)
		if again := Plain(plain); again != plain {
			t.Fatalf("Plain(%s) = %s; want it as it is", plain, again)
		}
		// netip has no network contain IPv4-mapped addresses.
		if p.Addr().Is4() != a.Is4() || p.Addr().Is6() && p.Bits() < 96 || p.Addr().Is4In6() || a.Is4In6() {
			return
		}
		has := slices.ContainsFunc(Networks(p), func(n netip.Prefix) bool { return n.Contains(plain) })
		if has != p.Contains(a) {
			t.Errorf("Networks(%s) = %v has %s: %v", p, Networks(p), plain, has)
		}
	})
}

func TestPublic(t *testing.T) {
	tests := []struct {
		networks string
		want     bool
	}{
		{"0.0.0.0/0 172.0.0.0/8 192.0.0.0/8 10.0.0.0/7 192.0.2.0/24 192.0.1.0/24 203.0.113.10/32", true},
		{"10.0.0.0/8 172.16.0.0/16 100.64.0.0/10 198.18.0.0/16 169.254.0.0/16 192.0.0.8/32 127.0.0.1/32 0.0.0.0/8 240.0.0.0/4", false},
		{"::/0 2000::/3 2001:db8::/32 2001:d80::/19 2001:db8::25/128 2001::/16", true},
		{"fe80::/64 fd00::/8 ::1/128 ff02::/16 2001:2::/48 2001:2:0:1::/64 64:ff9b:1::/48 4000::/3", false},
		// NAT64, and what holds it.
		{"64:ff9b::/96 64:ff9b::203.0.113.0/120 64:ff9b::192.0.0.0/104 64:ff9b::/64", true},
		{"64:ff9b::10.0.0.0/104 64:ff9b::192.168.0.1/128", false},
	}
	for _, tt := range tests {
		for text := range strings.FieldsSeq(tt.networks) {
			if got := Public(netip.MustParsePrefix(text)); got != tt.want {
				t.Errorf("Public(%s) = %v; want %v", text, got, tt.want)
			}
		}
	}
}
