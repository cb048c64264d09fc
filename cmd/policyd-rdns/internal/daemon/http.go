package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/status"
	"policyd-rdns/cmd/policyd-rdns/internal/web"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
)

// watch is what others see of the daemon over HTTP. nil: it is off.
type watch struct {
	metrics   *metrics.Metrics
	page      *status.Page
	started   time.Time
	maxConns  int // of the policy server; a reload does not change it
	listening atomic.Bool
	failed    atomic.Pointer[error] // of the last reload
}

func (d *Daemon) newWatch(conf *config.Config) *watch {
	return &watch{
		started: time.Now(), maxConns: conf.Server.Connections,
		metrics: metrics.New(d.version, d.counted),
		page:    status.New(status.Source{State: d.state, Summary: Summary, Explain: d.explained}, time.Now),
	}
}

// tally counts what a configuration will decide, in place of an older one.
func (w *watch) tally(rules *policy.Rules, old *generation) *metrics.Tally {
	switch {
	case w == nil:
		return nil
	case old == nil:
		return w.metrics.Tally(rules, nil)
	}
	return w.metrics.Tally(rules, old.tally)
}

// keep takes a decision with its log line.
func (w *watch) keep(r *journal.Record, line []byte) {
	if w != nil {
		w.page.Keep(r, line)
	}
}

// reloaded takes what became of a reload.
func (w *watch) reloaded(err error) {
	if w == nil {
		return
	}
	w.metrics.Reloaded(time.Now(), err == nil)
	w.failed.Store(&err)
}

// listens takes whether policy requests are answered.
func (w *watch) listens(yes bool) {
	if w != nil {
		w.listening.Store(yes)
	}
}

// serveHTTP begins to answer over HTTP, if the configuration wants it, until stop
// is called.
func (d *Daemon) serveHTTP(ctx context.Context) (stop func(), err error) {
	address := d.current.Load().conf.HTTP.Listen
	if d.watch == nil {
		return func() {}, nil
	}
	l, err := listenHTTP(address)
	if err != nil {
		return nil, fmt.Errorf("http.listen = %q: %w", address, err)
	}
	host, _, _ := net.SplitHostPort(address) // it has been checked
	server := web.Server{Handler: d.routes(), Log: d.log, Names: func() []string {
		return append(slices.Clone(d.current.Load().host.Names), host)
	}}
	// It says how things are until the last request is answered.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ctx, l); err != nil {
			d.log.Error("metrics and status page have ended", "error", err)
		}
	})
	d.log.Info("metrics and status page", "url", "http://"+l.Addr().String()+"/")
	return func() {
		cancel()
		serving.Wait()
	}, nil
}

// listenHTTP listens on an address as server.listen does: 0.0.0.0 is all of IPv4
// and [::] all of IPv6, neither of them both. A host name is what the system makes
// of it.
func listenHTTP(address string) (net.Listener, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return net.Listen("tcp", address)
	}
	l, err := postfix.Listen(address, 0, "")
	if err != nil {
		return nil, errors.Unwrap(err) // which names the address
	}
	return l, nil
}

// explained explains a decision by the rules that are in force now.
func (d *Daemon) explained(r *journal.Record) status.Explanation {
	return Explained(d.current.Load().conf, r)
}

func (d *Daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", d.watch.page)
	mux.Handle("/metrics", d.watch.metrics)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("/readyz", d.readyz)
	return mux
}

// readyTime bounds how long it takes to say that no DNS server answers.
const readyTime = 5 * time.Second

// readyz answers whether Postfix can be served: the sockets are open, and a DNS
// server answers.
func (d *Daemon) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if !d.watch.listening.Load() {
		http.Error(w, "not listening for Postfix", http.StatusServiceUnavailable)
		return
	}
	if err := d.resolver.Reachable(ctx); err != nil {
		http.Error(w, "no DNS server answers: "+plain.Line(err.Error()), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// counted is what metrics tell.
func (d *Daemon) counted() metrics.State {
	conf, lines := d.current.Load().conf, d.journal.Stats()
	past := d.history.State()
	return metrics.State{
		History:  &past,
		Resolver: d.resolver.Stats(), CacheEntries: conf.Resolver.CacheEntries, MaxInFlight: conf.Resolver.MaxInFlight,
		Server: d.server.Stats(), MaxConnections: d.watch.maxConns,
		LostLines: lines.Lost, PendingBytes: lines.Pending,
		Config: conf.Hash, Mode: conf.Rules.Mode.String(),
	}
}

// state is what the status page tells beside decisions.
func (d *Daemon) state() status.State {
	g := d.current.Load()
	s := status.State{
		State: d.counted(), Version: d.version, Host: g.host.Name(), Started: d.watch.started, Listening: d.watch.listening.Load(),
		File: g.conf.Path, Rules: len(g.conf.Rules.List), Loaded: g.loaded, Unseen: d.nat.trouble(),
	}
	if err := d.watch.failed.Load(); err != nil && *err != nil {
		s.ReloadFailed = plain.Line((*err).Error())
	}
	if why := d.damage.Load(); why != nil {
		s.ExemptFailed = plain.Line(*why)
	}
	s.Ending = endingTexts(g.conf, time.Now())
	return s
}
