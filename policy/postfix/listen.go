package postfix

import (
	"fmt"
	"io/fs"
	"net"
	"strings"
)

// Listen returns a listener on an address, which is one of
//
//	192.0.2.1:10040, [2001:db8::1]:10040
//	unix:/run/policyd-rdns/socket
//
// Names are refused, "localhost" included: what they resolve to may change, or be
// several addresses, and Postfix too dies on one that does not resolve. An
// address stands for its own family only, 0.0.0.0 and [::] too. Port 0 is one
// that the system picks.
//
// A unix socket has the permissions of mode, and the group of that name or
// number unless it is empty, before the first client can connect. The path is
// absolute and its folder exists; within a chroot of Postfix it lies in the
// queue folder. A socket file that nobody listens on is replaced; one that
// somebody does, and any other file, is an error. Close removes the file, if
// it is still the one made here.
func Listen(address string, mode fs.FileMode, group string) (net.Listener, error) {
	if err := CheckAddress(address); err != nil {
		return nil, fmt.Errorf("listening on %.200q: %w", address, err)
	}
	var l net.Listener
	var err error
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		l, err = listenUnix(path, mode, group)
	} else {
		l, err = listenTCP(address)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %.200q: %w", address, err)
	}
	return l, nil
}

func listenTCP(address string) (net.Listener, error) {
	addr, err := parseTCP(address)
	if err != nil {
		return nil, err
	}
	network := "tcp6"
	if addr.Addr().Is4() {
		network = "tcp4"
	}
	return net.ListenTCP(network, net.TCPAddrFromAddrPort(addr))
}
