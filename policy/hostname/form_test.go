package hostname

import (
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	name253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	tests := []struct {
		name string
		want bool
	}{
		{"mail.example.com", true},
		{"mail.example.com.", true},
		{"MAIL.Example.COM", true},
		{"example.com", true},
		{"_dmarc.ex_ample.com", true},
		{"xn--bcher-kva.example", true},
		{"10.2.0.192.in-addr.arpa", true},
		{"1.example", true},
		{"a.1b", true},
		{label63 + ".example", true},
		{name253, true},
		{name253 + ".", true},
		{"", false},
		{".", false},
		{"localhost", false},
		{"localhost.", false},
		{"mail.example.com..", false},
		{".example.com", false},
		{"mail..example.com", false},
		{"-mail.example.com", false},
		{"mail-.example.com", false},
		{"mail.-example.com", false},
		{"mail.example.com-", false},
		{"192.0.2.1", false},
		{"192.0.2.1.", false},
		{"example.123", false},
		{"2001:db8::1", false},
		{"[192.0.2.1]", false},
		{"mail example.com", false},
		{`mail\032x.example.com`, false},
		{"mail\nx.example.com", false},
		{"mäil.example.com", false},
		{"mail*.example.com", false},
		{label63 + "a.example", false},
		{name253 + "a", false},
	}
	for _, tt := range tests {
		if got := Valid(tt.name); got != tt.want {
			t.Errorf("Valid(%q) = %v; want %v", tt.name, got, tt.want)
		}
	}
}

func TestNormal(t *testing.T) {
	tests := []struct{ name, want string }{
		{"", ""},
		{".", ""},
		{"mail.example.com", "mail.example.com"},
		{"mail.example.com.", "mail.example.com"},
		{"mail.example.com..", "mail.example.com."},
		{"MAIL.Example.cOm.", "mail.example.com"},
		{"MÄIL.example", "mÄil.example"}, // ASCII only, RFC 4343
	}
	for _, tt := range tests {
		if got := Normal(tt.name); got != tt.want {
			t.Errorf("Normal(%q) = %q; want %q", tt.name, got, tt.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Normal("mail.example.com.") }); n != 0 {
		t.Errorf("Normal of a normal name allocates %v times; want 0", n)
	}
}

func FuzzValid(f *testing.F) {
	f.Add("mail.example.com.")
	f.Add("192.0.2.1")
	f.Add(`mail\032.example.com`)
	f.Fuzz(func(t *testing.T, name string) {
		if !Valid(name) {
			return
		}
		if normal := Normal(name); !Valid(normal) || Normal(normal) != normal {
			t.Errorf("Normal(%q) = %q; want a valid name that is its own Normal", name, normal)
		}
		if form, _ := ParseHELO(name); form != FQDN {
			t.Errorf("ParseHELO(%q) = %v; want fqdn", name, form)
		}
	})
}
