package postfix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"policyd-rdns/policy"
)

// What a [Server] does unless it is told otherwise.
const (
	// defaultIdle is more than Postfix keeps a connection for at all
	// (smtpd_policy_service_max_ttl in postconf(5), 1000 s), so that Postfix
	// is always the first to close a healthy one.
	defaultIdle       = 1100 * time.Second
	defaultUnfinished = 60 * time.Second
	defaultWrite      = 10 * time.Second
	defaultMemory     = 16 << 20 // bytes
)

// Bounds of the pause after a connection could not be accepted, and how often
// at most that is logged.
const (
	minPause      = 5 * time.Millisecond
	maxPause      = time.Second
	acceptLogTime = 30 * time.Second
)

// Handler decides a request: it returns an action for [AppendReply]. It must
// return in less time than Postfix waits (smtpd_policy_service_timeout in
// postconf(5), 100 s); its context has no deadline and survives the server's
// stop. It is called from many goroutines at once. If it panics, the action
// is DUNNO.
type Handler func(ctx context.Context, req policy.Request) (action string)

// Server answers policy requests. Its fields must not be changed while Serve
// runs; each but Handler may be zero.
type Server struct {
	Handler Handler

	// Log receives a warning for each connection that is closed for what its
	// peer sent, and for trouble in accepting connections; nil: nothing is
	// logged.
	Log *slog.Logger

	// Idle is how long a connection may be without a request. 0: 1100 s, and
	// it ought to be more than Postfix's smtpd_policy_service_max_ttl.
	Idle time.Duration
	// Unfinished is how long a request may take from its first byte to its
	// last. 0: 60 s.
	Unfinished time.Duration
	// Write is how long a peer may take to accept a reply. 0: 10 s.
	Write time.Duration

	// Memory bounds the unfinished requests of all connections; servers may
	// share one. nil: 16 MiB of its own.
	Memory *Memory
}

// withDefaults returns a copy without zero fields.
func (s *Server) withDefaults() *Server {
	return &Server{
		Handler:    s.Handler,
		Log:        cmp.Or(s.Log, slog.New(slog.DiscardHandler)),
		Idle:       cmp.Or(s.Idle, defaultIdle),
		Unfinished: cmp.Or(s.Unfinished, defaultUnfinished),
		Write:      cmp.Or(s.Write, defaultWrite),
		Memory:     cmp.Or(s.Memory, NewMemory(defaultMemory)),
	}
}

// Serve answers the connections of the listeners until ctx is done. Then the
// listeners and idle connections are closed, requests being handled are
// answered, and Serve returns nil when the last of them is. The listeners are
// closed in any case.
//
// Failing to accept a connection, for want of file descriptors say, is logged
// and tried again. The error is that of a listener which was closed by someone
// else, and ends the connections in the same way.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	s = s.withDefaults()
	own, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() {
			stop(s.accept(own, &running, l))
		})
	}
	<-own.Done()
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			s.Log.Warn("closing a policy socket", "address", l.Addr().String(), "error", err)
		}
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(own)
}

// accept starts the connections of one listener until that is closed. Other
// errors pass: they are shortage of file descriptors or memory, or a peer that
// has gone already.
func (s *Server) accept(ctx context.Context, running *sync.WaitGroup, l net.Listener) error {
	var pause time.Duration
	var logged time.Time
	for {
		c, err := l.Accept()
		if err == nil {
			pause = 0
			running.Go(func() { s.serve(ctx, c) })
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accepting on %s: %w", l.Addr(), err)
		}
		if time.Since(logged) >= acceptLogTime {
			logged = time.Now()
			s.Log.Warn("cannot accept policy connections, trying on", "address", l.Addr().String(), "error", err)
		}
		pause = min(max(2*pause, minPause), maxPause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
