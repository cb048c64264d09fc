package resolver

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestParseServer(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"192.0.2.53", "192.0.2.53:53"},
		{"192.0.2.53:5353", "192.0.2.53:5353"},
		{"2001:db8::53", "[2001:db8::53]:53"},
		{"[2001:db8::53]", "[2001:db8::53]:53"},
		{"[2001:db8::53]:5353", "[2001:db8::53]:5353"},
		{"fe80::1%eth0", "[fe80::1%eth0]:53"},
		{"[fe80::1%eth0]:5353", "[fe80::1%eth0]:5353"},
		{"::ffff:192.0.2.53", "192.0.2.53:53"},
		{"", ""},
		{":53", ""},
		{"192.0.2.53:0", ""},
		{"192.0.2.53:", ""},
		{"192.0.2.53:domain", ""},
		{"192.0.2.53:65536", ""},
		{"[192.0.2.53]", ""},
		{"2001:db8::53]", ""},
		{"192.0.2.53 ", ""},
		{"ns.example.com", ""},                      // who would look it up?
		{"2001:db8::53:53", "[2001:db8::53:53]:53"}, // no way to tell
	} {
		got, err := ParseServer(test.in)
		if test.want == "" {
			if err == nil {
				t.Errorf("ParseServer(%q) = %v; want an error", test.in, got)
			}
			continue
		}
		if err != nil || got.String() != test.want {
			t.Errorf("ParseServer(%q) = %v, %v; want %v", test.in, got, err, test.want)
		}
	}
}

func TestParseServerSaysWhatIsRight(t *testing.T) {
	const want = `server "ns.example.com": want an address, with a port or without: 192.0.2.53, 192.0.2.53:53, [2001:db8::53]:53`
	if _, err := ParseServer("ns.example.com"); err == nil || err.Error() != want {
		t.Errorf("ParseServer(ns.example.com) = %v; want %v", err, want)
	}
}

func TestReadResolvConf(t *testing.T) {
	for _, test := range []struct {
		conf string
		want []string
	}{
		{"nameserver 192.0.2.53\n", []string{"192.0.2.53:53"}},
		{"nameserver 192.0.2.53\nnameserver 2001:db8::53\n", []string{"192.0.2.53:53", "[2001:db8::53]:53"}},
		{"# made by hand\n; nameserver 192.0.2.1\n#nameserver 192.0.2.2\nsearch example.com\ndomain example.com\noptions ndots:5\nnameserver\t192.0.2.53 # ours", []string{"192.0.2.53:53"}},
		{"nameserver fe80::1%eth0\r\n", []string{"[fe80::1%eth0]:53"}},
		{"nameserver\nnameserver ns.example.com\nnameserver 192.0.2.53:53\nnameservers 192.0.2.1\n", []string{"127.0.0.1:53"}},
		{"", []string{"127.0.0.1:53"}},
	} {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(test.conf), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadResolvConf(path)
		if err != nil || !slices.Equal(texts(got), test.want) {
			t.Errorf("ReadResolvConf(%q) = %v, %v; want %v", test.conf, got, err, test.want)
		}
	}
}

func TestReadResolvConfMissing(t *testing.T) {
	got, err := ReadResolvConf(filepath.Join(t.TempDir(), "resolv.conf"))
	if want := []string{"127.0.0.1:53"}; err != nil || !slices.Equal(texts(got), want) {
		t.Errorf("ReadResolvConf(missing) = %v, %v; want %v", got, err, want)
	}
	if got, err := ReadResolvConf(t.TempDir()); err == nil {
		t.Errorf("ReadResolvConf(a folder) = %v; want an error", got)
	}
}

func texts(servers []netip.AddrPort) []string {
	var s []string
	for _, a := range servers {
		s = append(s, a.String())
	}
	return s
}

func FuzzParseServer(f *testing.F) {
	f.Add("192.0.2.53:53")
	f.Add("[fe80::1%eth0]")
	f.Fuzz(func(t *testing.T, s string) {
		server, err := ParseServer(s)
		if err != nil {
			return
		}
		if !server.IsValid() || server.Port() == 0 {
			t.Errorf("ParseServer(%q) = %v; want an error", s, server)
		}
		if again, err := ParseServer(server.String()); err != nil || again != server {
			t.Errorf("ParseServer(%q) = %v, %v; want %v", server, again, err, server)
		}
	})
}

func FuzzNameservers(f *testing.F) {
	f.Add("# made by hand\nsearch example.com\nnameserver 192.0.2.53\n")
	f.Add("nameserver fe80::1%eth0\r\nnameserver")
	f.Fuzz(func(t *testing.T, conf string) {
		servers := nameservers(conf)
		if err := checkServers(servers, flightTime); err != nil {
			t.Errorf("nameservers(%q) = %v: %v", conf, servers, err)
		}
	})
}
