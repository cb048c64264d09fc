package hostname

import "testing"

func TestOrganisation(t *testing.T) {
	tests := []struct{ name, want string }{
		{"example.com", "example.com"},
		{"mail.example.com", "example.com"},
		{"a.b.Example.COM.", "example.com"},
		{"mail.example.co.uk", "example.co.uk"},
		{"vps123.hosting.internal", "hosting.internal"},
		{"a.b.example", "b.example"},
		{"com", ""},
		{"co.uk", ""},
		{"github.io", ""}, // private section: a suffix
		{"mail.someone.github.io", "someone.github.io"},
		{"ec2-203-0-113-10.compute-1.amazonaws.com", ""}, // *.compute-1.amazonaws.com is a suffix
		{"localhost", ""},
		{"192.0.2.1", ""},
		{"mail..example.com", ""},
		{"", ""},
		{".", ""},
	}
	for _, tt := range tests {
		if got := Organisation(tt.name); got != tt.want {
			t.Errorf("Organisation(%q) = %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestStrangers: names of one organisational domain are never taken for strangers.
func TestStrangers(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"mail.example.com", "relay.a.example.com", false},
		{"example.com", "mail.example.com", false},
		{"mail.example.com", "mail.example.net", true},
		{"mail.example.com", "mail.other.com", true},
		{"mail.example.com", "mail.badexample.com", true},
		{"mail.example.co.uk", "mail.other.co.uk", false}, // the list tells
		{"a.b.example", "c.b.example", false},
		{"example.com", "com", true},
		{"com", "com", false},
		{"", "example.com", true},
	}
	for _, tt := range tests {
		if got := Strangers(tt.a, tt.b); got != tt.want || Strangers(tt.b, tt.a) != got {
			t.Errorf("Strangers(%q, %q) = %v; want %v, and the same the other way", tt.a, tt.b, got, tt.want)
		}
		if org := Organisation(tt.a); tt.want && org != "" && org == Organisation(tt.b) {
			t.Errorf("Strangers(%q, %q), both of %s", tt.a, tt.b, org)
		}
	}
}

func TestPublicSuffix(t *testing.T) {
	for name, want := range map[string]bool{
		"com": true, "co.uk": true, "uk": true, "de": true, "k12.ca.us": true, "foo.ck": true,
		"github.io": true, "compute.amazonaws.com": true, "dyndns.org": true, // the private section
		"example": false, "internal": false, "local": false, "lan": false, "test": false,
		"example.com": false, "example.co.uk": false, "mx.example.com": false, "amazonaws.com": false, "": false,
	} {
		if got := PublicSuffix(name); got != want {
			t.Errorf("PublicSuffix(%q) = %v; want %v", name, got, want)
		}
	}
}

func TestRegistrySuffix(t *testing.T) {
	for name, want := range map[string]bool{
		"com": true, "co.uk": true, "dyndns.org": false, "compute.amazonaws.com": false, "example.com": false, "internal": false, "": false,
	} {
		if got := RegistrySuffix(name); got != want {
			t.Errorf("RegistrySuffix(%q) = %v; want %v", name, got, want)
		}
	}
}
