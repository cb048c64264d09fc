package main

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// policySockets are the addresses that postfix.Listen takes for an address: it
// stands for its own family only. None for a unix socket.
func policySockets(address string) []netip.AddrPort {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	return []netip.AddrPort{addr}
}

// httpSockets are the addresses that net.Listen takes for a host and a port: [::]
// is all of both families. None for a name that has to be looked up.
func httpSockets(address string) []netip.AddrPort {
	host, text, err := net.SplitHostPort(address)
	port, err2 := strconv.ParseUint(text, 10, 16)
	if err != nil || err2 != nil {
		return nil
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	addrs := []netip.AddrPort{netip.AddrPortFrom(addr.Unmap(), uint16(port))}
	if addr == netip.IPv6Unspecified() {
		addrs = append(addrs, netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)))
	}
	return addrs
}

// overlap says that nobody can listen on addresses of both.
func overlap(a, b []netip.AddrPort) bool {
	return slices.ContainsFunc(a, func(a netip.AddrPort) bool {
		return slices.ContainsFunc(b, func(b netip.AddrPort) bool {
			// Port 0 is each time another.
			return a.Port() == b.Port() && a.Port() != 0 && a.Addr().Is4() == b.Addr().Is4() &&
				(a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified())
		})
	})
}

// samePath says that two addresses are one unix socket, however it is written.
func samePath(a, b string) bool {
	pathA, okA := strings.CutPrefix(a, "unix:")
	pathB, okB := strings.CutPrefix(b, "unix:")
	return okA && okB && realPath(pathA) == realPath(pathB)
}

// realPath is a path without symbolic links in its folder, if that can be looked
// at.
func realPath(path string) string {
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return filepath.Clean(path)
}

// beside finds the address that keeps another from being listened on too.
func beside(address string, others []string) (string, bool) {
	for _, other := range others {
		if other == address || samePath(other, address) || overlap(policySockets(other), policySockets(address)) {
			return other, true
		}
	}
	return "", false
}
