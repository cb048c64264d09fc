package maincf

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// Endpoint is where a policy service is called.
type Endpoint struct {
	Text    string // as written
	Network string // "inet" or "unix"
	Host    string // of inet; "localhost" if none was written (inet_connect)
	Port    string
	Path    string // of unix
}

// ParseEndpoint reads "inet:host:port", "inet:port", "unix:path".
func ParseEndpoint(text string) Endpoint {
	e := Endpoint{Text: text}
	network, rest, _ := strings.Cut(text, ":")
	e.Network = network
	switch network {
	case "inet":
		e.Host, e.Port = CutHost(rest)
		if e.Host == "" {
			e.Host = "localhost"
		}
	case "unix":
		e.Path = rest
	}
	return e
}

// Valid reports whether Postfix can read the endpoint.
func (e *Endpoint) Valid() bool {
	return e.Network == "unix" && e.Path != "" || e.Network == "inet" && e.Port != "" && !strings.ContainsAny(e.Text, "@/")
}

// Meant is what an endpoint that Postfix cannot read was to be: one without a
// word in front, with that of another program ("tcp:"), or in the form of a URL or
// of a milter ("inet:port@host").
func (e *Endpoint) Meant() (Endpoint, bool) {
	if e.Valid() {
		return Endpoint{}, false
	}
	rest := e.Text
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest = strings.TrimSuffix(after, "/")
	} else if network, after, ok := strings.Cut(rest, ":"); ok && rest[0] != '[' && (network == "inet" || strings.ContainsAny(after, ":/@")) && !isHost(network) {
		rest = after
	}
	if port, host, ok := strings.Cut(rest, "@"); ok {
		rest = host + ":" + port
	}
	m := ParseEndpoint("inet:" + rest)
	if strings.HasPrefix(rest, "/") {
		m = ParseEndpoint("unix:" + rest)
	}
	if !m.Valid() {
		return Endpoint{}, false
	}
	return m, true
}

func isHost(word string) bool {
	_, err := netip.ParseAddr(word)
	return err == nil || word == "localhost"
}

// File is the path of a unix socket from the root of the machine's files. In a
// chroot every path begins at the queue directory; otherwise that is the
// directory that smtpd works in, and so the beginning of relative ones.
func (e *Endpoint) File(queue string, chroot bool) string {
	if chroot || !strings.HasPrefix(e.Path, "/") {
		return path.Join(queue, e.Path)
	}
	return path.Clean(e.Path)
}

// Listens reports whether who listens on an address, as in server.listen, hears what
// is sent to the endpoint: 0.0.0.0 is all of IPv4 and [::] all of IPv6, neither of
// them both.
func (e *Endpoint) Listens(address, queue string, chroot bool) bool {
	if file, ok := strings.CutPrefix(address, "unix:"); ok {
		return e.Network == "unix" && SameFile(e.File(queue, chroot), file)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || e.Network != "inet" || e.Port != strconv.Itoa(int(ap.Port())) {
		return false
	}
	if e.Host == "localhost" {
		return ap.Addr().IsLoopback() || ap.Addr().IsUnspecified()
	}
	host, err := netip.ParseAddr(e.Host)
	if err != nil {
		// In a network of containers it is the name of the daemon's, whose address is not
		// known here.
		return e.Host == ContainerName && ap.Addr().IsUnspecified()
	}
	own, host := ap.Addr().Unmap(), host.Unmap()
	switch host { // who connects there gets to this host
	case netip.IPv4Unspecified():
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		host = netip.IPv6Loopback()
	}
	return own == host || own.IsUnspecified() && own.Is4() == host.Is4()
}

// ContainerName is what the daemon's container is called in contrib's compose files, and in
// the line for main.cf that it logs.
const ContainerName = "policyd-rdns"

// SameFile compares paths; /var/run is a link to /run wherever it still is.
func SameFile(a, b string) bool {
	plain := func(s string) string {
		s = path.Clean(s)
		if inside, ok := strings.CutPrefix(s, "/var/run/"); ok {
			return "/run/" + inside
		}
		return s
	}
	return plain(a) == plain(b)
}

// EndpointOf is how Postfix is to write an address of server.listen.
func EndpointOf(address, queue string) string {
	if file, ok := strings.CutPrefix(address, "unix:"); ok {
		if inside, ok := strings.CutPrefix(path.Clean(file), path.Clean(queue)+"/"); ok {
			return "unix:" + inside
		}
		return "unix:" + file
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return "inet:" + address
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	switch {
	case ap.Addr() == netip.IPv4Unspecified():
		ap = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port())
	case ap.Addr() == netip.IPv6Unspecified():
		ap = netip.AddrPortFrom(netip.IPv6Loopback(), ap.Port())
	}
	return "inet:" + ap.String()
}
