package daemon

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/config/environ"
	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/policy/reply"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// Daemon is a daemon at work.
type Daemon struct {
	version  string
	log      *slog.Logger
	journal  *logwriter.Writer // of decisions
	resolver *resolver.Resolver
	history  *history.History
	spf      *spf.Checker
	server   postfix.Server
	watch    *watch         // nil: nothing is served over HTTP
	looker   *look.Looker   // nil: no page is served to the refused
	started  *config.Config // as it was begun with, which is in force of what waits for a restart
	current  atomic.Pointer[generation]
	changing sync.Mutex // held while current is replaced
	nat      natGuard
	list     listGuard
	tagged   tagged
	damage   atomic.Pointer[string] // what is wrong with exempt_file; nil: nothing
	passing  *casenumber.Keys       // of this run alone, if they had to be made; under changing
	// reloadFailed: the file as it is now is not in force, for its mistakes.
	reloadFailed atomic.Bool

	works     sync.Pool // of *work
	decisions atomic.Uint64
	refused   atomic.Uint64 // decisions that the sender read as a 4xx or 5xx
	blind     atomic.Uint64 // decisions during the outage
	firstID   uint64
}

// generation is what a reload replaces as a whole, so that each request is
// judged by one configuration.
type generation struct {
	conf     *config.Config
	host     config.Host // as it was called then: addresses come and go
	loaded   time.Time
	gatherer *gather.Gatherer
	tally    *metrics.Tally
	keys     *casenumber.Keys // nil: there are no case numbers
	texts    *reply.Texts
}

// spfShare: of resolver.cache_entries one in so many may be a result of SPF beside.
const spfShare = 16

// Options are what a daemon has beside its configuration.
type Options struct {
	Log       *slog.Logger      // what an operator is told
	Decisions *logwriter.Writer // the decision log; who made it closes it, after the daemon
	Host      config.Host
	Version   string // of the program
	// FirstID is the number before that of the first decision; 0: at random, so that
	// decisions of other runs and hosts have other numbers.
	FirstID uint64
	// Dial makes connections to DNS servers; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes a daemon that listens nowhere yet. It redirects the decision log to the
// configuration's file. Close ends it.
func New(conf *config.Config, o Options) (*Daemon, error) {
	d := &Daemon{
		version: o.Version,
		log:     o.Log,
		journal: o.Decisions,
		nat:     natGuard{log: o.Log},
		firstID: o.FirstID,
		started: conf,
	}
	if d.firstID == 0 {
		d.firstID = rand.Uint64()
	}
	servers, err := conf.DNSServers()
	if err != nil {
		return nil, err
	}
	if err := d.journal.Open(conf.Log.File); err != nil {
		return nil, err
	}
	d.resolver, err = resolver.New(resolver.Config{
		Servers:      servers,
		Timeout:      conf.Resolver.Timeout,
		CacheEntries: conf.Resolver.CacheEntries,
		MaxInFlight:  conf.Resolver.MaxInFlight,
		Stale:        conf.Resolver.Stale,
		OnOutage:     d.outage,
		Log:          d.log,
		Dial:         o.Dial,
	})
	if err != nil {
		return nil, err
	}
	d.spf = &spf.Checker{DNS: d.resolver, Cache: spf.NewCache(conf.Resolver.CacheEntries/spfShare, nil)}
	if d.history, err = newHistory(conf, o); err != nil {
		d.resolver.Close()
		return nil, err
	}
	keys, err := d.caseKeys(conf)
	if err != nil {
		d.Close()
		return nil, err
	}
	if d.looker, err = newLooker(conf, servers, o); err != nil {
		d.Close()
		return nil, err
	}
	if conf.HTTP.Listen != "" {
		d.watch = d.newWatch(conf)
	}
	d.current.Store(d.generation(conf, o.Host, time.Now(), keys))
	return d, nil
}

// Close ends what runs behind requests, after Run has returned.
func (d *Daemon) Close() {
	d.looker.Close()
	d.resolver.Close()
	d.history.Close()
}

// generation makes one in place of that in force. What is read with it is of loaded.
func (d *Daemon) generation(conf *config.Config, h config.Host, loaded time.Time, keys *casenumber.Keys) *generation {
	g := &generation{
		conf:   conf,
		host:   h,
		loaded: loaded,
		keys:   keys,
		texts:  conf.Texts(keys),
		tally:  d.watch.tally(conf.Rules, d.current.Load()),
		gatherer: &gather.Gatherer{
			DNS:       d.resolver,
			SPF:       d.spf,
			Deadline:  conf.Server.Deadline,
			HostAddrs: h.Addrs,
			HostNames: h.Names,
		},
	}
	if conf.Rules.Remembers() {
		g.gatherer.History = remembered{d.history, &d.nat}
	}
	return g
}

// work is what a decision is written in, one after the other.
type work struct {
	record journal.Record
	line   []byte
}

// Handle is the way of a request: decision, log line, reply. Only for the
// decision it may have to wait.
func (d *Daemon) Handle(ctx context.Context, req *policy.Request) (answer postfix.Reply, wait func() postfix.Reply) {
	g := d.current.Load()
	w, _ := d.works.Get().(*work)
	if w == nil {
		w = new(work)
	}
	r := &w.record
	r.Request = *req // the caller's is for another request afterwards
	decision, finish := g.gatherer.Begin(&r.Request, g.conf.Rules, &r.Facts)
	if finish == nil {
		r.Decision = decision
		return d.record(g, w), nil
	}
	return postfix.Reply{}, func() postfix.Reply {
		r.Decision = finish(ctx)
		return d.record(g, w)
	}
}

// record is the way from the decision on.
func (d *Daemon) record(g *generation, w *work) postfix.Reply {
	r := &w.record
	req := &r.Request
	r.Config, r.Host, r.Reply, r.Case = g.conf.Hash, g.host.Name(), "", ""
	r.ID = strconv.FormatUint(d.firstID+d.decisions.Add(1), 36)
	r.Elapsed = time.Since(req.Time)
	if r.Facts.Outage {
		d.blind.Add(1)
	}
	if r.Decision.Action == policy.Tag && !d.tagged.first(req.Instance) {
		r.Decision.Action = policy.DUNNO // the message has the header
	}
	d.note(g, req, &r.Facts, r.Decision.Noted)
	d.nat.see(req, r.Facts.OwnClient || g.conf.Rules.Networks.Has(req.Client), r.Facts.PTR)
	d.list.see(g.conf.Rules.AllowList, &r.Facts, req.Time, d.log)
	told := g.texts.Reply(req, &r.Facts, &r.Decision)
	answer := postfix.NewReply(told.Action)
	if r.Decision.Action != policy.DUNNO {
		r.Reply, r.Case = g.logged(req, r, answer), told.Case
	}
	if r.Decision.Action.Refuses() && r.Decision.Mode == policy.Enforce {
		d.refused.Add(1)
	}
	g.tally.Count(req, &r.Decision, &r.Facts, r.Elapsed)
	g.conf.Log.People.Hide(r)
	w.line = g.conf.Log.Format.Append(w.line[:0], r)
	_, _ = d.journal.Write(w.line) // never fails
	d.watch.keep(r, w.line)
	d.works.Put(w)
	return answer
}

// logged is a reply as the log has it: where people are hidden, one that would name another
// recipient.
func (g *generation) logged(req *policy.Request, r *journal.Record, answer postfix.Reply) string {
	people := g.conf.Log.People
	if people == journal.Whole {
		return answer.String()
	}
	other := *req
	other.Recipient = people.Address(req.Recipient)
	return postfix.NewReply(g.texts.Reply(&other, &r.Facts, &r.Decision).Action).String()
}

// reload puts the configuration as it is now into force and opens the decision
// log anew. On an error the old configuration stays. Files may hang while they
// are read; if ctx has ended meanwhile, all stays as it is.
func (d *Daemon) reload(ctx context.Context) {
	old := d.current.Load().conf
	conf, servers, err := reread(old.Path)
	if ctx.Err() != nil {
		d.log.Info("configuration not reloaded: the daemon stops")
		return
	}
	var keys *casenumber.Keys
	var waiting []string
	if err == nil {
		waiting = config.NeedRestart(d.started, conf)
		conf.Reply.Listen = d.started.Reply.Listen // a reply names what is served, and its keys are those of that
		conf.History.Window, conf.History.Keep = d.started.History.Window, d.started.History.Keep
		conf.Rules.Keep = d.started.Rules.Keep
		keys, err = d.caseKeys(conf)
	}
	if err == nil {
		err = d.journal.Open(conf.Log.File)
	}
	d.reloadFailed.Store(err != nil)
	d.watch.reloaded(err)
	if err != nil {
		d.log.Error("configuration not reloaded, the old one stays in force", "error", err)
		if err := d.journal.Open(old.Log.File); err != nil {
			d.log.Error("decision log not reopened, the old file stays in use", "error", err)
		}
		return
	}
	d.resolver.SetServers(servers, conf.Resolver.Timeout)
	d.looker.SetServers(servers, conf.Resolver.Timeout)
	d.resolver.Resize(conf.Resolver.CacheEntries)
	d.spf.Cache.Resize(conf.Resolver.CacheEntries / spfShare)
	d.resolver.SetStale(conf.Resolver.Stale)
	d.resolver.SetMaxInFlight(conf.Resolver.MaxInFlight)
	d.history.Set(conf.History.Delay, conf.History.Entries)
	if now, err := conf.Exempting(); err == nil {
		conf = now // what was allowed while the rest was read
	}
	d.enforce(conf, keys)
	d.log.Info("configuration reloaded", "config", conf.Hash, "rules", len(conf.Rules.List), "servers", serverList(servers))
	d.tellWarnings(conf)
	d.checkDescriptors(conf)
	d.checkMemory(conf)
	if len(waiting) > 0 {
		d.log.Warn("changes of " + strings.Join(waiting, ", ") + " wait for a restart")
	}
	if conf.Log.Format != d.started.Log.Format {
		d.log.Warn("messages keep their format until a restart; decisions have the new one")
	}
}

// enforce puts a configuration into force that was read just now.
func (d *Daemon) enforce(conf *config.Config, keys *casenumber.Keys) {
	d.changing.Lock()
	defer d.changing.Unlock()
	if conf.Rules.Mode == policy.Enforce && d.current.Load().conf.Rules.Mode != policy.Enforce {
		d.history.Enforced()
	}
	d.current.Store(d.generation(conf, config.FindHost(), time.Now(), keys))
}

// reread reads the configuration and the servers that it resolves to.
func reread(path string) (*config.Config, []netip.AddrPort, error) {
	conf, err := config.Load(path)
	if err != nil {
		return nil, nil, err
	}
	servers, err := conf.DNSServers()
	return conf, servers, err
}

func serverList(servers []netip.AddrPort) string {
	texts := make([]string, len(servers))
	for i, s := range servers {
		texts[i] = s.String()
	}
	return strings.Join(texts, ",")
}

// outage tells the beginning and the end of an outage of all DNS servers.
func (d *Daemon) outage(o resolver.Outage) {
	if o.End.IsZero() {
		d.blind.Store(0)
		d.log.Warn("no DNS server answers: what cannot be known is not held against clients until one does", "servers", o.Why)
		return
	}
	d.log.Warn("DNS servers answer again", "after", o.End.Sub(o.Begin).Round(time.Millisecond), "decisions", d.blind.Load())
}

// announce says what runs, and how to have Postfix use it.
func (d *Daemon) announce(listeners []net.Listener) {
	g := d.current.Load()
	from := g.conf.Path
	if from == "" {
		from = "built-in"
	}
	doing := "observing: all is decided and logged, and nothing refused"
	if g.conf.Rules.Mode == policy.Enforce {
		doing = "enforcing"
	}
	d.log.Info("policyd-rdns "+d.version+", "+doing, "config", g.conf.Hash, "file", from,
		"mode", g.conf.Rules.Mode.String(), "on_doubt", g.conf.Rules.OnDoubt.String(),
		"rules", len(g.conf.Rules.List), "deadline", g.conf.Server.Deadline)
	if names := g.conf.Variables; len(names) > 0 {
		d.log.Info("the environment stands in the place of the file", "variables", strings.Join(names, ","))
	}
	if names := environ.PassedOver(os.Environ()); len(names) > 0 {
		d.log.Info("variables of the environment that mean nothing here are passed over", "variables", strings.Join(names, ","))
	}
	d.tellWarnings(g.conf)
	servers, source := g.conf.Resolver.Servers, "configuration"
	if len(servers) == 0 {
		servers, _ = g.conf.DNSServers()
		source = config.ResolvConf
	}
	d.log.Info("asking DNS servers", "servers", serverList(servers), "from", source,
		"timeout", g.conf.Resolver.Timeout, "cache_entries", g.conf.Resolver.CacheEntries)
	d.log.Info("own names, that nobody else may say in HELO", "names", strings.Join(g.host.OwnNames(g.conf), ","))
	for _, name := range g.host.Names {
		if hostname.Local(name) && len(g.conf.HELO.OwnNames) == 0 {
			d.log.Info("hosts elsewhere have the host name too, so that nobody is refused for it: name what Postfix is called (myhostname) in helo.own_names", "name", name)
		}
	}
	d.log.Info("own clients, that are not judged", "addresses", joinAddrs(g.host.Addrs), "networks", strings.Join(g.conf.Server.Networks, ","))
	for _, l := range listeners {
		d.log.Info("listening", "address", listenAddress(l))
		if name := containerName(g.conf, &g.host, l); name != "" {
			d.log.Info("to use it, add this line to smtpd_recipient_restrictions in main.cf of Postfix's container, after reject_unauth_destination; "+
				"the name is that of this container in their network, and has to be known there even while this one is down (extra_hosts), or stand for an address: "+
				"Postfix's smtpd ends over a name that nobody knows",
				"line", restriction("inet:"+name))
			continue
		}
		d.log.Info("to use it, add this line to smtpd_recipient_restrictions in /etc/postfix/main.cf, after reject_unauth_destination",
			"line", mainCF(l))
	}
}

func (d *Daemon) tellWarnings(conf *config.Config) {
	for _, w := range conf.Warnings {
		d.log.Warn("configuration: " + w.Error())
	}
}

// mainCF is the restriction that has Postfix call the service.
func mainCF(l net.Listener) string {
	endpoint := "inet:" + l.Addr().String()
	if l.Addr().Network() == "unix" {
		endpoint = "unix:" + withinQueue(l.Addr().String())
	}
	return restriction(endpoint)
}

func restriction(endpoint string) string {
	return "check_policy_service { " + endpoint + ", timeout=" + plain.DurationText(config.PolicyTimeout) + ", default_action=DUNNO }"
}

// containerName is the name, with the port, by which other containers reach a listener of
// this one; empty: this is none, or only this host reaches it.
func containerName(conf *config.Config, host *config.Host, l net.Listener) string {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if !conf.Container || err != nil || at.Addr().IsLoopback() {
		return ""
	}
	name := host.Name()
	if name == "" || containerID.MatchString(name) {
		name = "policyd-rdns" // as compose.yaml calls it: one of its own has the container's id
	}
	return net.JoinHostPort(name, strconv.Itoa(int(at.Port())))
}

// containerID is a host name that an engine gives a container that has none.
var containerID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// withinQueue is a path as Postfix takes it: below its queue directory as relative
// to that, as it has to be where smtpd runs in a chroot. The queue directory is the
// one that has Postfix's folders: queue_directory in postconf(5) may be any.
func withinQueue(path string) string {
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if isFolder(filepath.Join(dir, "private")) && isFolder(filepath.Join(dir, "active")) {
			return strings.TrimPrefix(path, dir+"/")
		}
	}
	return strings.TrimPrefix(path, "/var/spool/postfix/")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func joinAddrs(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",")
}
