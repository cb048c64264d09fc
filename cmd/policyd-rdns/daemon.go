package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

// resolvConf names the recursive servers, where the configuration does not.
const resolvConf = "/etc/resolv.conf"

// daemon is the state of serve.
type daemon struct {
	host     host
	log      *slog.Logger
	journal  *journal.Writer // of decisions
	resolver *resolver.Resolver
	server   postfix.Server
	watch    *watch // nil: nothing is served over HTTP
	current  atomic.Pointer[generation]
	nat      natGuard

	works     sync.Pool // of *work
	decisions atomic.Uint64
	blind     atomic.Uint64 // decisions during the outage
	firstID   uint64
}

// generation is what a reload replaces as a whole, so that each request is
// judged by one configuration.
type generation struct {
	conf     *config
	loaded   time.Time
	gatherer *policy.Gatherer
	tally    *metrics.Tally
}

// newDaemon makes a daemon that listens nowhere yet. It redirects
// the decision log to the configuration's file.
func newDaemon(conf *config, log *slog.Logger, decisions *journal.Writer, h host) (*daemon, error) {
	d := &daemon{
		host:    h,
		log:     log,
		journal: decisions,
		nat:     natGuard{log: log},
		// Decisions of other runs and hosts have other numbers.
		firstID: rand.Uint64(),
	}
	servers, err := conf.servers()
	if err != nil {
		return nil, err
	}
	if err := decisions.Open(conf.log.file); err != nil {
		return nil, err
	}
	d.resolver, err = resolver.New(resolver.Config{
		Servers:      servers,
		Timeout:      conf.resolver.timeout,
		CacheEntries: conf.resolver.cacheEntries,
		MaxInFlight:  conf.resolver.maxInFlight,
		Stale:        conf.resolver.stale,
		OnOutage:     d.outage,
		Log:          log,
	})
	if err != nil {
		return nil, err
	}
	d.loadCache(conf)
	if conf.http.listen != "" {
		d.watch = d.newWatch(conf)
	}
	d.current.Store(d.generation(conf))
	return d, nil
}

func (d *daemon) generation(conf *config) *generation {
	return &generation{
		conf:   conf,
		loaded: time.Now(),
		tally:  d.watch.tally(conf.rules, d.current.Load()),
		gatherer: &policy.Gatherer{
			DNS:       d.resolver,
			Deadline:  conf.server.deadline,
			HostAddrs: d.host.addrs,
			HostNames: d.host.names,
		},
	}
}

// work is what a decision is written in, one after the other.
type work struct {
	record journal.Record
	line   []byte
}

// handle is the way of a request: decision, log line, reply. Only for the
// decision it may have to wait.
func (d *daemon) handle(ctx context.Context, req *policy.Request) (action string, wait func() string) {
	g := d.current.Load()
	w, _ := d.works.Get().(*work)
	if w == nil {
		w = new(work)
	}
	r := &w.record
	r.Request = *req // the caller's is for another request afterwards
	decision, finish := g.gatherer.Begin(&r.Request, g.conf.rules, &r.Facts)
	if finish == nil {
		r.Decision = decision
		return d.record(g, w), nil
	}
	return "", func() string {
		r.Decision = finish(ctx)
		return d.record(g, w)
	}
}

// record is the way from the decision on.
func (d *daemon) record(g *generation, w *work) (action string) {
	r := &w.record
	req := &r.Request
	r.Config, r.Reply = g.conf.hash, ""
	r.ID = strconv.FormatUint(d.firstID+d.decisions.Add(1), 36)
	r.Elapsed = time.Since(req.Time)
	if r.Facts.Outage {
		d.blind.Add(1)
	}
	d.nat.see(req, r.Facts.OwnClient || g.conf.rules.Networks.Has(req.Client))
	reply := r.Decision.Reply()
	if r.Decision.Action != policy.DUNNO {
		r.Reply = spoken(reply)
	}
	w.line = g.conf.log.format.Append(w.line[:0], r)
	_, _ = d.journal.Write(w.line) // never fails
	g.tally.Count(&r.Decision, &r.Facts, r.Elapsed)
	d.watch.keep(r, w.line)
	d.works.Put(w)
	return reply
}

// reload puts the configuration as it is now into force and opens the decision
// log anew. On an error the old configuration stays.
func (d *daemon) reload() {
	old := d.current.Load().conf
	conf, servers, err := reread(old.path)
	if err == nil {
		err = d.journal.Open(conf.log.file)
	}
	d.watch.reloaded(err)
	if err != nil {
		d.log.Error("configuration not reloaded, the old one stays in force", "error", err)
		if err := d.journal.Open(old.log.file); err != nil {
			d.log.Error("decision log not reopened, the old file stays in use", "error", err)
		}
		return
	}
	d.host = findHost() // addresses come and go
	d.resolver.SetServers(servers, conf.resolver.timeout)
	d.resolver.Resize(conf.resolver.cacheEntries)
	d.resolver.SetStale(conf.resolver.stale)
	d.resolver.SetMaxInFlight(conf.resolver.maxInFlight)
	d.current.Store(d.generation(conf))
	d.log.Info("configuration reloaded", "config", conf.hash, "rules", len(conf.rules.List), "servers", serverList(servers))
	d.tellWarnings(conf)
	d.checkDescriptors(conf)
	if !old.sameSockets(conf) {
		d.log.Warn("changes of listen, socket_mode, socket_group, max_connections and http.listen wait for a restart")
	}
	if conf.log.format != old.log.format {
		d.log.Warn("messages keep their format until a restart; decisions have the new one")
	}
}

func (c *config) sameSockets(other *config) bool {
	a, b := &c.server, &other.server
	return slices.Equal(a.listen, b.listen) && a.socketMode == b.socketMode && a.socketGroup == b.socketGroup &&
		a.connections == b.connections && c.http == other.http
}

// reread reads the configuration and the servers that it leads to.
func reread(path string) (*config, []netip.AddrPort, error) {
	conf, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	servers, err := conf.servers()
	return conf, servers, err
}

// servers are the recursive servers to ask.
func (c *config) servers() ([]netip.AddrPort, error) {
	if len(c.resolver.servers) > 0 {
		return c.resolver.servers, nil
	}
	return resolver.ReadResolvConf(resolvConf)
}

func serverList(servers []netip.AddrPort) string {
	texts := make([]string, len(servers))
	for i, s := range servers {
		texts[i] = s.String()
	}
	return strings.Join(texts, ",")
}

// outage tells the beginning and the end of an outage of all DNS servers.
func (d *daemon) outage(o resolver.Outage) {
	if o.End.IsZero() {
		d.blind.Store(0)
		d.log.Warn("no DNS server answers: what cannot be known is not held against clients until one does", "servers", o.Why)
		return
	}
	d.log.Warn("DNS servers answer again", "after", o.End.Sub(o.Begin).Round(time.Millisecond), "decisions", d.blind.Load())
}

// loadCache takes the answers of the last run, if they were kept.
func (d *daemon) loadCache(conf *config) {
	path := conf.resolver.cacheFile
	if path == "" {
		return
	}
	n, err := d.resolver.LoadCache(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.log.Info("no cache of an earlier run", "file", path)
	case err != nil:
		d.log.Warn("cache of an earlier run not used", "file", path, "error", err)
	default:
		d.log.Info("cache of an earlier run", "file", path, "answers", n)
		runtime.GC() // now, and not beside the first requests
	}
}

// saveCache keeps the answers for the next run.
func (d *daemon) saveCache() {
	path := d.current.Load().conf.resolver.cacheFile
	if path == "" {
		return
	}
	if err := d.resolver.SaveCache(path); err != nil {
		d.log.Warn("cache not kept", "file", path, "error", err)
	}
}

// announce says what runs, and how to have Postfix use it.
func (d *daemon) announce(listeners []net.Listener) {
	g := d.current.Load()
	from := g.conf.path
	if from == "" {
		from = "built-in"
	}
	d.log.Info("policyd-rdns "+versionText(), "config", g.conf.hash, "file", from,
		"mode", g.conf.rules.Mode.String(), "on_doubt", g.conf.rules.OnDoubt.String(),
		"rules", len(g.conf.rules.List), "deadline", g.conf.server.deadline)
	d.tellWarnings(g.conf)
	servers, source := g.conf.resolver.servers, "configuration"
	if len(servers) == 0 {
		servers, _ = g.conf.servers()
		source = resolvConf
	}
	d.log.Info("asking DNS servers", "servers", serverList(servers), "from", source,
		"timeout", g.conf.resolver.timeout, "cache_entries", g.conf.resolver.cacheEntries)
	d.log.Info("own names, that nobody else may greet with", "names",
		strings.Join(slices.Concat(d.host.names, []string{"localhost", "localhost.localdomain"}, g.conf.helo.ownNames), ","))
	for _, name := range d.host.names {
		if !strings.Contains(name, ".") && len(g.conf.helo.ownNames) == 0 {
			d.log.Info("the host name is not fully qualified: name what Postfix is called (myhostname) in helo.own_names", "name", name)
		}
	}
	d.log.Info("own clients, that are not judged", "addresses", joinAddrs(d.host.addrs), "networks", strings.Join(g.conf.server.networks, ","))
	for _, l := range listeners {
		d.log.Info("listening", "address", listenAddress(l))
		d.log.Info("to use it, add this line to smtpd_recipient_restrictions in /etc/postfix/main.cf, after reject_unauth_destination",
			"line", mainCF(l))
	}
}

func (d *daemon) tellWarnings(conf *config) {
	for _, w := range conf.warnings {
		d.log.Warn("configuration: " + w.Error())
	}
}

// mainCF is the restriction that has Postfix call the service.
func mainCF(l net.Listener) string {
	endpoint := "inet:" + l.Addr().String()
	if l.Addr().Network() == "unix" {
		// Postfix takes a path within its queue directory as relative, and
		// where it runs in a chroot it has to be so.
		endpoint = "unix:" + strings.TrimPrefix(l.Addr().String(), "/var/spool/postfix/")
	}
	return "check_policy_service { " + endpoint + ", timeout=10s, default_action=DUNNO }"
}
