package hostname

import (
	"net/netip"
	"testing"

	"policyd-rdns/policy/address"
)

func TestParseHELO(t *testing.T) {
	tests := []struct {
		helo string
		form Form
		addr string
	}{
		{"", Missing, ""},
		{"mail.example.com", FQDN, ""},
		{"mail.example.com.", FQDN, ""},
		{"ip-203-0-113-10.provider.local", FQDN, ""},
		{"my_host.example.com", FQDN, ""},
		{"localhost", Unqualified, ""},
		{"localhost.", Unqualified, ""},
		{"LOCALHOST", Unqualified, ""},
		{"localhost.localdomain", Unqualified, ""},
		{"LocalHost.LocalDomain.", Unqualified, ""},
		{"localhost6.localdomain6", Unqualified, ""},
		{"ip6-localhost", Unqualified, ""},
		{"mail.localhost", Unqualified, ""},
		{"mail.localhost.", Unqualified, ""},
		{"localhost.example.com", FQDN, ""},
		{"localhost.local", FQDN, ""},
		{"mail.localdomain", FQDN, ""},
		{"localhost..", Malformed, ""},
		{"WIN-7Q2K", Unqualified, ""},
		{"12345", Unqualified, ""},
		{"[203.0.113.10]", Literal, "203.0.113.10"},
		{"[IPv6:2001:db8::1]", Literal, "2001:db8::1"},
		{"[ipV6:2001:DB8::1]", Literal, "2001:db8::1"},
		{"[IPv6:::ffff:192.0.2.1]", Literal, "192.0.2.1"},
		{"[IPv6:64:ff9b::192.0.2.1]", Literal, "192.0.2.1"},
		{"[IPv6:64:ff9b::192.168.0.1]", Literal, "64:ff9b::c0a8:1"},
		{"203.0.113.10", BareIP, "203.0.113.10"},
		{"203.0.113.10.", BareIP, "203.0.113.10"},
		{"2001:db8::1", BareIP, "2001:db8::1"},
		{"::ffff:192.0.2.1", BareIP, "192.0.2.1"},
		{"64:ff9b::192.0.2.1", BareIP, "192.0.2.1"},
		{"64:ff9b::c000:201.", BareIP, "192.0.2.1"},
		{"[2001:db8::1]", Malformed, ""}, // RFC 5321 wants the tag
		{"[IPv6:192.0.2.1]", Malformed, ""},
		{"[IPv6:fe80::1%eth0]", Malformed, ""},
		{"fe80::1%eth0", Malformed, ""},
		{"[203.0.113.010]", Malformed, ""}, // eight or ten
		{"[203.0.113]", Malformed, ""},
		{"[203.0.113.10", Malformed, ""},
		{"[203.0.113.10].", Malformed, ""},
		{"[", Malformed, ""},
		{"[]", Malformed, ""},
		{"[X400:foo]", Malformed, ""},
		{"203.0.113", Malformed, ""},
		{"203.0.113.256", Malformed, ""},
		{".", Malformed, ""},
		{"mail..example.com", Malformed, ""},
		{"-mail.example.com", Malformed, ""},
		{"mail example.com", Malformed, ""},
		{"mail?example.com", Malformed, ""}, // Postfix's mark for a control byte
		{"über.example", Malformed, ""},
		{"host:25", Malformed, ""},
	}
	for _, tt := range tests {
		form, addr := ParseHELO(tt.helo)
		got := ""
		if addr.IsValid() {
			got = addr.String()
		}
		if form != tt.form || got != tt.addr {
			t.Errorf("ParseHELO(%q) = %v, %q; want %v, %q", tt.helo, form, got, tt.form, tt.addr)
		}
	}
}

func TestFormString(t *testing.T) {
	want := [...]string{"missing", "fqdn", "literal", "unqualified", "bare_ip", "malformed"}
	for f, w := range want {
		if got := Form(f).String(); got != w {
			t.Errorf("Form(%d).String() = %q; want %q", f, got, w)
		}
	}
}

func FuzzParseHELO(f *testing.F) {
	f.Add("[IPv6:::ffff:192.0.2.1]")
	f.Add("[203.0.113.010]")
	f.Add("2001:db8::1")
	f.Add("mail.example.com")
	f.Add("localhost.localdomain.")
	f.Fuzz(func(t *testing.T, helo string) {
		form, addr := ParseHELO(helo)
		if has := form == Literal || form == BareIP; addr.IsValid() != has {
			t.Errorf("ParseHELO(%q) = %v, %v; want an address for literal and bare_ip only", helo, form, addr)
		}
		if addr != address.Plain(addr) {
			t.Errorf("ParseHELO(%q) = %v, %v; want %v", helo, form, addr, address.Plain(addr))
		}
		if name := cutDot(helo); (form == FQDN) != (Valid(helo) && !isLocalhost(name)) {
			t.Errorf("ParseHELO(%q) = %v, Valid = %v, isLocalhost = %v; want them to agree", helo, form, Valid(helo), isLocalhost(name))
		}
		if form != Literal || addr == (netip.Addr{}) {
			return
		}
		literal := "[" + addr.String() + "]"
		if addr.Is6() {
			literal = "[IPv6:" + addr.String() + "]"
		}
		if again, a := ParseHELO(literal); again != Literal || a != addr {
			t.Errorf("ParseHELO(%q) = %v, %v; want literal, %v", literal, again, a, addr)
		}
	})
}
