package daemon

import (
	"net"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
)

// at is a listener at an address, for its address alone.
type at struct {
	net.Listener
	addr net.Addr
}

func (a at) Addr() net.Addr { return a.addr }

// TestContainerName: in a container's network Postfix calls by a name, and elsewhere by the
// address.
func TestContainerName(t *testing.T) {
	for _, tt := range []struct {
		container  bool
		host, addr string
		want       string
	}{
		{true, "policy", "0.0.0.0:10040", "policy:10040"},
		{true, "policy", "[::]:10040", "policy:10040"},
		{true, "0123456789ab", "172.22.1.9:10040", "policyd-rdns:10040"},
		{true, "", "0.0.0.0:10040", "policyd-rdns:10040"},
		{true, "policy", "127.0.0.1:10040", ""},
		{false, "policy", "0.0.0.0:10040", ""},
	} {
		addr, err := net.ResolveTCPAddr("tcp", tt.addr)
		if err != nil {
			t.Fatal(err)
		}
		host := config.Host{Names: []string{tt.host}}
		if got := containerName(&config.Config{Container: tt.container}, &host, at{addr: addr}); got != tt.want {
			t.Errorf("container %v, host %q, listening on %s: %q; want %q", tt.container, tt.host, tt.addr, got, tt.want)
		}
	}
	host := config.Host{Names: []string{"policy"}}
	if got := containerName(&config.Config{Container: true}, &host, at{addr: &net.UnixAddr{Name: "/run/x", Net: "unix"}}); got != "" {
		t.Errorf("a unix socket has the name %q", got)
	}
}
