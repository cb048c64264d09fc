package hostname

import "testing"

func TestLocal(t *testing.T) {
	tests := []struct {
		name string
		want bool
	}{
		{"mail", true},
		{"mx1", true},
		{"win-7q2k", true},
		{"mail.local", true},
		{"a.b.local", true},
		{"mail.lan", true},
		{"mx1.internal", true},
		{"mail.home.arpa", true},
		{"home.arpa", true},
		{"mail.localdomain", true},
		{"localhost", true},
		{"localhost.localdomain", true},
		{"localhost6.localdomain6", true},
		{"mail.localhost", true},
		{"mail.example.com", false},
		{"local.example.com", false},
		{"mail.internal.example.com", false},
		{"localhost.example.com", false},
		{"mail.notlocal", false},
		{"mail.arpa", false},
		{"1.2.0.192.in-addr.arpa", false},
		{"nothome.arpa", false},
		{"localhost.localdomain.example.com", false},
	}
	for _, tt := range tests {
		if got := Local(tt.name); got != tt.want {
			t.Errorf("Local(%q) = %v; want %v", tt.name, got, tt.want)
		}
	}
}

// TestLocalhosts: each is unqualified as a HELO, and local.
func TestLocalhosts(t *testing.T) {
	for _, name := range Localhosts() {
		if name[0] == '.' {
			name = "mail" + name
		}
		if form, _ := ParseHELO(name); form != Unqualified || !Local(name) {
			t.Errorf("ParseHELO(%q) = %v, Local = %v; want it unqualified and local", name, form, Local(name))
		}
	}
}
