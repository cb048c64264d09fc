package doctor

import (
	"net/netip"
	"path"
	"strings"
)

// endpoint is where a policy service is called.
type endpoint struct {
	text    string // as written
	network string // "inet" or "unix"
	host    string // of inet; "localhost" if none was written (inet_connect)
	port    string
	path    string // of unix
}

// parseEndpoint reads "inet:host:port", "inet:port", "unix:path".
func parseEndpoint(text string) endpoint {
	e := endpoint{text: text}
	network, rest, _ := strings.Cut(text, ":")
	e.network = network
	switch network {
	case "inet":
		e.host, e.port = cutHost(rest)
		if e.host == "" {
			e.host = "localhost"
		}
	case "unix":
		e.path = rest
	}
	return e
}

// valid reports whether Postfix can read the endpoint.
func (e *endpoint) valid() bool {
	return e.network == "unix" && e.path != "" || e.network == "inet" && e.port != "" && !strings.ContainsAny(e.text, "@/")
}

// meant is what an endpoint that Postfix cannot read was to be: one without a
// word in front, with that of another program ("tcp:"), or in the form of a URL or
// of a milter ("inet:port@host").
func (e *endpoint) meant() (endpoint, bool) {
	if e.valid() {
		return endpoint{}, false
	}
	rest := e.text
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest = strings.TrimSuffix(after, "/")
	} else if network, after, ok := strings.Cut(rest, ":"); ok && rest[0] != '[' && (network == "inet" || strings.ContainsAny(after, ":/@")) && !isHost(network) {
		rest = after
	}
	if port, host, ok := strings.Cut(rest, "@"); ok {
		rest = host + ":" + port
	}
	m := parseEndpoint("inet:" + rest)
	if strings.HasPrefix(rest, "/") {
		m = parseEndpoint("unix:" + rest)
	}
	if !m.valid() {
		return endpoint{}, false
	}
	return m, true
}

func isHost(word string) bool {
	_, err := netip.ParseAddr(word)
	return err == nil || word == "localhost"
}

// file is the path of a unix socket from the root of the machine's files. In a
// chroot every path begins at the queue directory; otherwise that is the
// directory that smtpd works in, and so the beginning of relative ones.
func (e *endpoint) file(queue string, chroot bool) string {
	if chroot || !strings.HasPrefix(e.path, "/") {
		return path.Join(queue, e.path)
	}
	return path.Clean(e.path)
}

// listens says that who listens on an address, as in server.listen, hears what
// is sent to the endpoint.
func (e *endpoint) listens(address, queue string, chroot bool) bool {
	if file, ok := strings.CutPrefix(address, "unix:"); ok {
		return e.network == "unix" && sameFile(e.file(queue, chroot), file)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || e.network != "inet" || e.port != portText(ap) {
		return false
	}
	if e.host == "localhost" {
		return ap.Addr().IsLoopback() || ap.Addr().IsUnspecified()
	}
	host, err := netip.ParseAddr(e.host)
	if err != nil {
		return false
	}
	all := ap.Addr().IsUnspecified() && (ap.Addr().Is6() || host.Is4())
	return all || ap.Addr() == host
}

// sameFile compares paths; /var/run is a link to /run wherever it still is.
func sameFile(a, b string) bool {
	plain := func(s string) string {
		s = path.Clean(s)
		if inside, ok := strings.CutPrefix(s, "/var/run/"); ok {
			return "/run/" + inside
		}
		return s
	}
	return plain(a) == plain(b)
}

// endpointOf is how Postfix is to write an address of server.listen.
func endpointOf(address, queue string) string {
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
	switch {
	case ap.Addr() == netip.IPv4Unspecified():
		ap = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port())
	case ap.Addr() == netip.IPv6Unspecified():
		ap = netip.AddrPortFrom(netip.IPv6Loopback(), ap.Port())
	}
	return "inet:" + ap.String()
}
