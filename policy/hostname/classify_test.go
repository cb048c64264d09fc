package hostname

import (
	"net/netip"
	"testing"
)

func TestClassify(t *testing.T) {
	tests := []struct{ name, client, want string }{
		{"203-0-113-10.dsl.example.net", "203.0.113.10", `generic/full: "203-0-113-10" is the address`},
		{"10.113.0.203.example.net", "203.0.113.10", `generic/full: "10.113.0.203" is the address`},
		{"cb00710a.example.net", "203.0.113.10", `generic/full: "cb00710a" is the address`},
		{"203-0-113-10.dsl.example.net", "198.51.100.7", "proper"},
		{"mail.example.com", "203.0.113.10", "proper"},
		{"not a name", "203.0.113.10", "proper"},
	}
	for _, tt := range tests {
		if got := Classify(tt.name, netip.MustParseAddr(tt.client)).String(); got != tt.want {
			t.Errorf("Classify(%q, %s) = %s; want %s", tt.name, tt.client, got, tt.want)
		}
	}
}
