package machine

import (
	"net/netip"
	"slices"
	"strings"
)

// forwarder is a DNS server's configuration: where it is, and how it names the
// servers that all queries go to.
type forwarder struct {
	software string
	patterns []string
	read     func(text string) []netip.Addr
}

func forwarders() []forwarder {
	return []forwarder{
		{"systemd-resolved", []string{"/run/systemd/resolve/resolv.conf"}, resolvedForwards},
		{"unbound", []string{
			"/etc/unbound/unbound.conf", "/etc/unbound/unbound.conf.d/*.conf", "/etc/unbound/conf.d/*.conf", "/etc/unbound/local.d/*.conf",
		}, unboundForwards},
		{"bind", []string{"/etc/bind/named.conf", "/etc/bind/named.conf.options", "/etc/named.conf"}, bindForwards},
		{"dnsmasq", []string{"/etc/dnsmasq.conf", "/etc/dnsmasq.d/*"}, dnsmasqForwards},
	}
}

// forwards reads the configuration of the servers that are on this host. One that
// does not say what it is may be any of them but systemd-resolved, which has
// addresses of its own.
func (s *System) forwards(servers []Server) []Forward {
	var all []Forward
	for _, f := range forwarders() {
		if !slices.ContainsFunc(servers, func(server Server) bool {
			name := server.Kind()
			return server.Addr.Addr().IsLoopback() && (name == f.software || name == "" && f.software != "systemd-resolved")
		}) {
			continue
		}
		for _, pattern := range f.patterns {
			names, _ := s.Glob(pattern) // the patterns are well formed
			for _, name := range names {
				text, err := s.ReadFile(name)
				if err != nil {
					continue
				}
				if addrs := f.read(string(text)); len(addrs) > 0 {
					all = append(all, Forward{name, addrs})
				}
			}
		}
	}
	return all
}

// maxForwards bounds the servers that one file names.
const maxForwards = 50

// addAddr adds an address as the files write it: "192.0.2.53", "192.0.2.53@853",
// "192.0.2.53#53".
func addAddr(all []netip.Addr, text string) []netip.Addr {
	text = strings.Trim(text, `"';`)
	if i := strings.IndexAny(text, "@#"); i >= 0 {
		text = text[:i]
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || len(all) == maxForwards {
		return all
	}
	return append(all, addr)
}

// resolvedForwards reads resolv.conf(5).
func resolvedForwards(text string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "nameserver" {
			all = addAddr(all, words[1])
		}
	}
	return all
}

// unboundForwards reads the forward-zone of the root in unbound.conf(5).
func unboundForwards(text string) []netip.Addr {
	var all, zone []netip.Addr
	within, root := false, false
	end := func() {
		if root {
			all = append(all, zone...)
		}
		zone, within, root = nil, false, false
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " #") // "#" within an address is a name for TLS
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch {
		case len(words) == 1 && strings.HasSuffix(words[0], ":"):
			end()
			within = words[0] == "forward-zone:"
		case within && words[0] == "name:":
			root = strings.Trim(words[1], `"'`) == "."
		case within && words[0] == "forward-addr:":
			zone = addAddr(zone, words[1])
		}
	}
	end()
	return all
}

// bindForwards reads "forwarders { … };" of named.conf(5).
func bindForwards(text string) []netip.Addr {
	var all []netip.Addr
	var plain strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		line, _, _ = strings.Cut(line, "#")
		plain.WriteString(line + "\n")
	}
	rest := plain.String()
	for {
		_, after, found := strings.Cut(rest, "forwarders")
		if !found {
			return all
		}
		_, after, found = strings.Cut(after, "{")
		list, after, closed := strings.Cut(after, "}")
		if !found || !closed {
			return all
		}
		for _, word := range strings.FieldsFunc(list, func(c rune) bool { return strings.ContainsRune("; \t\r\n", c) }) {
			all = addAddr(all, word)
		}
		rest = after
	}
}

// dnsmasqForwards reads "server=" of dnsmasq(8), where it is for all domains.
func dnsmasqForwards(text string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "server="); ok {
			all = addAddr(all, value)
		}
	}
	return all
}
