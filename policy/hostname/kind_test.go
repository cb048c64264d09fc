package hostname

import (
	"net/netip"
	"testing"
)

func TestKind(t *testing.T) {
	tests := []struct {
		name string
		want Kind
	}{
		{"mail.example.com", NoKind},
		{"203-0-113-10.mail-mail.example.com", NoKind},
		{"203-0-113-10.example.net", UnknownKind},
		{"host-203-0-113-10.customer.example.net", UnknownKind},
		{"ip-203-0-113-10.example.net", UnknownKind}, // ip is a filler, and no machine
		{"node-203-0-113-10.ipv6.example.net", UnknownKind},
		{"hosted-by.example.com", Server},
		{"unassigned.example.com", UnknownKind},
		{"h2123456.example.net", UnknownKind},

		{"203-0-113-10.dynamic.example.net", Dynamic},
		{"dynamic-ip-203-0-113-10.example.net", Dynamic},
		{"dinamico-203-0-113-10.example.net", Dynamic},
		{"pcb00710a.dip0.example.net", Dynamic},
		{"ppp60.town.example.net", Dynamic},
		{"dhcp-113-10.cs.example.edu", Dynamic},
		{"c-203-0-113-10.hsd1.wa.example.net", Dynamic},
		{"203-0-113-10.dsl.example.net", Dynamic},
		{"203-0-113-10.cable.example.net", Dynamic},
		{"mobile-203-0-113-10.example.net", Dynamic},
		{"203-0-113-10.res.example.net", Dynamic},
		{"203-0-113-10.pool.example.net", Dynamic},
		{"koleje-wifi-0116.koleje.cz.example", Dynamic},
		{"203-0-113-10.vps.dsl.example.net", Dynamic}, // a line is more than a machine

		{"static.10.113.0.203.clients.example.net", Static},
		{"203-0-113-10.static.example.net", Static},
		{"203-0-113-10.dsl.static.example.net", Static}, // fixed is more than what line it is
		{"adsl-static-203-0-113-10.example.net", Static},
		{"fixed-203-0-113-10.example.net", Static},
		{"203-0-113-10.estatica.example.net", Static},
		{"203-0-113-10-business.cable.example.net", Static},
		{"203-0-113-10.sdsl.example.net", Static},
		{"static.example.net", Static},

		{"203-0-113-10.static.dynamic.example.net", UnknownKind}, // it says both
		{"203-0-113-10.non-static.example.net", Dynamic},
		{"203-0-113-10.nonstatic.example.net", Dynamic},

		{"vps-189280.example.net", Server},
		{"vmi512049.example.net", Server},
		{"srv19939.example.org", Server},
		{"ns3063261.eu.example", Server},
		{"ec2-203-0-113-10.compute-1.example.com", Server},
		{"203-0-113-10.cloud.example.net", Server},
		{"203-0-113-10.static.example-dynamic.net", Static}, // the registered domain does not count
	}
	for _, tt := range tests {
		if got := Classify(tt.name, netip.MustParseAddr("203.0.113.10")); got.Kind != tt.want {
			t.Errorf("Classify(%s) is %v, of kind %v; want %v", tt.name, got, got.Kind, tt.want)
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{NoKind: "", UnknownKind: "unknown", Dynamic: "dynamic", Static: "static", Server: "server", 9: "Kind(9)"} {
		if got := k.String(); got != want {
			t.Errorf("Kind %d is %q; want %q", uint8(k), got, want)
		}
	}
}
