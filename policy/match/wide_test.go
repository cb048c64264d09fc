package match_test

import (
	"fmt"
	"strings"
	"testing"

	"policyd-rdns/policy/match"
)

func TestWide(t *testing.T) {
	// Every second /16 of what is public, from 16.0.0.0 on, so many; and all.
	nth := func(n, step int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d.%d.0.0/16", 16+i*step/256, i*step%256))
		}
		return strings.Join(list, " ")
	}
	for _, tt := range []struct {
		networks string
		want     bool
	}{
		{"", false},
		{"0.0.0.0/0", true},
		{"::/0", true},
		{"0.0.0.0/1", true},
		{"128.0.0.0/1", true},
		{"16.0.0.0/8", true},
		{"16.0.0.0/9", false},
		{"16.0.0.0/9 16.128.0.0/9", true},
		{"16.0.0.0/9 17.128.0.0/9", true},
		{"16.0.0.0/9 16.0.0.0/10 16.64.0.0/10 16.1.0.0/16", false}, // one within the other
		// Mostly public.
		{"192.0.0.0/8", true},
		{"172.0.0.0/8", true},
		{"100.0.0.0/8", true},
		{"10.0.0.0/7", true},
		// Not public.
		{"0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 198.18.0.0/15", false},
		{"224.0.0.0/4 240.0.0.0/4", false},
		{"10.0.0.0/8 16.0.0.0/9", false},
		{"10.0.0.0/9 10.128.0.0/9", false},
		{nth(256, 2), true},
		{nth(255, 2), false},
		{nth(256, 1), true},
		{nth(255, 1), false},
		// IPv6.
		{"2000::/3", true},
		{"2001:4000::/19", true},
		{"2001:4000::/20", false},
		{"2001:4000::/20 2001:5000::/20", true},
		{"2002::/16", true},
		{"fc00::/7 fe80::/10 ff00::/8", false},
		{"4000::/2", false},
		{"2001:db8::/32", false},
		// IPv4 within IPv6.
		{"::ffff:0:0/96", true},
		// Half of each: neither is wide.
		{"16.0.0.0/9 2001:4000::/20", false},
	} {
		var set match.Prefixes
		for network := range strings.FieldsSeq(tt.networks) {
			if err := set.Add(network); err != nil {
				t.Fatal(err)
			}
		}
		if got := set.Wide(); got != tt.want {
			t.Errorf("{%.80s}.Wide() = %v; want %v", tt.networks, got, tt.want)
		}
	}
}

func BenchmarkWide(b *testing.B) {
	var set match.Prefixes
	for n := range 1_000_000 {
		if err := set.Add(fmt.Sprintf("%d.%d.%d.0/24", 16+n>>16, n>>8&255, n&255)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		set.Wide()
	}
}
