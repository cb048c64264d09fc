// Package listening tells which addresses cannot both be listened on.
package listening

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"policyd-rdns/policy/hostname"
)

// Sockets are the addresses that are listened on for one of server.listen or
// http.listen: 0.0.0.0 is all of IPv4 and [::] all of IPv6, neither of them both.
// None for a unix socket, or a name that has to be looked up.
func Sockets(address string) []netip.AddrPort {
	if host, port, err := net.SplitHostPort(address); err == nil && IsLocalhost(host) {
		address = "127.0.0.1:" + port
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())}
}

// IsLocalhost reports whether a name is that of this host for itself (RFC 6761 section
// 6.3).
func IsLocalhost(host string) bool { return hostname.Normal(host) == "localhost" }

// Overlap reports whether nobody can listen on addresses of both.
func Overlap(a, b []netip.AddrPort) bool {
	return slices.ContainsFunc(a, func(a netip.AddrPort) bool {
		return slices.ContainsFunc(b, func(b netip.AddrPort) bool {
			// Port 0 is each time another.
			return a.Port() == b.Port() && a.Port() != 0 && a.Addr().Is4() == b.Addr().Is4() &&
				(a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified())
		})
	})
}

// SamePath reports whether two addresses are one unix socket, however it is written.
func SamePath(a, b string) bool {
	pathA, okA := strings.CutPrefix(a, "unix:")
	pathB, okB := strings.CutPrefix(b, "unix:")
	return okA && okB && RealPath(pathA) == RealPath(pathB)
}

// RealPath is a path without symbolic links in its folder, if that can be looked
// at.
func RealPath(path string) string {
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return filepath.Clean(path)
}

// Beside finds the address that keeps another from being listened on too.
func Beside(address string, others []string) (string, bool) {
	for _, other := range others {
		if other == address || SamePath(other, address) || Overlap(Sockets(other), Sockets(address)) {
			return other, true
		}
	}
	return "", false
}
