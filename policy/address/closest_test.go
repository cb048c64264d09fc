package address_test

import (
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/policy/address"
)

// TestClosest: of a name's addresses the line has the one that tells the most of
// the client.
func TestClosest(t *testing.T) {
	for _, test := range []struct{ client, addrs, want string }{
		{"192.0.2.7", "198.51.100.1 192.0.2.7 192.0.2.6", "192.0.2.7"},
		{"192.0.2.7", "198.51.100.1 192.0.3.7 192.0.2.200", "192.0.2.200"},
		{"192.0.2.7", "203.0.113.1", "203.0.113.1"},
		{"2001:db8:1:2::7", "2001:db8:1:3::7 2001:db8:1:2:ffff::1 2001:db8::1", "2001:db8:1:2:ffff::1"},
		{"192.0.2.7", "2001:db8::1 ::ffff:192.0.2.7", "2001:db8::1"}, // of another family none is near
		{"", "2001:db8::1 192.0.2.7", "2001:db8::1"},
	} {
		var client netip.Addr
		if test.client != "" {
			client = netip.MustParseAddr(test.client)
		}
		var addrs []netip.Addr
		for a := range strings.FieldsSeq(test.addrs) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		if got := address.Closest(addrs, client); got.String() != test.want {
			t.Errorf("Closest(%s, %s) = %s; want %s", test.addrs, test.client, got, test.want)
		}
	}
}
