package match_test

import (
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/match"
)

func TestPrefixesAdd(t *testing.T) {
	tests := []struct{ in, err string }{
		{"192.0.2.1", ""},
		{"192.0.2.0/24", ""},
		{"0.0.0.0/0", ""},
		{"2001:db8::1", ""},
		{"2001:db8::/32", ""},
		{"::/0", ""},
		{"::ffff:192.0.2.1", ""},
		{"::ffff:192.0.2.0/120", ""},
		{"64:ff9b::192.0.2.1", ""},
		{"64:ff9b::/96", ""},
		{"", `"": want an address or a network such as 192.0.2.0/24`},
		{"192.0", `"192.0": want an address or a network such as 192.0.2.0/24`},
		{"192.0.2.*", `"192.0.2.*": want CIDR notation: 192.0.2.0/24`},
		{"192.0.2.0/33", `"192.0.2.0/33": want an address or a network such as 192.0.2.0/24`},
		{"192.0.2.0-192.0.2.9", `"192.0.2.0-192.0.2.9": want an address or a network such as 192.0.2.0/24`},
		{"fe80::1%eth0", `"fe80::1%eth0": want an address or a network such as 192.0.2.0/24`},
		{"mx.example.com", `"mx.example.com": want an address or a network such as 192.0.2.0/24`},
		{"192.0.2.1/24", `"192.0.2.1/24": bits set beyond the prefix; the network is 192.0.2.0/24`},
		{"2001:db8::1/32", `"2001:db8::1/32": bits set beyond the prefix; the network is 2001:db8::/32`},
		{"64:ff9b::192.0.2.1/120", `"64:ff9b::192.0.2.1/120": bits set beyond the prefix; the network is 64:ff9b::c000:200/120`},
		{"::ffff:0:0/95", `"::ffff:0:0/95": bits set beyond the prefix; the network is ::fffe:0:0/95`},
		{strings.Repeat("1", 99), `"111111111111111111111111111111111111111111111111111111111111": want an address or a network such as 192.0.2.0/24`},
	}
	for _, tt := range tests {
		var set match.Prefixes
		got := ""
		if err := set.Add(tt.in); err != nil {
			got = err.Error()
		}
		if got != tt.err {
			t.Errorf("Prefixes.Add(%q) = %q; want %q", tt.in, got, tt.err)
		}
	}
}

func TestPrefixesHas(t *testing.T) {
	var set match.Prefixes
	if set.Has(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the empty set has 192.0.2.1")
	}
	if err := set.Add("::/0"); err != nil || set.Has(netip.Addr{}) || set.Has(netip.MustParseAddr("192.0.2.1")) {
		t.Errorf("{::/0}, %v, has no address, or an IPv4 one", err)
	}
	set = match.Prefixes{}
	for _, s := range []string{"192.0.2.0/24", "198.51.100.7", "203.0.113.0/25", "::ffff:203.0.113.200", "64:ff9b::203.0.113.224/124", "64:ff9b::10.0.0.0/104", "2001:db8:1::/48", "2001:db8::7", "2001:db8:2::/48"} {
		if err := set.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		addr string
		want bool
	}{
		{"192.0.2.0", true},
		{"192.0.2.255", true},
		{"192.0.3.0", false},
		{"198.51.100.7", true},
		{"198.51.100.8", false},
		{"203.0.113.127", true},
		{"203.0.113.128", false},
		{"203.0.113.200", true},
		{"203.0.113.224", true},
		{"203.0.113.239", true},
		{"203.0.113.240", false},
		// Of the carried ones only those are left that are not global.
		{"64:ff9b::a01:203", true},
		{"64:ff9b::c0a8:1", false},
		{"10.1.2.3", false},
		{"2001:db8:1::9", true},
		{"2001:db8:2:ffff::9", true},
		{"2001:db8::7", true},
		{"2001:db8::8", false},
		{"::", false},
		{"::c000:200", false}, // not IPv4, though of the same last bits
	}
	for _, tt := range tests {
		if got := set.Has(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("Has(%s) = %v; want %v", tt.addr, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		set, name string
		want      bool
	}{
		{"mx.example.com", "mx.example.com", true},
		{"MX.Example.com.", "mx.example.com", true},
		{"mx.example.com", "a.mx.example.com", false},
		{"mx.example.com", "amx.example.com", false},
		{".example.com", "mx.example.com", true},
		{".example.com", "a.b.example.com", true},
		{".example.com", "example.com", false},
		{".example.com", "badexample.com", false},
		{".example.com", "example.com.example.org", false},
		{".com", "example.com", true},
		{"localhost", "localhost", true},
		{"a_b.example.com", "a_b.example.com", true},
		{"mx.example.com .example.net", "a.example.net", true},
		{"mx.example.com .example.net", "mx.example.org", false},
		{"", "mx.example.com", false},
		{"bücher.example", "xn--bcher-kva.example", true},
		{"BÜCHER.example.", "xn--bcher-kva.example", true},
		{".bücher.example", "mx.xn--bcher-kva.example", true},
		{"bücher.example", "bucher.example", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", true},
	}
	for _, tt := range tests {
		var set match.Names
		for s := range strings.FieldsSeq(tt.set) {
			if err := set.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		if got := set.Has(tt.name); got != tt.want {
			t.Errorf("{%s}.Has(%q) = %v; want %v", tt.set, tt.name, got, tt.want)
		}
	}
}

// What could never match is an error.
func TestNamesAdd(t *testing.T) {
	for _, s := range []string{
		"", ".", "..", "..example.com", "a..example.com", "a*.example.com", "/example/", "mx example.com", "mx.example.com,a",
		"user@example.com", "[192.0.2.1]", "example.com..", ".example.com..", "^mx", "mx\nexample",
	} {
		var set match.Names
		err := set.Add(s)
		if want := "want a name such as mx.example.com, or .example.com for all names under it"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Names.Add(%q) = %v; want an error that ends with %q", s, err, want)
		}
	}
}

func TestMailboxes(t *testing.T) {
	tests := []struct {
		set, address string
		want         bool
	}{
		{"user@example.com", "user@example.com", true},
		{"User@Example.COM", "uSER@example.com", true},
		{"user@example.com.", "user@example.com", true},
		{"user@example.com", "user@example.com.", true},
		{"user@example.com", "user2@example.com", false},
		{"user@example.com", "auser@example.com", false},
		{"user@example.com", "user@mail.example.com", false},
		{"example.com", "user@example.com", true},
		{"example.com", "user@example.com.", true},
		{"example.com", "user@mail.example.com", false},
		{".example.com", "user@mail.example.com", true},
		{".example.com", "user@example.com", false},
		{"bücher.example", "user@xn--bcher-kva.example", true},
		{"bücher.example", "user@bücher.example", true},
		{"user@bücher.example", "user@xn--bcher-kva.example", true},
		{"user@", "user@example.org", true},
		{"User@", "USER@example.org", true},
		{"user@", "user", true},
		{"user@", "user2@example.org", false},
		{"user@", "user+tag@example.org", false},
		{"EXÄMPLE.com", "user@exÄmple.com", true},
		{"example.com", "user", false},
		{"example.com", "example.com", false},
		{"<>", "", true},
		{"<>", "user@example.com", false},
		{"user@ example.com", "", false},
		// The domain is behind the last @ (RFC 5321 section 4.1.2).
		{"example.com", `"a@example.org"@example.com`, true},
		{"example.org", `"a@example.org"@example.com`, false},
		{`"a@b"@example.com`, `"a@b"@example.com`, true},
		{"user@", "user@example.org@example.com", false},
		{"", "user@example.com", false},
		{"", "", false},
	}
	for _, tt := range tests {
		var set match.Mailboxes
		for s := range strings.FieldsSeq(tt.set) {
			if err := set.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		if got := set.Has(tt.address); got != tt.want {
			t.Errorf("{%s}.Has(%q) = %v; want %v", tt.set, tt.address, got, tt.want)
		}
	}
}

func TestMailboxesAdd(t *testing.T) {
	for _, s := range []string{
		"", "@", "user@*.example.com", "*@example.com.*", "user@.example.com", "a user@example.com",
		"user@example..com", "< >", "user@example.com..", "user@.",
	} {
		var set match.Mailboxes
		err := set.Add(s)
		if want := "want user@example.com, example.com, .example.com, user@ or <>"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Mailboxes.Add(%q) = %v; want an error that ends with %q", s, err, want)
		}
	}
}

// FuzzPrefixes holds the set to a list that is walked through.
func FuzzPrefixes(f *testing.F) {
	f.Add("192.0.2.0/24 198.51.100.7 2001:db8::/32", "192.0.2.9")
	f.Add("0.0.0.0/0", "::ffff:192.0.2.1")
	f.Add("64:ff9b::/96 64:ff9b::a00:0/104", "64:ff9b::10.0.0.1")
	f.Add("::/0 ::ffff:192.0.2.0/120 fe80::/10", "fe80::1%eth0")
	f.Add("192.0.2.0/25 192.0.2.128/26 192.0.2.192/31 ::1/128", "192.0.2.193")
	f.Fuzz(func(t *testing.T, list, text string) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		addr = address.Plain(addr)
		var set match.Prefixes
		want := false
		for s := range strings.FieldsSeq(list) {
			if set.Add(s) != nil {
				continue
			}
			p, err := netip.ParsePrefix(s)
			if err != nil {
				a := netip.MustParseAddr(s)
				p = netip.PrefixFrom(a, a.BitLen())
			}
			for _, network := range address.Networks(p) {
				want = want || network.Contains(addr)
			}
		}
		if got := set.Has(addr); got != want {
			t.Errorf("{%s}.Has(%s) = %v; want %v", list, addr, got, want)
		}
	})
}

// normal is a name as sets of names compare it.
func normal(s string) string {
	b := []byte(strings.TrimSuffix(s, "."))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// FuzzNames likewise.
func FuzzNames(f *testing.F) {
	f.Add("mx.example.com .example.org", "a.example.org")
	f.Add(".com MX.example.com.", "mx.example.com")
	f.Add("a.b b c .b", "a.b.c")
	f.Fuzz(func(t *testing.T, list, name string) {
		name = normal(name)
		var set match.Names
		want := false
		for s := range strings.FieldsSeq(list) {
			if set.Add(s) != nil {
				continue
			}
			s = normal(s)
			want = want || s == name || s[0] == '.' && strings.HasSuffix(name, s)
		}
		if got := set.Has(name); got != want {
			t.Errorf("{%s}.Has(%q) = %v; want %v", list, name, got, want)
		}
	})
}

// FuzzMailboxes likewise.
func FuzzMailboxes(f *testing.F) {
	f.Add("user@example.com .example.org <>", "User@a.example.org")
	f.Add("postmaster@ abuse@example.com", "postmaster")
	f.Add(`"a@b"@example.com`, `"a@b"@example.com`)
	f.Add("<>", "")
	f.Fuzz(func(t *testing.T, list, address string) {
		lower := strings.ToLower(address)
		at := strings.LastIndexByte(lower, '@')
		user, domain := lower, ""
		if at >= 0 {
			user, domain = lower[:at], lower[at+1:]
		}
		var set match.Mailboxes
		want := false
		for s := range strings.FieldsSeq(list) {
			if set.Add(s) != nil {
				continue
			}
			s = strings.ToLower(s)
			var domains match.Names
			switch i := strings.LastIndexByte(s, '@'); {
			case s == "<>":
				want = want || address == ""
			case i < 0:
				if err := domains.Add(s); err != nil {
					t.Fatalf("Mailboxes.Add(%q) takes a domain that Names.Add does not: %v", s, err)
				}
				want = want || at >= 0 && domains.Has(normal(domain))
			case address == "":
			case i == len(s)-1:
				want = want || s[:i] == user
			default:
				want = want || at >= 0 && s[:i] == user && normal(s[i+1:]) == normal(domain)
			}
		}
		if got := set.Has(address); got != want {
			t.Errorf("{%s}.Has(%q) = %v; want %v", list, address, got, want)
		}
	})
}
