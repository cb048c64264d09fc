package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/config/writable"
	"policyd-rdns/cmd/policyd-rdns/internal/keyfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/match"
)

// PolicyTimeout is how long Postfix is to wait for a decision, as the README and
// the line for main.cf have it. Without it, it is 100 s
// (smtpd_policy_service_timeout).
const PolicyTimeout = 10 * time.Second

// warn notes what is allowed and probably not meant.
func (c *Config) warn(r *reader) {
	c.warnServer(r)
	if host, _, err := net.SplitHostPort(c.HTTP.Listen); err == nil && !isLoopback(host) && !c.Container {
		r.Doubtful("http.listen", "http.listen = %q: not on the loopback: whoever reaches the port reads who sends mail to whom, and nothing is encrypted", c.HTTP.Listen)
	}
	if c.Resolver.Timeout >= c.Server.Deadline {
		path := "resolver.timeout"
		if !r.Lines.Has(path) {
			path = "server.deadline"
		}
		r.Doubtful(path, "resolver.timeout = %q: not below server.deadline (%q), so that no second try is made",
			plain.DurationText(c.Resolver.Timeout), plain.DurationText(c.Server.Deadline))
	}
	r.warnSuffix("helo.own_names", "a public suffix: whoever has a name under it in HELO is taken for one who forges ours")
	r.warnSuffix("names.proper", "a public suffix: strangers have names under it, and none of them is generic then")
	c.warnGeneric(r)
	c.warnServers(r)
	for i, text := range c.HELO.OwnNames {
		if nobodysOwn(text) {
			r.Doubtful("helo.own_names["+strconv.Itoa(i)+"]", "helo.own_names = %q: hosts elsewhere have that too, so that it is nobody's own", text)
		}
	}
	c.warnLogFolder(r)
	c.warnHistory(r)
	c.warnReply(r)
	refuses := false
	for i := range c.Rules.List {
		rule := &c.Rules.List[i]
		refuses = refuses || rule.Action.Refuses() && !rule.Observe
		if o := &c.Origins[i]; o.path != "" && o.Source != Listed {
			r.warnRule(c, rule, o)
		}
	}
	if !refuses {
		r.Doubtful("rule", "no rule rejects or defers, so that all clients pass; without default_rules = false the built-in rules follow")
	}
	c.warnHost(r)
	c.Warnings = document.Bounded(r.Warnings)
}

// warnLogFolder notes a decision log that others may replace, or write into: what
// bans clients by it, or judges it again, believes them.
func (c *Config) warnLogFolder(r *reader) {
	if c.Log.File == "" {
		return
	}
	if why := writable.ByStrangers(c.Log.File); why != "" {
		r.Doubtful("log.file", "log.file = %q: %s: who can put another file there writes this log, for fail2ban too; want a folder that only root and the daemon's user may write to", c.Log.File, why)
	}
}

func (c *Config) warnServer(r *reader) {
	s := &c.Server
	onUnix := false
	for i, address := range s.Listen {
		ap, err := netip.ParseAddrPort(address)
		onUnix = onUnix || strings.HasPrefix(address, "unix:")
		if err == nil && !ap.Addr().IsLoopback() && !c.Container {
			r.Doubtful("server.listen["+strconv.Itoa(i)+"]", "server.listen = %q: not on the loopback: whoever reaches the port can ask, and nothing is encrypted", address)
		}
		if file, ok := strings.CutPrefix(address, "unix:"); ok {
			if why := writable.ByStrangers(file); why != "" {
				r.Doubtful("server.listen["+strconv.Itoa(i)+"]", "server.listen = %q: %s: who puts a socket there first answers Postfix in the daemon's place; want a folder that only root and the daemon's user may write to", address, why)
			}
		}
	}
	for key, set := range map[string]bool{"socket_mode": s.SocketMode != defaultSocketMode, "socket_group": s.SocketGroup != ""} {
		if set && !onUnix {
			r.Doubtful("server."+key, "server.%s: there is no unix: in server.listen that it could be of; sockets that systemd passes have SocketMode= and SocketGroup= of their unit", key)
		}
	}
	mode := fmt.Sprintf("server.socket_mode = %q", "0"+strconv.FormatUint(uint64(s.SocketMode), 8))
	switch {
	case onUnix && s.SocketMode&0o002 != 0:
		r.Doubtful("server.socket_mode", "%s: every user of this host may ask, and keep Postfix out: want \"0660\" with socket_group, or \"0600\"", mode)
	case onUnix && s.SocketMode&0o222 == 0:
		r.Doubtful("server.socket_mode", "%s: nobody may write to the socket, and so Postfix cannot ask: want \"0660\" with socket_group", mode)
	}
	if s.Deadline >= PolicyTimeout {
		r.Doubtful("server.deadline", "server.deadline = %q: not below timeout=%s, which Postfix is told in the README's line for main.cf: it gives up first; write a longer one there too",
			plain.DurationText(s.Deadline), plain.DurationText(PolicyTimeout))
	}
	r.warnWide("server.networks", "server.networks", &c.Rules.Networks, "its hosts are our own clients, which are not judged")
}

// warnGeneric notes names that are said to be generic, and are more than was meant
// or none.
func (c *Config) warnGeneric(r *reader) {
	for _, v := range r.Values["names.generic"] {
		name, under := strings.CutPrefix(v.Text, ".")
		name = hostname.Normal(name)
		one := name
		if under {
			one = "any." + name
		}
		switch {
		case under && hostname.RegistrySuffix(name):
			r.DoubtfulValue(v, "a public suffix: strangers have names under it, and all of them are generic then")
		case c.Rules.ProperNames.Has(one):
			r.DoubtfulValue(v, "in names.proper too, which decides of confirmed names")
		}
	}
}

// defaultSocketMode is that of the settings' table.
const defaultSocketMode = 0o660

// warnServers notes DNS servers that cannot be one.
func (c *Config) warnServers(r *reader) {
	for i, server := range c.Resolver.Servers {
		path := "resolver.servers[" + strconv.Itoa(i) + "]"
		at := []netip.AddrPort{server}
		switch {
		case slices.ContainsFunc(slices.Concat(c.Server.Listen, []string{c.HTTP.Listen}), func(l string) bool { return listening.Overlap(at, listening.Sockets(l)) }):
			r.Doubtful(path, "resolver.servers = %q: the daemon itself listens there, and is no DNS server", server)
		case server.Port() == 853 || server.Port() == 443:
			r.Doubtful(path, "resolver.servers = %q: that is the port of DNS over TLS or HTTPS, which the daemon does not speak: want port 53", server)
		case server.Addr().IsMulticast() || server.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			r.Doubtful(path, "resolver.servers = %q: no host has that address", server)
		case slices.Contains(c.Resolver.Servers[:i], server):
			r.Doubtful(path, "resolver.servers = %q: stands there twice, and is queried twice when it is silent", server)
		}
	}
}

// warnHost notes what the daemon cannot listen on as this host is now.
func (c *Config) warnHost(r *reader) {
	about := &document.Reader{File: r.File, Lines: r.Lines}
	var addrs []netip.Addr // of this host, if they are needed
	check := func(path, name, address string, sockets []netip.AddrPort) {
		for _, s := range sockets {
			if s.Port() != 0 && s.Port() < 1024 {
				about.Doubtful(path, "%s = %q: ports below 1024 are root's, and the daemon's unit runs as another user: want a higher one", name, address)
			}
			if s.Addr().IsUnspecified() || s.Addr().IsLoopback() {
				continue
			}
			if addrs == nil {
				addrs = FindHost().Addrs
			}
			if !slices.Contains(addrs, s.Addr().WithZone("")) {
				about.Doubtful(path, "%s = %q: no interface of this host has the address: the daemon does not start before one has", name, address)
			}
		}
	}
	for i, address := range c.Server.Listen {
		check("server.listen["+strconv.Itoa(i)+"]", "server.listen", address, listening.Sockets(address))
	}
	check("http.listen", "http.listen", c.HTTP.Listen, listening.Sockets(c.HTTP.Listen))
	check("reply.listen", "reply.listen", c.Reply.Listen, listening.Sockets(c.Reply.Listen))
	if len(c.Server.Listen) == 0 && !hasSocketUnit() {
		about.Doubtful("server.listen", "server.listen = []: the daemon does not start but with sockets that systemd passes (policyd-rdns.socket)")
	}
	if c.missingFolder() {
		about.Doubtful("history.store", "history.store = %q: its folder does not exist: until it does, nothing is kept but in memory", c.History.Store)
	}
	if keys := StateFile(StateKeys); c.HasKeys() && c.Reply.KeyFile == "" {
		if why := keyfile.Foreign(keys); why != "" {
			about.Doubtful("reply.key_file", "reply.key_file = %q: %s", keys, why)
		}
	}
	c.OnHost = about.Warnings
}

// hasSocketUnit reports whether this host has the unit of systemd that listens for
// the daemon.
func hasSocketUnit() bool {
	return slices.ContainsFunc([]string{"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"}, func(folder string) bool {
		_, err := os.Stat(folder + "/systemd/system/policyd-rdns.socket")
		return err == nil
	})
}

// AllWarnings are those that somebody needs who has yet to start the daemon.
func (c *Config) AllWarnings() []document.Problem {
	return document.Bounded(slices.Concat(c.Warnings, c.OnHost))
}

// warnWide notes networks that are a large part of the Internet.
func (r *reader) warnWide(path, name string, set *match.Prefixes, then string) {
	if !set.Wide() {
		return
	}
	told := false
	for _, v := range r.Values[path] {
		var one match.Prefixes
		if one.Add(v.Text) == nil && one.Wide() {
			r.DoubtfulValue(v, "a large part of the public Internet: "+then)
			told = true
		}
	}
	if !told {
		r.Doubtful(path, "%s: together a large part of the public Internet: %s", name, then)
	}
}

// warnSuffix notes domains below which strangers to each other have names.
func (r *reader) warnSuffix(path, then string) {
	for _, v := range r.Values[path] {
		if match.UnderSuffix(v.Text) {
			r.DoubtfulValue(v, then)
		}
	}
}

// isLoopback reports whether a host is this one, seen by nobody else.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return listening.IsLocalhost(host) || err == nil && addr.IsLoopback()
}
