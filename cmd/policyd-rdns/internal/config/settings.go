package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

// config reads the whole file over the defaults in c. The error is that the
// file is no TOML; all else is among the reader's problems.
func (r *reader) config(c *Config) error {
	t, err := r.decode()
	if err != nil {
		return err
	}
	var mode, observeReply, onDoubt int
	t.choice("mode", &mode, "enforce", "observe")
	t.choice("observe_reply", &observeReply, "dunno", "info")
	t.choice("on_doubt", &onDoubt, "defer", "dunno")
	c.Rules.Mode = [][]policy.Mode{
		{policy.Enforce, policy.Enforce},
		{policy.Observe, policy.ObserveInfo},
	}[mode][observeReply]
	c.Rules.OnDoubt = []policy.Action{policy.Defer, policy.DUNNO}[onDoubt]

	r.server(t.table("server"), c)
	r.resolver(t.table("resolver"), c)
	r.helo(t.table("helo"), c)
	r.names(t.table("names"), c)
	r.log(t.table("log"), c)
	r.http(t.table("http"), c)
	defaultRules := false
	t.boolean("default_rules", &defaultRules)
	r.rules(&t, c, defaultRules)
	t.end()
	r.tellUnknown()
	return nil
}

func (r *reader) server(t table, c *Config) {
	s := &c.Server
	if _, ok := t.raw["listen"]; ok {
		s.Listen = nil
	}
	t.each("listen", func(address string) error {
		if err := postfix.CheckAddress(address); err != nil {
			return fmt.Errorf("%.200q: %w", address, err)
		}
		other, taken := beside(address, s.Listen)
		s.Listen = append(s.Listen, address)
		switch {
		case other == address && taken:
			return fmt.Errorf("%.200q: stands there twice", address)
		case taken:
			return fmt.Errorf("%.200q: cannot be listened on beside %.200q: remove one of them", address, other)
		}
		return nil
	})
	mode := "0660"
	t.text("socket_mode", &mode)
	if bits, err := strconv.ParseUint(mode, 8, 32); err != nil || bits > 0o777 {
		t.bad("socket_mode", mode, `want an octal mode such as "0660"`)
	} else {
		s.SocketMode = fs.FileMode(bits)
	}
	t.text("socket_group", &s.SocketGroup)
	if err := postfix.CheckGroup(s.SocketGroup); err != nil {
		t.bad("socket_group", s.SocketGroup, "no such group on this host")
	}
	s.Networks = t.written("networks")
	t.each("networks", c.Rules.Networks.Add)
	t.whole("max_connections", &s.Connections, 10, 100_000)
	t.duration("deadline", &s.Deadline, 100*time.Millisecond, 60*time.Second,
		": Postfix gives up after smtpd_policy_service_timeout, 100s")
	t.end()
}

func (r *reader) resolver(t table, c *Config) {
	s := &c.Resolver
	t.each("servers", func(text string) error {
		server, err := resolver.ParseServer(text)
		if err != nil {
			return fmt.Errorf("%.60q: want an address, with a port or without: 192.0.2.53, 192.0.2.53:53, [2001:db8::53]:53", text)
		}
		s.Servers = append(s.Servers, server)
		return nil
	})
	t.duration("timeout", &s.Timeout, 50*time.Millisecond, 30*time.Second, "")
	t.whole("cache_entries", &s.CacheEntries, 100, 100_000_000)
	t.duration("stale", &s.Stale, 0, 7*24*time.Hour, "")
	t.whole("max_inflight", &s.MaxInFlight, 20, 100_000)
	outage := 0
	t.choice("outage", &outage, "dunno", "defer")
	c.Rules.OnOutage = []policy.Action{policy.DUNNO, policy.Defer}[outage]
	t.end()
}

// checkFolder notes a file that cannot be, for want of its folder. One that must
// not be looked into may be there for the daemon: with DynamicUser= in
// systemd.exec(5) it is not for others.
func checkFolder(t *table, key, file string) {
	if file == "" {
		return
	}
	if !filepath.IsAbs(file) {
		t.bad(key, file, "want an absolute path")
	} else if info, err := os.Stat(filepath.Dir(file)); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		t.bad(key, file, "its folder does not exist")
	} else if info, err := os.Stat(file); err == nil && info.IsDir() {
		t.bad(key, file, "is a folder; want a file in it")
	}
}

func (r *reader) helo(t table, c *Config) {
	c.HELO.OwnNames = t.written("own_names")
	t.each("own_names", func(text string) error {
		if form, addr := hostname.ParseHELO(text); form == hostname.Literal || form == hostname.BareIP {
			return c.Rules.OwnAddrs.Add(addr.String())
		}
		return c.Rules.OwnNames.Add(text)
	})
	t.end()
}

func (r *reader) names(t table, c *Config) {
	t.each("proper", c.Rules.ProperNames.Add)
	t.each("generic", c.Rules.GenericNames.Add)
	t.end()
}

func (r *reader) log(t table, c *Config) {
	format := 0
	t.choice("format", &format, "logfmt", "json")
	c.Log.Format = []journal.Format{journal.Logfmt, journal.JSON}[format]
	t.text("file", &c.Log.File)
	checkFolder(&t, "file", c.Log.File)
	t.end()
}

func (r *reader) http(t table, c *Config) {
	t.text("listen", &c.HTTP.Listen)
	if address := c.HTTP.Listen; address != "" {
		host, port, err := net.SplitHostPort(address)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || !isHost(host) {
			t.bad("listen", address, "want a host and a port such as 127.0.0.1:10041 or [::1]:10041")
		}
		for _, other := range c.Server.Listen {
			if overlap(sockets(address), sockets(other)) {
				t.bad("listen", address, fmt.Sprintf("cannot be listened on beside %.200q of server.listen: want a port of its own", other))
				break
			}
		}
	}
	t.end()
}

// isHost says that a text is an address or may be a host's name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	form, _ := hostname.ParseHELO(host)
	return form == hostname.FQDN || form == hostname.Unqualified
}
