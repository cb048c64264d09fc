// Package web is the HTTP side of the daemon but for what it shows: who may ask,
// for how long, and what a browser may do with the answer. There are two: [Server] is for
// the administrator, [Public] for everybody.
//
// Everything of a Server can be read by who reaches the port, and nothing can be changed:
// GET and HEAD only, no cookie, no script. What stands on the pages are names
// that strangers chose, so that the browser is told to run and load nothing
// (Content-Security-Policy) even if an escape were forgotten. A request for
// another host's name is refused, since a page elsewhere that has its name lead
// here (DNS rebinding) could read the answer.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// Bounds of what one connection, and all of them, may take.
const (
	maxConnections = 32
	maxHeader      = 16 << 10 // bytes
	readTime       = 10 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 2 * time.Minute // Prometheus asks once a minute by default
	stopTime       = time.Second
)

// Server serves HTTP. Its fields must not be changed while Serve runs.
type Server struct {
	Handler http.Handler
	// Log gets what net/http has to complain of; nil: nobody does.
	Log *slog.Logger
	// Names gives the host names, beside localhost, that may stand in a URL for
	// this server now. Addresses always may.
	Names func() []string
}

// Serve answers requests until ctx is done, those that have begun for a second
// longer. It closes the listener. The error is that of the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return run(ctx, netutil.LimitListener(l, maxConnections), &http.Server{
		Handler:        s.guard(),
		ReadTimeout:    readTime,
		WriteTimeout:   writeTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	})
}

// run answers requests until ctx is done, those that have begun for stopTime longer. It
// closes the listener, whose error it gives.
func run(ctx context.Context, l net.Listener, server *http.Server) error {
	server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	var stopping sync.WaitGroup
	own, stop := context.WithCancel(ctx)
	stopping.Go(func() {
		<-own.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	stop()
	stopping.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("http: %w", err)
}

// guard is the handler behind what holds for every request.
func (s *Server) guard() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		switch {
		case !s.ours(r.Host):
			http.Error(w, "This is not the host that was asked for. Use its address, or name it in http.listen.", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing to change here.", http.StatusMethodNotAllowed)
		default:
			s.Handler.ServeHTTP(w, r)
		}
	})
}

// contentPolicy is what a browser may do with any page of ours, and run and load: nothing.
const contentPolicy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "

// secure sets what a browser has to obey. Chart and styles are part of the page
// or come from this very server, as its one script does, which asks nobody but it;
// nothing else is loaded, run, framed or sent.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy+"style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// ours reports whether a Host header may be this server's.
func (s *Server) ours(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(s.Names(), func(name string) bool { return strings.EqualFold(name, host) })
}
