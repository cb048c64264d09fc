package resolver

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

const dnsPort = 53

// ParseServer reads a server's address: "192.0.2.53", "192.0.2.53:53",
// "2001:db8::53", "[2001:db8::53]:53", "[fe80::1%eth0]:53". The port is 53 if
// none is given. Host names are refused: somebody would have to look them up.
func ParseServer(s string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(addr.Unmap(), dnsPort), nil
	}
	withPort := s
	if strings.HasSuffix(s, "]") {
		withPort += ":53"
	}
	server, err := netip.ParseAddrPort(withPort)
	if err != nil || server.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("server %.60q: want an address, with a port or without: 192.0.2.53, 192.0.2.53:53, [2001:db8::53]:53", s)
	}
	return netip.AddrPortFrom(server.Addr().Unmap(), server.Port()), nil
}

// ReadResolvConf reads the nameserver lines of a resolv.conf(5) and nothing
// else of it: names are never searched for. As in the C library, lines that
// cannot be read are passed over, and a file that does not exist or names no
// server means the server on this host.
func ReadResolvConf(path string) ([]netip.AddrPort, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return nameservers(string(text)), nil
}

func nameservers(conf string) []netip.AddrPort {
	var servers []netip.AddrPort
	for line := range strings.Lines(conf) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr.Unmap(), dnsPort))
		}
	}
	if len(servers) == 0 {
		return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort)}
	}
	return servers
}
