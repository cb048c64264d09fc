package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
)

// warn notes what is allowed and probably not meant.
func (c *config) warn(r *reader) {
	c.warnServer(r)
	if host, _, err := net.SplitHostPort(c.http.listen); err == nil && !isLoopback(host) {
		r.doubtful("http.listen", "http.listen = %q: not on the loopback: whoever reaches the port reads who sends mail to whom, and nothing is encrypted", c.http.listen)
	}
	if c.resolver.timeout >= c.server.deadline {
		path := "resolver.timeout"
		if !r.lines.has(path) {
			path = "server.deadline"
		}
		r.doubtful(path, "resolver.timeout = %q: not below server.deadline (%q), so that no second try is made",
			durationText(c.resolver.timeout), durationText(c.server.deadline))
	}
	r.warnSuffix("helo.own_names", "a public suffix: whoever greets with a name under it is taken for one who forges ours")
	r.warnSuffix("names.proper", "a public suffix: strangers have names under it, and none of them is generic then")
	c.warnGeneric(r)
	c.warnServers(r)
	for i, text := range c.helo.ownNames {
		if nobodysOwn(text) {
			r.doubtful("helo.own_names["+itoa(i)+"]", "helo.own_names = %q: hosts elsewhere have that too, so that it is nobody's own", text)
		}
	}
	c.warnLogFolder(r)
	refuses := false
	for i := range c.rules.List {
		rule := &c.rules.List[i]
		refuses = refuses || rule.Action != policy.DUNNO && !rule.Observe
		if i < c.own {
			r.warnRule(rule, i)
		}
	}
	if !refuses {
		r.doubtful("rule", "no rule rejects or defers, so that all clients pass; default_rules = true lets the built-in rules follow")
	}
	c.warnHost(r)
	c.warnings = bounded(r.warnings)
}

// bounded are warnings in the order of the file, and no more than anybody reads.
func bounded(warnings []problem) []problem {
	sortProblems(warnings)
	if more := len(warnings) - maxProblems; more > 0 {
		warnings = append(warnings[:maxProblems], problem{warnings[0].file, 0, fmt.Sprintf("and %d more", more)})
	}
	return warnings
}

func (c *config) warnServer(r *reader) {
	s := &c.server
	onUnix := false
	for i, address := range s.listen {
		ap, err := netip.ParseAddrPort(address)
		onUnix = onUnix || strings.HasPrefix(address, "unix:")
		if err == nil && !ap.Addr().IsLoopback() {
			r.doubtful("server.listen["+itoa(i)+"]", "server.listen = %q: not on the loopback: whoever reaches the port can ask, and nothing is encrypted", address)
		}
		if file, ok := strings.CutPrefix(address, "unix:"); ok {
			if why := thisProcess().exposed(file); why != "" {
				r.doubtful("server.listen["+itoa(i)+"]", "server.listen = %q: %s: who puts a socket there first answers Postfix in the daemon's place; want a folder that only root and the daemon's user may write to", address, why)
			}
		}
	}
	for key, set := range map[string]bool{"socket_mode": s.socketMode != defaultSocketMode, "socket_group": s.socketGroup != ""} {
		if set && !onUnix {
			r.doubtful("server."+key, "server.%s: there is no unix: in server.listen that it could be of; sockets that systemd passes have SocketMode= and SocketGroup= of their unit", key)
		}
	}
	mode := fmt.Sprintf("server.socket_mode = %q", "0"+strconv.FormatUint(uint64(s.socketMode), 8))
	switch {
	case onUnix && s.socketMode&0o002 != 0:
		r.doubtful("server.socket_mode", "%s: every user of this host may ask, and keep Postfix out: want \"0660\" with socket_group, or \"0600\"", mode)
	case onUnix && s.socketMode&0o222 == 0:
		r.doubtful("server.socket_mode", "%s: nobody may write to the socket, and so Postfix cannot ask: want \"0660\" with socket_group", mode)
	}
	if s.deadline >= policyTimeout {
		r.doubtful("server.deadline", "server.deadline = %q: not below timeout=%s, which Postfix is told in the README's line for main.cf: it gives up first; write a longer one there too",
			durationText(s.deadline), durationText(policyTimeout))
	}
	r.warnWide("server.networks", "server.networks", &c.rules.Networks, "its hosts are our own clients, which are not judged")
}

// warnGeneric notes names that are said to be generic, and are more than was meant
// or none.
func (c *config) warnGeneric(r *reader) {
	for _, v := range r.values["names.generic"] {
		name, under := strings.CutPrefix(v.text, ".")
		name = hostname.Normal(name)
		one := name
		if under {
			one = "any." + name
		}
		switch {
		case under && hostname.RegistrySuffix(name):
			r.doubtfulValue(v, "a public suffix: strangers have names under it, and all of them are generic then")
		case c.rules.ProperNames.Has(one):
			r.doubtfulValue(v, "in names.proper too, which decides of confirmed names")
		}
	}
}

// warnServers notes DNS servers that cannot be one.
func (c *config) warnServers(r *reader) {
	for i, server := range c.resolver.servers {
		path := "resolver.servers[" + itoa(i) + "]"
		at := []netip.AddrPort{server}
		switch {
		case slices.ContainsFunc(slices.Concat(c.server.listen, []string{c.http.listen}), func(l string) bool { return overlap(at, sockets(l)) }):
			r.doubtful(path, "resolver.servers = %q: the daemon itself listens there, and is no DNS server", server)
		case server.Port() == 853 || server.Port() == 443:
			r.doubtful(path, "resolver.servers = %q: that is the port of DNS over TLS or HTTPS, which the daemon does not speak: want port 53", server)
		case server.Addr().IsMulticast() || server.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			r.doubtful(path, "resolver.servers = %q: no host has that address", server)
		case slices.Contains(c.resolver.servers[:i], server):
			r.doubtful(path, "resolver.servers = %q: stands there twice, and is asked twice when it is silent", server)
		}
	}
}

// warnHost notes what the daemon cannot listen on as this host is now.
func (c *config) warnHost(r *reader) {
	about := &reader{file: r.file, lines: r.lines}
	var addrs []netip.Addr // of this host, if they are needed
	check := func(path, name, address string, sockets []netip.AddrPort) {
		for _, s := range sockets {
			if s.Port() != 0 && s.Port() < 1024 {
				about.doubtful(path, "%s = %q: ports below 1024 are root's, and the daemon's unit runs as another user: want a higher one", name, address)
			}
			if s.Addr().IsUnspecified() || s.Addr().IsLoopback() {
				continue
			}
			if addrs == nil {
				addrs = findHost().addrs
			}
			if !slices.Contains(addrs, s.Addr().WithZone("")) {
				about.doubtful(path, "%s = %q: no interface of this host has the address: the daemon does not start before one has", name, address)
			}
		}
	}
	for i, address := range c.server.listen {
		check("server.listen["+itoa(i)+"]", "server.listen", address, sockets(address))
	}
	check("http.listen", "http.listen", c.http.listen, sockets(c.http.listen))
	if len(c.server.listen) == 0 && !hasSocketUnit() {
		about.doubtful("server.listen", "server.listen = []: the daemon does not start but with sockets that systemd passes (policyd-rdns.socket)")
	}
	c.onHost = about.warnings
}

// hasSocketUnit reports whether this host has the unit of systemd that listens for
// the daemon.
func hasSocketUnit() bool {
	return slices.ContainsFunc([]string{"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"}, func(folder string) bool {
		_, err := os.Stat(folder + "/systemd/system/policyd-rdns.socket")
		return err == nil
	})
}

// allWarnings are those that somebody needs who has yet to start the daemon.
func (c *config) allWarnings() []problem { return bounded(slices.Concat(c.warnings, c.onHost)) }

// warnWide notes networks that are a large part of the Internet.
func (r *reader) warnWide(path, name string, set interface{ Wide() bool }, then string) {
	if !set.Wide() {
		return
	}
	told := false
	for _, v := range r.values[path] {
		var one policy.Prefixes
		if one.Add(v.text) == nil && one.Wide() {
			r.doubtfulValue(v, "a large part of the public Internet: "+then)
			told = true
		}
	}
	if !told {
		r.doubtful(path, "%s: together a large part of the public Internet: %s", name, then)
	}
}

// warnSuffix notes domains below which strangers to each other have names.
func (r *reader) warnSuffix(path, then string) {
	for _, v := range r.values[path] {
		if underSuffix(v.text) {
			r.doubtfulValue(v, then)
		}
	}
}

// underSuffix says that an entry of a set of names is all names under a public
// suffix.
func underSuffix(text string) bool {
	name, under := strings.CutPrefix(text, ".")
	return under && hostname.PublicSuffix(hostname.Normal(name))
}

// isLoopback says that a host is this one, seen by nobody else.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return isLocalhost(host) || err == nil && addr.IsLoopback()
}
