package daemon

import (
	"net"
	"testing"

	"policyd-rdns/policy/postfix"
)

// TestListenFamilies: an address means the same in server.listen and in
// http.listen, those that stand for all of a family too.
func TestListenFamilies(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skipf("no IPv6 here: %v", err)
	} else {
		_ = l.Close()
	}
	for section, listen := range map[string]func(string) (net.Listener, error){
		"http":   listenHTTP,
		"server": func(address string) (net.Listener, error) { return postfix.Listen(address, 0o660, "") },
	} {
		for _, test := range []struct {
			address   string
			four, six bool // who reaches it
		}{
			{"0.0.0.0:0", true, false},
			{"[::]:0", false, true},
			{"127.0.0.1:0", true, false},
			{"[::1]:0", false, true},
			{"[::ffff:0.0.0.0]:0", true, false},
			{"[::ffff:127.0.0.1]:0", true, false},
		} {
			l, err := listen(test.address)
			if err != nil {
				t.Errorf("%s: listening on %s: %v", section, test.address, err)
				continue
			}
			_, port, _ := net.SplitHostPort(l.Addr().String())
			for host, want := range map[string]bool{"127.0.0.1": test.four, "::1": test.six} {
				conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
				if err == nil {
					_ = conn.Close()
				}
				if (err == nil) != want {
					t.Errorf("%s: %s answers on %s: %v; want %v", section, test.address, host, err == nil, want)
				}
			}
			_ = l.Close()
		}
	}
	l, err := listenHTTP("localhost:0")
	if err != nil {
		t.Fatalf("listening on localhost: %v", err)
	}
	_ = l.Close()
}
