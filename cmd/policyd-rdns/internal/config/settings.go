package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/environ"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

// setting is all that there is to know about one key of the file.
type setting struct {
	name string // with its table: "server.deadline"
	def  string // the default, as TOML
	kind
	// restart: a reload cannot change it.
	restart bool
	// about is what config.example.toml and the manual page say of it, and {limits}
	// are the kind's. Empty: what they say of the row before is about this one too.
	about string
}

// settings are all but the rules, in the order of the documentation. A setting whose
// check looks at another comes after it. A new one is a row here and a field of
// Config.
var settings = []setting{
	{
		name: "mode", def: `"enforce"`,
		kind:  choice(func(c *Config) *bool { return &c.observe }, word("enforce", false), word("observe", true)),
		about: `"observe" decides and logs everything, and answers DUNNO: nothing is refused.`,
	},
	{
		name: "observe_reply", def: `"dunno"`,
		kind: choice(func(c *Config) *policy.Mode { return &c.observed },
			word("dunno", policy.Observe), word("info", policy.ObserveInfo)),
		about: `What Postfix hears under mode = "observe": "dunno", or "info", with which
			Postfix (3.0 and later) logs what would have happened.`,
	},
	{
		name: "on_doubt", def: `"defer"`,
		kind: choice(func(c *Config) *policy.Action { return &c.Rules.OnDoubt },
			word("defer", policy.Defer), word("dunno", policy.DUNNO)),
		about: `What becomes of a reject that rests on what the DNS could not say: "defer" (450,
			the sender tries again) or "dunno" (no objection). It never becomes a 5xx.`,
	},
	{
		name: "defer_for", def: `"0s"`,
		kind: duration(func(c *Config) *time.Duration { return &c.Rules.DeferFor }, 0, maxDeferFor, deferForWhy),
		about: `How long a client reads 4xx of a reject, and so tries again, before it reads 5xx;
			{limits}. With "4h", as in the package, nobody is refused for good who mends a
			record meanwhile, or whom a resolver's cache of "no such name" gave a bad one. A
			key of a reject rule, too.`,
	},
	{
		name: "default_rules", def: "true",
		kind: boolean(func(c *Config) *bool { return &c.defaultRules }),
		about: `true: the built-in rules follow those of this file. false: only the rules of this
			file hold. The built-in exemptions hold all the same.
			` + "`policyd-rdns configtest --rules`" + ` prints what is in force.`,
	},
	{
		name: "exempt_file", def: `""`,
		kind: text(func(c *Config) *string { return &c.ExemptFile }, nil),
		about: `The file of exemptions that ` + "`policyd-rdns allow`" + ` writes, such as
			"/etc/policyd-rdns/exempt.toml". It holds [[exempt]] tables alone, and is read
			again when it changes. "": none, and there is no ` + "`allow`" + `.`,
	},

	{
		name: "server.listen", def: `["127.0.0.1:10040"]`, restart: true,
		kind: list(func(c *Config) *[]string { return &c.Server.Listen }, addListen),
		about: `Where Postfix finds the daemon: "127.0.0.1:10040", "[::1]:10040", or
			"unix:/var/spool/postfix/private/policyd-rdns". Addresses only, no names; 0.0.0.0
			is IPv4 only, [::] IPv6 only. A port is open to every user of this host. Sockets
			that systemd passes come on top: with policyd-rdns.socket, as in the package, that
			is the unix socket, and this is [] (the hardened unit may not write to Postfix's
			folders).`,
	},
	{
		name: "server.socket_mode", def: `"0660"`, restart: true,
		kind: octal(func(c *Config) *fs.FileMode { return &c.Server.SocketMode }),
		about: `Permissions and group (name or number) of unix sockets. Postfix's user has
			to be able to write to them: socket_group = "postfix".`,
	},
	{
		name: "server.socket_group", def: `""`, restart: true,
		kind: text(func(c *Config) *string { return &c.Server.SocketGroup }, checkGroup),
	},
	{
		name: "server.networks", def: "[]",
		kind: asWritten(func(c *Config) *[]string { return &c.Server.Networks },
			list(func(c *Config) *match.Prefixes { return &c.Rules.Networks }, (*match.Prefixes).Add)),
		about: `Our own networks, as in Postfix's mynetworks: with the addresses of this host they
			are client = "own". "@/path" stands for the lines of a file, one network on each.`,
	},
	{
		name: "server.max_connections", def: "2000", restart: true,
		kind: whole(func(c *Config) *int { return &c.Server.Connections }, 10, 100_000),
		about: `Connections at once, {limits}. Postfix has one for each of its smtpd processes
			(default_process_limit). For one more, the one that has been idle longest is
			closed, if that is over 10 s; else the new one waits.`,
	},
	{
		name: "server.deadline", def: `"5s"`,
		kind: duration(func(c *Config) *time.Duration { return &c.Server.Deadline }, 100*time.Millisecond, time.Minute,
			": Postfix gives up after smtpd_policy_service_timeout, 100s"),
		about: `How long a decision may take, DNS included; {limits}. Keep it below the timeout in
			main.cf. What the DNS has not said by then is a temperror.`,
	},

	{
		name: "resolver.servers", def: "[]",
		kind: list(func(c *Config) *[]netip.AddrPort { return &c.Resolver.Servers }, addServer),
		about: `Recursive DNS servers: "127.0.0.1", "127.0.0.1:5353", "[::1]:53". Empty:
			those of /etc/resolv.conf. The best is a validating resolver on this host.`,
	},
	{
		name: "resolver.timeout", def: `"2s"`,
		kind:  duration(func(c *Config) *time.Duration { return &c.Resolver.Timeout }, 50*time.Millisecond, 30*time.Second, ""),
		about: `How long one try at one server may take; {limits}.`,
	},
	{
		name: "resolver.cache_entries", def: "100_000",
		kind: whole(func(c *Config) *int { return &c.Resolver.CacheEntries }, 100, 100_000_000),
		about: `Answers that are kept in memory, {limits}; at most some 700 bytes each,
			garbage included.`,
	},
	{
		name: "resolver.stale", def: `"1d"`,
		kind: duration(func(c *Config) *time.Duration { return &c.Resolver.Stale }, 0, 7*plain.Day, ""),
		about: `How long answers are kept after their TTL, for use when the servers fail or
			are slow (RFC 8767); {limits}. With "0s" they are not kept. They may help a
			client, and never support a reject.`,
	},
	{
		name: "resolver.max_inflight", def: "500",
		kind: whole(func(c *Config) *int { return &c.Resolver.MaxInFlight }, 20, 100_000),
		about: `Lookups under way at once, {limits}. While fewer than half are, nobody is refused
			one. Above that a network of clients (/24, /48), or a zone that is queried
			(example.com and all under it), may have as many as there is room left for all
			others, and what is more is a temperror: so a stranger's silent zone takes half,
			and nobody misses it. HELO names may have half at most; an eighth is for them
			alone. When there is no room at all the oldest lookup ends for a new one; clients
			that find none all the same pass, unless the cache knows them. A WARN says which
			zone and network have most.`,
	},
	{
		name: "resolver.outage", def: `"dunno"`,
		kind: choice(func(c *Config) *policy.Action { return &c.Rules.OnOutage },
			word("dunno", policy.DUNNO), word("defer", policy.Defer)),
		about: `While no DNS server answers at all, what becomes of what would be a defer:
			"dunno" or "defer".`,
	},

	{
		name: "helo.own_names", def: "[]",
		kind: asWritten(func(c *Config) *[]string { return &c.HELO.OwnNames },
			list(func(c *Config) *policy.Rules { return c.Rules }, addOwnName)),
		about: `Names and addresses that only we may say in HELO: "mx.example.com",
			".example.com" for everything under it, "192.0.2.25". The host name and the
			address that Postfix accepted on are added. What hosts elsewhere have too is
			nobody's own: single labels, private addresses, and names under local, lan,
			internal, home.arpa and localdomain.`,
	},

	{
		name: "names.proper", def: "[]",
		kind: list(func(c *Config) *match.Names { return &c.Rules.ProperNames }, (*match.Names).Add),
		about: `proper: names that are never generic, if they are confirmed. generic: names that
			always are. "mx.example.com", ".example.com" for everything under it, "@/path".`,
	},
	{
		name: "names.generic", def: "[]",
		kind: list(func(c *Config) *match.Names { return &c.Rules.GenericNames }, (*match.Names).Add),
	},
	{
		name: "names.dnswl", def: `""`,
		kind: text(func(c *Config) *string { return &c.Rules.AllowList }, checkAllowList),
		about: `The allow-list that the check dnswl asks, last and only before a client would be
			refused or deferred: "list.dnswl.org", or another zone of that form. "" asks none.
			Its operator wants whoever sends more than 100,000 queries a day to register, and
			does not answer by way of large public resolvers.`,
	},

	{
		name: "log.format", def: `"logfmt"`,
		kind: choice(func(c *Config) *journal.Format { return &c.Log.Format },
			word("logfmt", journal.Logfmt), word("json", journal.JSON)),
		about: `How the decision log is written: "logfmt" or "json". Its keys are explained in
			policyd-rdns-log(5).`,
	},
	{
		name: "log.file", def: `""`,
		kind: text(func(c *Config) *string { return &c.Log.File }, checkLogFile),
		about: `Where the decision log is written: a path; "" is standard error, which under
			systemd is the journal. The file is opened anew on SIGHUP, for logrotate. Nobody
			but root and the daemon's user should be able to write to its folder, or to one
			above.`,
	},

	{
		name: "log.people", def: `"full"`,
		kind: choice(func(c *Config) *journal.People { return &c.Log.People },
			word("full", journal.Whole), word("domain", journal.Domains), word("hash", journal.Hashes)),
		about: `How senders and recipients are written there, and on the status page: "full";
			"domain", without what stands before the @; or "hash", by which the lines about one
			address are found until the daemon starts anew, and nobody. Rules about what is
			hidden cannot be tried on such a log (replay), nor can mail be found by it (why).`,
	},

	{
		name: "http.listen", def: `""`, restart: true,
		kind: text(func(c *Config) *string { return &c.HTTP.Listen }, checkHTTP),
		about: `Metrics (/metrics), health (/healthz, /readyz) and a status page (/), such as
			"127.0.0.1:10041"; "": none. Nothing is encrypted and no password is asked for:
			whoever reaches the port reads who sends mail to whom. A browser may name an
			address, localhost, this host, or the name here. 0.0.0.0 is IPv4 only, [::] IPv6
			only.`,
	},

	{
		name: "history.store", def: `""`, restart: true,
		kind: text(func(c *Config) *string { return &c.History.Store }, checkStore),
		about: `Where is kept who came before: "" is memory alone, which a restart empties; a path
			is a SQLite file, such as "/var/lib/policyd-rdns/history.sqlite"; and
			"valkey://HOST:PORT/DB" (or redis://, with TLS valkeys:// or rediss://) is a server
			that several MX share. Who can reach it can make strangers known and shorten
			defer_for, no more.`,
	},
	{
		name: "history.password_file", def: `""`, restart: true,
		kind: text(func(c *Config) *string { return &c.History.PasswordFile }, checkPasswordFile),
		about: `The file that holds the password of that server, in its first line, and is for the
			daemon's user alone; "": it wants none.`,
	},
	{
		name: "history.delay", def: `"3m"`,
		kind: duration(func(c *Config) *time.Duration { return &c.History.Delay }, time.Second, plain.Day, ""),
		about: `Who was deferred and tries the same message again, at least delay and at most
			window later, has returned: delay is {limits}.`,
	},
	{
		name: "history.window", def: `"2d"`, restart: true,
		kind: and(duration(func(c *Config) *time.Duration { return &c.History.Window }, time.Minute, 30*plain.Day, ""), checkWindow),
		about: `Longer than delay; {limits}. A client that is new is forgotten, and objections to
			it begin anew, when nothing came for so long.`,
	},
	{
		name: "history.keep", def: `"35d"`, restart: true,
		kind:  and(duration(func(c *Config) *time.Duration { return &c.History.Keep }, plain.Day, 400*plain.Day, ""), checkKeep),
		about: `How long who passed is known after the last time; at least window, {limits}.`,
	},
	{
		name: "history.grace", def: `"4d"`,
		kind: duration(func(c *Config) *time.Duration { return &c.Rules.Grace }, 0, maxDeferFor, deferForWhy),
		about: `How long who is known is deferred, not rejected, when the names of its address
			break; {limits}. The longer of this and defer_for holds.`,
	},
	{
		name: "history.entries", def: "200_000",
		kind:  whole(func(c *Config) *int { return &c.History.Entries }, 1000, 20_000_000),
		about: `Clients that are kept in memory, {limits}; some 220 bytes each.`,
	},
	{
		name: "history.strangers", def: "[]",
		kind: list(func(c *Config) *match.Names { return &c.Rules.Strangers }, addStrangers),
		about: `Organisations whose hosts are strangers to each other, so that none is known for
			what another did, such as those that let machines: ".hoster.example", with or
			without the dot; "@/path".`,
	},

	{
		name: "reply.contact", def: `"postmaster"`,
		kind: text(func(c *Config) *string { return &c.Reply.Contact }, checkContact),
		about: `Whom the refused may write to, in every refusal and deferral: a mail address, or
			its part before the @, which is of the recipient's domain then; "": nobody. Mail
			to it is exempt as mail to postmaster@ is, by the same built-in exemption.`,
	},
	{
		name: "reply.help", def: `""`,
		kind: text(func(c *Config) *string { return &c.Reply.Help }, checkHelp),
		about: `The URL of the page for the refused, as they reach it, such as
			"https://mx.example.com/rdns/", at most 32 bytes; "": none. It ends every refusal
			and deferral, with the number of the case behind it; or, without listen and
			key_file, with the word of the cause.`,
	},
	{
		name: "reply.listen", def: `""`, restart: true,
		kind: text(func(c *Config) *string { return &c.Reply.Listen }, checkReplyListen),
		about: `Where that page is served, for a reverse proxy of yours, such as
			"127.0.0.1:10042"; "": nowhere.`,
	},
	{
		name: "reply.proxies", def: `["127.0.0.1", "::1"]`,
		kind: list(func(c *Config) *match.Prefixes { return &c.Reply.Proxies }, (*match.Prefixes).Add),
		about: `The addresses of that proxy, or networks: of what others say in X-Forwarded-For
			nothing is believed.`,
	},
	{
		name: "reply.key_file", def: `""`,
		kind: text(func(c *Config) *string { return &c.Reply.KeyFile }, checkKeyFile),
		about: `The keys of the case numbers, one a line, such as of "openssl rand -hex 16", for
			the daemon's user alone: the first makes them, all read them, for 30 days. Several
			MX with one key read each other's. "": case.keys in the daemon's state folder
			(/var/lib/policyd-rdns), which it makes; without that folder, a key that a restart
			forgets.`,
	},
}

// table is the setting's table; empty: it stands above the first one.
func (s *setting) table() string {
	if table, _, ok := strings.Cut(s.name, "."); ok {
		return table
	}
	return ""
}

// key is the setting's name within its table.
func (s *setting) key() string { return s.name[strings.LastIndexByte(s.name, '.')+1:] }

// fallback is the default as the TOML library gives it. Each call makes a fresh one.
func (s *setting) fallback() any {
	v, err := document.Single(s.def)
	if err != nil {
		panic("config: the default of " + s.name + ": " + err.Error())
	}
	return v
}

// tableNames lists the tables in the order of the documentation. The first is "", of
// the settings that stand above the others.
func tableNames() []string {
	var names []string
	for i := range settings {
		if name := settings[i].table(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// config reads the whole file, and for what it leaves out the defaults, into c. The
// error is that the file is no TOML; all else is among the reader's problems.
func (r *reader) config(c *Config) error {
	root, err := r.Decode()
	if err != nil {
		return err
	}
	var used []environ.Variable
	var wrong []string
	root.Raw, used, wrong = r.around.Put(root.Raw)
	for _, v := range used {
		c.Variables = append(c.Variables, v.Name)
		fmt.Fprintf(r.Sum, "\x00%s=%s\x00", v.Name, v.Value) // another configuration
	}
	for _, text := range wrong {
		r.Bad("", "%s", text)
	}
	for _, name := range tableNames() {
		if name == "" {
			readSettings(&root, name, c)
			continue
		}
		t := root.Sub(name)
		readSettings(&t, name, c)
		t.End()
	}
	c.Rules.Keep = c.History.Keep
	c.Rules.Mode = policy.Enforce
	if c.observe {
		c.Rules.Mode = c.observed
	}
	r.rules(&root, c)
	root.End()
	r.tellUnknown()
	return nil
}

// readSettings reads the settings of the table of a name.
func readSettings(t *document.Table, name string, c *Config) {
	if t.Raw == nil {
		t.Raw = map[string]any{}
	}
	for i := range settings {
		s := &settings[i]
		if s.table() != name {
			continue
		}
		if _, ok := t.Raw[s.key()]; !ok {
			t.Raw[s.key()] = s.fallback()
		}
		s.read(t, s.key(), s.def, c)
	}
}

// addListen adds an address to those that are listened on.
func addListen(listen *[]string, address string) error {
	if err := postfix.CheckAddress(address); err != nil {
		return fmt.Errorf("%.200q: %w", address, err)
	}
	other, taken := listening.Beside(address, *listen)
	*listen = append(*listen, address)
	switch {
	case other == address && taken:
		return fmt.Errorf("%.200q: stands there twice", address)
	case taken:
		return fmt.Errorf("%.200q: cannot be listened on beside %.200q: remove one of them", address, other)
	}
	return nil
}

func checkGroup(t *document.Table, key string, c *Config) {
	if err := postfix.CheckGroup(c.Server.SocketGroup); err != nil {
		t.Bad(key, c.Server.SocketGroup, "no such group on this host")
	}
}

func addServer(servers *[]netip.AddrPort, text string) error {
	server, err := resolver.ParseServer(text)
	if err != nil {
		return fmt.Errorf("%.60q: want an address, with a port or without: 192.0.2.53, 192.0.2.53:53, [2001:db8::53]:53", text)
	}
	*servers = append(*servers, server)
	return nil
}

func checkLogFile(t *document.Table, key string, c *Config) {
	checkFolder(t, key, c.Log.File)
	for _, other := range c.Server.Listen {
		if listening.SamePath("unix:"+c.Log.File, other) {
			t.Bad(key, c.Log.File, fmt.Sprintf("is %.200q of server.listen: want a file of its own", other))
		}
	}
	if c.Log.File != "" && t.R.File != "" && listening.RealPath(c.Log.File) == listening.RealPath(absolute(t.R.File)) {
		t.Bad(key, c.Log.File, "is the configuration itself: want a file of its own")
	}
}

// absolute is a path from the root, if the working directory is known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// checkFolder notes a file that cannot be, for want of its folder. One that must
// not be looked into may be there for the daemon: with DynamicUser= in
// systemd.exec(5) it is not for others.
func checkFolder(t *document.Table, key, file string) {
	if file == "" {
		return
	}
	if !filepath.IsAbs(file) {
		t.Bad(key, file, "want an absolute path")
	} else if info, err := os.Stat(filepath.Dir(file)); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		t.Bad(key, file, "its folder does not exist")
	} else if info, err := os.Stat(file); err == nil && info.IsDir() {
		t.Bad(key, file, "is a folder; want a file in it")
	}
}

func addOwnName(rules *policy.Rules, text string) error {
	if form, addr := hostname.ParseHELO(text); form == hostname.Literal || form == hostname.BareIP {
		return rules.OwnAddrs.Add(addr.String())
	}
	return rules.OwnNames.Add(text)
}

// checkAllowList takes the zone of an allow-list as the DNS has it.
func checkAllowList(t *document.Table, key string, c *Config) {
	zone := &c.Rules.AllowList
	name := hostname.Normal(*zone)
	if *zone != "" && (!hostname.Valid(name) || len(name) > maxAllowList) {
		t.Bad(key, *zone, fmt.Sprintf("want the name of a zone of at most %d bytes, such as list.dnswl.org", maxAllowList))
		return
	}
	*zone = name
}

// maxAllowList leaves room before the zone for the 32 digits of an address of IPv6.
const maxAllowList = 253 - 2*32

// addStrangers adds an organisational domain, with all that is under it.
func addStrangers(strangers *match.Names, text string) error {
	if err := strangers.Add(text); err != nil {
		return err
	}
	name := strings.TrimPrefix(text, ".")
	return errors.Join(strangers.Add(name), strangers.Add("."+name))
}

func checkHTTP(t *document.Table, key string, c *Config) {
	checkHostPort(t, key, c.HTTP.Listen, "127.0.0.1:10041", c)
}

// checkHostPort notes what is wrong with an address to serve HTTP at.
func checkHostPort(t *document.Table, key, address, example string, c *Config) {
	if address == "" {
		return
	}
	host, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || !isHost(host) {
		t.Bad(key, address, "want a host and a port such as "+example+" or [::1]"+strings.TrimPrefix(example, "127.0.0.1"))
	} else if _, err := netip.ParseAddr(host); err == nil {
		if err := postfix.CheckAddress(address); err != nil {
			t.Bad(key, address, err.Error())
		}
	}
	for _, other := range c.Server.Listen {
		if listening.Overlap(listening.Sockets(address), listening.Sockets(other)) {
			t.Bad(key, address, fmt.Sprintf("cannot be listened on beside %.200q of server.listen: want a port of its own", other))
			break
		}
	}
}

// isHost reports whether a text is an address or may be a host's name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	form, _ := hostname.ParseHELO(host)
	return form == hostname.FQDN || form == hostname.Unqualified
}
