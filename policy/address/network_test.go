package address

import (
	"net/netip"
	"testing"
)

func TestNetwork(t *testing.T) {
	for _, test := range []struct{ client, want string }{
		{"192.0.2.77", "192.0.2.0/24"},
		{"::ffff:192.0.2.77", "192.0.2.0/24"},
		{"2001:db8:1:2:3::4", "2001:db8:1::/48"},
		{"2001:db8:1:ffff::", "2001:db8:1::/48"},
		{"fe80::1%eth0", "fe80::/48"},
	} {
		if got := Network(netip.MustParseAddr(test.client)); got.String() != test.want {
			t.Errorf("Network(%s) = %s; want %s", test.client, got, test.want)
		}
	}
	if got := Network(netip.Addr{}); got.IsValid() {
		t.Errorf("Network of no address = %s; want none", got)
	}
}
