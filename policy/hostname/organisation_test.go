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
