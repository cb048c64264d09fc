package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
)

// stopTime bounds what is left to do after the last request was answered: the
// log, and lookups that run on behind.
const stopTime = 3 * time.Second

// Serve answers Postfix's policy requests as a configuration file says, or the
// built-in defaults if path is empty, until SIGTERM or SIGINT. SIGHUP reads all
// anew. version is that of the program, as it is told.
func Serve(ctx context.Context, path, version string, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	conf, err := config.Load(path)
	if err != nil {
		return err
	}
	stream := &sharedStream{w: stderr}
	console := logwriter.New(stream, nil)
	defer func() { _ = closeLog(console) }() // there is nowhere left to tell
	log := newLog(console, conf.Log.Format)
	decisions := logwriter.New(stream, func(l logwriter.Loss) { tellLoss(log, l) })
	defer func() {
		if err := closeLog(decisions); err != nil {
			log.Error("decisions of the end may not be logged", "error", err)
		}
	}()
	d, err := New(conf, Options{Log: log, Decisions: decisions, Host: config.FindHost(), Version: version})
	if err != nil {
		return err
	}
	defer d.Close()
	d.recall(ctx)
	stopHTTP, err := d.serveHTTP(ctx)
	if err != nil {
		return err
	}
	defer stopHTTP()
	stopHelp, err := d.serveHelp(ctx)
	if err != nil {
		return err
	}
	defer stopHelp()
	passed, err := activation.Listeners()
	if err != nil {
		return fmt.Errorf("sockets passed by systemd: %w", err)
	}
	listeners, err := listen(conf, passed)
	if err != nil {
		return err
	}
	return d.Run(ctx, listeners, hup)
}

// gcRest is memory that is never touched, in bytes, and so takes none. The garbage
// collector starts when as much has been allocated again as there is: of a few
// MiB that would be twenty times a second under load, a sixth of all processor
// time.
const gcRest = 32 << 20

// Run answers requests on the listeners until ctx ends. Each hup reads the
// configuration anew. It may be called once.
func (d *Daemon) Run(ctx context.Context, listeners []net.Listener, hup <-chan os.Signal) error {
	rest := make([]byte, gcRest)
	defer runtime.KeepAlive(rest)
	d.announce(listeners)
	d.checkDescriptors(d.current.Load().conf)
	d.checkMemory(d.current.Load().conf)
	served := make(chan struct{})
	var supervising sync.WaitGroup
	supervising.Go(func() { d.supervise(ctx, served, hup) })
	supervising.Go(func() { newResting().lookAfter(served, d.decisions.Load) })
	exempting := make(chan struct{})
	go func() {
		defer close(exempting)
		(&exemptions{Daemon: d}).lookAfter(ctx)
	}()
	d.history.Open(ctx)
	remembering, forget := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() {
		defer close(written)
		d.history.Run(remembering)
	}()
	d.server.Inquire = d.inquire
	d.server.Handler, d.server.Log, d.server.MaxConnections = d.Handle, d.log, d.current.Load().conf.Server.Connections
	d.watch.listens(true)
	defer context.AfterFunc(ctx, func() { d.watch.listens(false) })()
	err := d.server.Serve(ctx, listeners...)
	close(served)
	supervising.Wait()
	forget() // nothing is noted any more
	d.await(written, "the store of history")
	d.await(exempting, "the reading of exempt_file")
	d.log.Info("stopped", "decisions", d.decisions.Load())
	return err
}

// checkDescriptors warns if connections could take the file descriptors that
// lookups need: what cannot be queried is a temperror.
func (d *Daemon) checkDescriptors(conf *config.Config) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if need := conf.Descriptors(); uint64(limit.Cur) < need { // int64 on FreeBSD
		d.log.Warn("too few file descriptors: raise LimitNOFILE, or lower server.max_connections and resolver.max_inflight",
			"limit", limit.Cur, "need", need)
	}
}

// supervise reloads on request and keeps the service manager informed, from
// the beginning until all is served, which is later than ctx ends. A reload that
// hangs, on a file that cannot be read, holds up neither of them; its end is
// waited for, for stopTime at most.
func (d *Daemon) supervise(ctx context.Context, served <-chan struct{}, hup <-chan os.Signal) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	m := newManager()
	defer m.close()
	m.ready()
	watchdog, stop := m.watchdog()
	defer stop()
	stopping := ctx.Done()
	reload, reloaded := hup, make(chan struct{}, 1)
	for {
		select {
		case <-served:
			if giveUp(); reload == nil && hup != nil {
				d.await(reloaded, "a reload")
			}
			return
		case <-stopping:
			m.stopping()
			stopping = nil
		case <-watchdog:
			m.alive()
		case <-reload:
			reload = nil // one at a time; hup keeps the next
			m.reloading()
			go func() {
				defer func() { reloaded <- struct{}{} }()
				d.reload(ctx)
			}()
		case <-reloaded:
			m.ready()
			reload = hup
		}
	}
}

// await waits for what has been given up. If it hangs for longer it ends with the
// program, and does nothing any more.
func (d *Daemon) await(done <-chan struct{}, what string) {
	limit := time.NewTimer(stopTime)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		d.log.Warn(what+" hangs, on a file that cannot be read, and is not waited for", "after", stopTime)
	}
}

// listen opens the sockets of the configuration. One that systemd has passed
// is not opened again.
func listen(conf *config.Config, passed []net.Listener) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, l := range passed {
		if l == nil {
			continue // a socket that is no stream
		}
		listeners = append(listeners, l)
	}
	given := len(listeners)
	var errs []error
	for _, address := range conf.Server.Listen {
		if slices.ContainsFunc(listeners[:given], func(l net.Listener) bool { return covers(listenAddress(l), address) }) {
			continue
		}
		l, err := postfix.Listen(address, conf.Server.SocketMode, conf.Server.SocketGroup)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		listeners = append(listeners, l)
	}
	if len(errs) == 0 && len(listeners) == 0 {
		errs = append(errs, errors.New("nothing to listen on: server.listen is empty and systemd has passed no socket"))
	}
	if len(errs) > 0 {
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, errors.Join(errs...)
	}
	return listeners, nil
}

// covers reports whether who listens on one address, by a socket of systemd's, listens on
// the other too. Such a socket at [::] is one for IPv4 too (systemd.socket(5)).
func covers(one, address string) bool {
	l, err := netip.ParseAddrPort(one)
	a, err2 := netip.ParseAddrPort(address)
	if err != nil || err2 != nil {
		return one == address || listening.SamePath(one, address)
	}
	all := l.Addr().IsUnspecified() && (l.Addr().Is6() || a.Addr().Is4())
	return l.Port() == a.Port() && (all || l.Addr() == a.Addr())
}

// listenAddress is a listener's address as in server.listen.
func listenAddress(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// sharedStream keeps the lines of two writers apart: what is written to a pipe
// at once may be cut where it is long.
type sharedStream struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sharedStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func closeLog(w *logwriter.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return w.Close(ctx)
}

// tellLoss tells of decisions that are not in the log.
func tellLoss(log *slog.Logger, l logwriter.Loss) {
	if l.Over {
		log.Error("decisions are logged again", "lost", l.Lines, "error", l.Err)
		return
	}
	log.Error("decisions are not logged", "lost", l.Lines, "error", l.Err)
}

// newLog is the daemon's own log, in the decision log's format.
func newLog(out io.Writer, format journal.Format) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		}
		return a
	}}
	if format == journal.JSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
