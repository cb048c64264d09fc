package crowd

import (
	"net/netip"
	"testing"
)

// few are numbers at the edges.
func few(f Family) []uint32 {
	last := uint32(f.Size() - 1)
	return []uint32{0, 1, 9, 10, 255, 256, 511, 512, 65535, 65536, 100_000, last - 1, last}
}

func TestAddress(t *testing.T) {
	tests := []struct {
		n    uint32
		f    Family
		want string
	}{
		{0, IPv4, "240.18.0.0"},
		{1, IPv4, "240.18.1.0"},
		{256, IPv4, "240.19.0.0"},
		{512, IPv4, "240.18.0.1"},
		{131_071, IPv4, "240.19.255.255"},
		{0, IPv6, "2001:db8::"},
		{1, IPv6, "2001:db8:1::"},
		{65536, IPv6, "2001:db8::1"},
		{1<<32 - 1, IPv6, "2001:db8:ffff::ffff"},
	}
	for _, test := range tests {
		if got := Address(test.n, test.f); got != netip.MustParseAddr(test.want) {
			t.Errorf("Address(%d, IPv%d) = %v; want %s", test.n, test.f, got, test.want)
		}
	}
	for _, f := range []Family{IPv4, IPv6} {
		for _, n := range few(f) {
			if got, ok := Number(Address(n, f)); got != n || !ok {
				t.Errorf("Number(Address(%d, IPv%d)) = %d, %v", n, f, got, ok)
			}
		}
	}
	for _, addr := range []string{"203.0.113.1", "198.51.100.7", "127.0.0.1", "2001:db8::1:0:0", "2001:db8::ffff:0:0:ff", "::1"} {
		if n, ok := Number(netip.MustParseAddr(addr)); ok {
			t.Errorf("Number(%s) = %d; want none", addr, n)
		}
	}
}

func TestKinds(t *testing.T) {
	tests := []struct {
		kind           Kind
		name4, helo4   string
		name6, helo6   string
		nameTo, heloTo string // what they resolve to: back, other or nowhere
	}{
		{Named, "mail513.example.org", "mail513.example.org", "mail513.example.org", "mail513.example.org", "back", "back"},
		{Other, "mail513.example.org", "mx513.example.net", "mail513.example.org", "mx513.example.net", "back", "back"},
		{Literal, "mail513.example.org", "[240.18.1.1]", "mail513.example.org", "[IPv6:2001:db8:201::]", "back", "nowhere"},
		{Generic, "240-18-1-1.dyn.example.com", "desk513.example.net", "20010db8020100000000000000000000.dyn.example.com", "desk513.example.net", "back", "nowhere"},
		{Nameless, "", "mx513.example.net", "", "mx513.example.net", "nowhere", "back"},
		{Mismatch, "mail513.example.org", "mail513.example.org", "mail513.example.org", "mail513.example.org", "other", "other"},
	}
	for _, test := range tests {
		c := Crowd{Mix: Only(test.kind)}
		for _, f := range []Family{IPv4, IPv6} {
			wantName, wantHELO := test.name4, test.helo4
			if f == IPv6 {
				wantName, wantHELO = test.name6, test.helo6
			}
			const n = 513
			name, helo := c.AppendName(nil, n, f), c.AppendHELO(nil, n, f)
			if string(name) != wantName || string(helo) != wantHELO {
				t.Errorf("%v, IPv%d: name %s, HELO %s; want %s, %s", test.kind, f, name, helo, wantName, wantHELO)
			}
			back := map[string]netip.Addr{"back": Address(n, f), "other": Elsewhere(f)}
			if got := c.ResolvesTo(name, f); got != back[test.nameTo] {
				t.Errorf("%v: ResolvesTo(%s, IPv%d) = %v; want %s", test.kind, name, f, got, test.nameTo)
			}
			if got := c.ResolvesTo(helo, f); got != back[test.heloTo] {
				t.Errorf("%v: ResolvesTo(%s, IPv%d) = %v; want %s", test.kind, helo, f, got, test.heloTo)
			}
		}
	}
}

func TestDoesNotResolve(t *testing.T) {
	c := Crowd{Mix: Only(Generic)}
	named := Crowd{}
	for _, name := range []string{
		"", "mail.example.org", "mail01.example.org", "mail131072.example.org", "mail-1.example.org",
		"mail99999999999999999999.example.org", "mail1.example.com", "xmail1.example.org", "240.18.1.1.dyn.example.com",
		"240-18-1.dyn.example.com", "203-0-113-1.dyn.example.com", "240-18-1-1-1-1-1-1-1.dyn.example.com", "dyn.example.com",
	} {
		if got := c.ResolvesTo([]byte(name), IPv4); got.IsValid() {
			t.Errorf("generic: ResolvesTo(%s) = %v; want none", name, got)
		}
		if got := named.ResolvesTo([]byte(name), IPv4); got.IsValid() {
			t.Errorf("named: ResolvesTo(%s) = %v; want none", name, got)
		}
	}
	// The other family's address is not what was asked for.
	if got := c.ResolvesTo([]byte("240-18-1-1.dyn.example.com"), IPv6); got.IsValid() {
		t.Errorf("ResolvesTo(…, IPv6) = %v; want none", got)
	}
}

func TestMix(t *testing.T) {
	tests := []struct {
		text, want string // empty: an error
	}{
		{"named=1", "named=1"},
		{"other=15, named=60,nameless=25", "named=60,other=15,nameless=25"},
		{"named=5,named=7", "named=7"},
		{"named=0,generic=1", "generic=1"},
		{"", ""},
		{"named", ""},
		{"named=0", ""},
		{"named=-1", ""},
		{"named=1000001", ""},
		{"strange=1", ""},
		{"named=1,", ""},
	}
	for _, test := range tests {
		var m Mix
		err := m.Set(test.text)
		if (err == nil) != (test.want != "") || err == nil && m.String() != test.want {
			t.Errorf("Set(%q) = %s, %v; want %q", test.text, m.String(), err, test.want)
		}
	}
}

// The shares come out as they were ordered, the same at each run, and differ by
// the seed.
func TestShares(t *testing.T) {
	var m Mix
	if err := m.Set("named=60,other=15,generic=10,nameless=10,mismatch=5"); err != nil {
		t.Fatal(err)
	}
	const clients = 100_000
	a, b := Crowd{Seed: 1, Mix: m}, Crowd{Seed: 2, Mix: m}
	var count [numKinds]int
	differ := 0
	for n := range uint32(clients) {
		count[a.Kind(n)]++
		if a.Kind(n) != b.Kind(n) {
			differ++
		}
	}
	for kind, want := range m.shares {
		if got, want := count[kind], int(want)*clients/100; got < want*9/10 || got > want*11/10 {
			t.Errorf("%d of %d clients are %s; want about %d", got, clients, Kind(kind), want)
		}
	}
	if differ == 0 {
		t.Error("two seeds give the same clients")
	}
}

// The generator calls these for each request.
func TestNoAllocations(t *testing.T) {
	var m Mix
	if err := m.Set("named=1,other=1,literal=1,generic=1,nameless=1,mismatch=1"); err != nil {
		t.Fatal(err)
	}
	c := Crowd{Mix: m}
	b := make([]byte, 0, 256)
	n := uint32(0)
	if got := testing.AllocsPerRun(100, func() {
		for _, f := range []Family{IPv4, IPv6} {
			b = c.AppendHELO(c.AppendName(b[:0], n, f), n, f)
		}
		n++
	}); got != 0 {
		t.Errorf("AppendName and AppendHELO: %v allocations; want none", got)
	}
}
