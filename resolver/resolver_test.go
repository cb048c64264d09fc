package resolver

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

func TestNewRefuses(t *testing.T) {
	server := netip.MustParseAddrPort("192.0.2.53:53")
	good := Config{Servers: []netip.AddrPort{server}, Timeout: time.Second, CacheEntries: 2, MaxInFlight: 1}
	for _, test := range []struct {
		change func(*Config)
		want   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Servers = nil }, "no servers to ask"},
		{func(c *Config) { c.Servers = []netip.AddrPort{server, {}} }, "server invalid AddrPort: want an address and a port"},
		{func(c *Config) { c.Servers = []netip.AddrPort{netip.AddrPortFrom(server.Addr(), 0)} }, "server 192.0.2.53:0: want an address and a port"},
		{func(c *Config) { c.Timeout = 0 }, "timeout 0s: want above 0 and at most 20s"},
		{func(c *Config) { c.Timeout = 21 * time.Second }, "timeout 21s: want above 0 and at most 20s"},
		{func(c *Config) { c.CacheEntries = 1 }, "1 cache entries: want at least 2"},
		{func(c *Config) { c.MaxInFlight = 0 }, "0 lookups in flight: want at least 1"},
		{func(c *Config) { c.Stale = maxStale }, ""},
		{func(c *Config) { c.Stale = -1 }, "stale answers for -1ns: want 0 to 168h0m0s"},
		{func(c *Config) { c.Stale = maxStale + 1 }, "stale answers for 168h0m0.000000001s: want 0 to 168h0m0s"},
		{func(c *Config) { *c = Config{} }, "no servers to ask\ntimeout 0s: want above 0 and at most 20s\n0 cache entries: want at least 2\n0 lookups in flight: want at least 1"},
	} {
		c := good
		test.change(&c)
		r, err := New(c)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			r.Close()
		}
		if got != test.want {
			t.Errorf("New(%+v) = %q; want %q", c, got, test.want)
		}
	}
}

func TestNoQuestion(t *testing.T) {
	r, err := New(Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: time.Second, CacheEntries: 2, MaxInFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, want := words(r.LookupPTR(t.Context(), netip.Addr{}, Options{})), "temperror: no address"; got != want {
		t.Errorf("LookupPTR(no address) = %s; want %s", got, want)
	}
	if got, want := words(r.LookupAddrs(t.Context(), "ip", "a.example.com", Options{})), `temperror: network "ip": want ip4 or ip6`; got != want {
		t.Errorf("LookupAddrs(ip) = %s; want %s", got, want)
	}
}

// TestSockets: the same over real sockets on the loopback.
func TestSockets(t *testing.T) {
	w, err := world.Parse(`
mail.example.com. A 192.0.2.1
1.2.0.192.in-addr.arpa. PTR mail.example.com.
$GENERATE 1-90 many.example.com. A 192.0.2.$
!spoof mail.example.com AAAA
!truncate tcp.example.com
tcp.example.com. A 192.0.2.2
!drop silent.example.com
!refused refused.example.com
`)
	if err != nil {
		t.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.Serve(ctx, pc, l) }()
	server, err := ParseServer(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Servers: []netip.AddrPort{server}, Timeout: 2 * time.Second, CacheEntries: 100, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{Resolver: r, t: t, worlds: []*world.World{w}}
	for _, test := range []struct{ query, want string }{
		{"PTR 192.0.2.1", "found mail.example.com"},
		{"A mail.example.com", "found 192.0.2.1"},
		{"AAAA mail.example.com", "none"},
		{"A tcp.example.com", "found 192.0.2.2"},
		{"A nothing.example.com", "none"},
		{"A refused.example.com", "temperror: REFUSED from " + server.String()},
	} {
		if got := b.say(test.query, Options{}); got != test.want {
			t.Errorf("%s = %s; want %s", test.query, got, test.want)
		}
		if got, want := b.say(test.query, Options{}), "cached: "+test.want; got != want {
			t.Errorf("%s again = %s; want %s", test.query, got, want)
		}
	}
	if got := b.lookup("A many.example.com", Options{}); len(got.Addrs) != 90 {
		t.Errorf("90 addresses, which do not fit into a datagram = %s", words(got))
	}
	if got, want := w.Queries()[:2], []string{"PTR 1.2.0.192.in-addr.arpa", "A mail.example.com"}; !slices.Equal(got, want) {
		t.Errorf("queried %q; want %q", got, want)
	}
	r.SetServers([]netip.AddrPort{server}, 50*time.Millisecond)
	if got, want := b.say("A silent.example.com", Options{}), "temperror: no reply from "+server.String()+" in 50ms"; got != want {
		t.Errorf("silence = %s; want %s", got, want)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v", err)
	}
	// Nobody listens: the kernel says so at once.
	got := b.say("A gone.example.com", Options{})
	if want := "temperror: " + server.String() + ": connection refused"; !strings.HasPrefix(got, want) {
		t.Errorf("with no server = %s; want %s", got, want)
	}
	r.Close()
}
