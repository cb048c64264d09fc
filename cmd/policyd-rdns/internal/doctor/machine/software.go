package machine

import (
	"net/netip"
	"slices"
	"strings"
)

// software is how DNS servers are configured, by [Server.Kind].
var software = map[string]struct {
	file      []string // what the lines stand below
	validates []string // lines that switch DNSSEC on
	forgets   []string // lines that have "no such name" kept for a minute
}{
	"unbound": {
		[]string{"# in unbound.conf:", "server:"},
		[]string{`    module-config: "validator iterator"`, `    auto-trust-anchor-file: "/var/lib/unbound/root.key"`},
		[]string{"    cache-max-negative-ttl: 60"},
	},
	"bind": {
		[]string{"# in named.conf:"}, []string{"options { dnssec-validation auto; };"}, []string{"options { max-ncache-ttl 60; };"},
	},
	"dnsmasq": {
		[]string{"# in dnsmasq.conf:"}, []string{"dnssec", "conf-file=/usr/share/dnsmasq-base/trust-anchors.conf"}, []string{"no-negcache"},
	},
	"systemd-resolved": {
		[]string{"# in /etc/systemd/resolved.conf:", "[Resolve]"}, []string{"DNSSEC=yes"}, []string{"Cache=no-negative"},
	},
	"powerdns": {
		[]string{"# in recursor.conf:"}, []string{"dnssec=validate"}, []string{"max-negative-ttl=60"},
	},
}

// Validation is how to switch DNSSEC on in its configuration, lines to paste; none
// if nobody knows which software it is.
func (s *Server) Validation() []string {
	of := software[s.Kind()]
	return slices.Concat(of.file, of.validates)
}

// ShortNegative is how to have it keep "no such name" for a minute, lines to paste.
func (s *Server) ShortNegative() []string {
	if of, ok := software[s.Kind()]; ok {
		return slices.Concat(of.file, of.forgets)
	}
	return []string{"# Unbound: cache-max-negative-ttl: 60; BIND: max-ncache-ttl 60;"}
}

// Kind is which software it seems to be; empty if it does not say.
func (s *Server) Kind() string {
	text := strings.ToLower(s.Software)
	for _, name := range []string{"unbound", "dnsmasq", "powerdns", "knot"} {
		if strings.Contains(text, name) {
			return name
		}
	}
	switch {
	case isResolved(s.Addr.Addr()):
		return "systemd-resolved"
	case strings.HasPrefix(text, "9.") || strings.Contains(text, "bind"):
		return "bind"
	}
	return text
}

// isResolved reports whether systemd-resolved listens there
// (systemd-resolved.service(8)).
func isResolved(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{127, 0, 0, 53}) || a == netip.AddrFrom4([4]byte{127, 0, 0, 54})
}
