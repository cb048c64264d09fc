package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
)

// PolicyTimeout is how long Postfix is to wait for a decision, as the README and
// the line for main.cf have it. Without it, it is 100 s
// (smtpd_policy_service_timeout).
const PolicyTimeout = 10 * time.Second

// warn notes what is allowed and probably not meant.
func (c *Config) warn(r *reader) {
	c.warnServer(r)
	if host, _, err := net.SplitHostPort(c.HTTP.Listen); err == nil && !isLoopback(host) {
		r.doubtful("http.listen", "http.listen = %q: not on the loopback: whoever reaches the port reads who sends mail to whom, and nothing is encrypted", c.HTTP.Listen)
	}
	if c.Resolver.Timeout >= c.Server.Deadline {
		path := "resolver.timeout"
		if !r.lines.Has(path) {
			path = "server.deadline"
		}
		r.doubtful(path, "resolver.timeout = %q: not below server.deadline (%q), so that no second try is made",
			DurationText(c.Resolver.Timeout), DurationText(c.Server.Deadline))
	}
	r.warnSuffix("helo.own_names", "a public suffix: whoever greets with a name under it is taken for one who forges ours")
	r.warnSuffix("names.proper", "a public suffix: strangers have names under it, and none of them is generic then")
	for i, text := range c.HELO.OwnNames {
		if nobodysOwn(text) {
			r.doubtful("helo.own_names["+strconv.Itoa(i)+"]", "helo.own_names = %q: hosts elsewhere have that too, so that it is nobody's own", text)
		}
	}
	c.warnLogFolder(r)
	refuses := false
	for i := range c.Rules.List {
		rule := &c.Rules.List[i]
		refuses = refuses || rule.Action != policy.DUNNO && !rule.Observe
		if i < c.Own {
			r.warnRule(rule, i)
		}
	}
	if !refuses {
		r.doubtful("rule", "no rule rejects or defers, so that all clients pass; default_rules = true lets the built-in rules follow")
	}
	c.warnHost(r)
	c.Warnings = bounded(r.warnings)
}

// bounded are warnings in the order of the file, and no more than anybody reads.
func bounded(warnings []Problem) []Problem {
	sortProblems(warnings)
	if more := len(warnings) - maxProblems; more > 0 {
		warnings = append(warnings[:maxProblems], Problem{warnings[0].File, 0, fmt.Sprintf("and %d more", more)})
	}
	return warnings
}

func (c *Config) warnServer(r *reader) {
	s := &c.Server
	onUnix := false
	for i, address := range s.Listen {
		ap, err := netip.ParseAddrPort(address)
		onUnix = onUnix || strings.HasPrefix(address, "unix:")
		if err == nil && !ap.Addr().IsLoopback() {
			r.doubtful("server.listen["+strconv.Itoa(i)+"]", "server.listen = %q: not on the loopback: whoever reaches the port can ask, and nothing is encrypted", address)
		}
	}
	mode := fmt.Sprintf("server.socket_mode = %q", "0"+strconv.FormatUint(uint64(s.SocketMode), 8))
	switch {
	case onUnix && s.SocketMode&0o002 != 0:
		r.doubtful("server.socket_mode", "%s: every user of this host may ask, and keep Postfix out: want \"0660\" with socket_group, or \"0600\"", mode)
	case onUnix && s.SocketMode&0o222 == 0:
		r.doubtful("server.socket_mode", "%s: nobody may write to the socket, and so Postfix cannot ask: want \"0660\" with socket_group", mode)
	}
	if s.Deadline >= PolicyTimeout {
		r.doubtful("server.deadline", "server.deadline = %q: not below timeout=%s, which Postfix is told in the README's line for main.cf: it gives up first; write a longer one there too",
			DurationText(s.Deadline), DurationText(PolicyTimeout))
	}
	r.warnWide("server.networks", "server.networks", &c.Rules.Networks, "its hosts are our own clients, which are not judged")
}

// warnHost notes what the daemon cannot listen on as this host is now.
func (c *Config) warnHost(r *reader) {
	about := &reader{file: r.file, lines: r.lines}
	var addrs []netip.Addr // of this host, if they are needed
	check := func(path, name, address string, sockets []netip.AddrPort) {
		for _, s := range sockets {
			if s.Addr().IsUnspecified() || s.Addr().IsLoopback() {
				continue
			}
			if addrs == nil {
				addrs = FindHost().Addrs
			}
			if !slices.Contains(addrs, s.Addr().WithZone("")) {
				about.doubtful(path, "%s = %q: no interface of this host has the address: the daemon does not start before one has", name, address)
			}
		}
	}
	for i, address := range c.Server.Listen {
		check("server.listen["+strconv.Itoa(i)+"]", "server.listen", address, sockets(address))
	}
	check("http.listen", "http.listen", c.HTTP.Listen, sockets(c.HTTP.Listen))
	if len(c.Server.Listen) == 0 {
		about.doubtful("server.listen", "server.listen = []: the daemon does not start but with sockets that systemd passes (policyd-rdns.socket)")
	}
	c.OnHost = about.warnings
}

// AllWarnings are those that somebody needs who has yet to start the daemon.
func (c *Config) AllWarnings() []Problem { return bounded(slices.Concat(c.Warnings, c.OnHost)) }

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
	return host == "localhost" || err == nil && addr.IsLoopback()
}
