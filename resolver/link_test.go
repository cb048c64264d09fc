package resolver

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestLink: where a client's only name was found to lead is at hand with the name,
// as long as the cache has it and no other answer has taken its place.
func TestLink(t *testing.T) {
	const zone = "1.2.0.192.in-addr.arpa. 86400 PTR mail.example.com.\nmail.example.com. 3600 A 192.0.2.1\nmail.example.com. 3600 AAAA 2001:db8::1\n"
	for _, test := range []struct {
		name      string
		zone      string // "": the usual
		meanwhile func(*bed)
		network   string
		asked     string // the name
		linked    bool   // what is looked up then is by the link
		want      string
	}{
		{name: "as it was", linked: true, want: "cached: found 192.0.2.1"},
		{name: "written otherwise", asked: "MAIL.example.com.", linked: true, want: "cached: found 192.0.2.1"},
		{name: "another name", asked: "other.example.com", want: "not asked"},
		{name: "another family", network: "ip6", want: "not asked"},
		{
			name: "another family that is known", network: "ip6",
			meanwhile: func(b *bed) { b.lookup("AAAA mail.example.com", Options{}) },
			want:      "cached: found 2001:db8::1",
		},
		{
			name: "asked again since",
			meanwhile: func(b *bed) {
				b.set("mail.example.com. 3600 A 192.0.2.2")
				time.Sleep(2 * time.Second)
				b.lookup("A mail.example.com", Options{MaxAge: time.Second})
			},
			want: "cached: found 192.0.2.2",
		},
		{
			name: "failed since",
			meanwhile: func(b *bed) {
				b.set("!servfail mail.example.com")
				time.Sleep(2 * time.Second)
				b.lookup("A mail.example.com", Options{MaxAge: time.Second})
			},
			want: "cached: found 192.0.2.1",
		},
		{
			name: "thrown out",
			meanwhile: func(b *bed) {
				for i := range 1000 {
					b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
				}
			},
			want: "not asked",
		},
		{name: "expired", meanwhile: func(*bed) { time.Sleep(2 * time.Hour) }, linked: true, want: "not asked"},
		{
			name: "two names", zone: zone + "1.2.0.192.in-addr.arpa. 86400 PTR other.example.com.\n",
			want: "cached: found 192.0.2.1",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if test.zone == "" {
					test.zone = zone
				}
				b := newBed(t, test.zone)
				client := netip.MustParseAddr("192.0.2.1")
				b.LookupPTR(t.Context(), client, Options{})
				b.lookup("A mail.example.com", Options{})
				ptr := b.LookupPTR(t.Context(), client, Options{})
				if got, want := words(b.LookupAddrs(t.Context(), "ip4", "mail.example.com", Options{CacheOnly: true, Link: ptr.Link})), "cached: found 192.0.2.1"; got != want {
					t.Fatalf("the first time = %s; want %s", got, want)
				}
				if test.meanwhile != nil {
					test.meanwhile(b)
				}
				if test.network == "" {
					test.network = "ip4"
				}
				if test.asked == "" {
					test.asked = "mail.example.com"
				}
				k := hostKey{name: hostName(test.asked), qtype: 1}
				if test.network == "ip6" {
					k.qtype = 28
				}
				ptr = b.LookupPTR(t.Context(), client, Options{})
				if got := ptr.Link.to(k) != nil; got != test.linked {
					t.Errorf("there is a link: %v; want %v", got, test.linked)
				}
				got := words(b.LookupAddrs(t.Context(), test.network, test.asked, Options{CacheOnly: true, Link: ptr.Link}))
				if got != test.want {
					t.Errorf("= %s; want %s", got, test.want)
				}
				if without := words(b.LookupAddrs(t.Context(), test.network, test.asked, Options{CacheOnly: true})); got != without {
					t.Errorf("= %s; without the link %s", got, without)
				}
			})
		})
	}
}

// TestLinkIsUse: an answer that is only asked for by the link is used, and so
// neither thrown out nor forgotten to be asked again.
func TestLinkIsUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "1.2.0.192.in-addr.arpa. 86400 PTR mail.example.com.\nmail.example.com. 3600 A 192.0.2.1\n$GENERATE 1-2000 a$.example.com. 86400 A 192.0.2.3\n")
		client := netip.MustParseAddr("192.0.2.1")
		ask := func() string {
			ptr := b.LookupPTR(t.Context(), client, Options{})
			return words(b.LookupAddrs(t.Context(), "ip4", "mail.example.com", Options{Link: ptr.Link}))
		}
		ask()
		for i := 1; i <= 2000; i++ {
			b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
			if i%100 == 0 {
				time.Sleep(time.Second)
				if got, want := ask(), "cached: found 192.0.2.1"; got != want {
					t.Fatalf("after %d other names = %s; want %s", i, got, want)
				}
			}
		}
		before := b.asked()
		time.Sleep(59*time.Minute - 20*time.Second)
		ask()
		time.Sleep(2 * time.Second)
		if got, want := ask(), "cached: found 192.0.2.1"; got != want || b.asked() != before+1 {
			t.Errorf("shortly before it expires = %s, after %d questions; want %s, after one", got, b.asked()-before, want)
		}
	})
}
