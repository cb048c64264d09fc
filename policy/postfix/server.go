package postfix

import (
	"cmp"
	"context"
	"errors"
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
	defaultMemory     = 8 << 20 // bytes

	// defaultConnections is enough for 20 Postfix servers with their default
	// of 100 smtpd processes each (default_process_limit in postconf(5)).
	defaultConnections = 2000
)

// Handler decides a request: it returns a reply, or, if it
// must wait for anything, what returns the reply when that has come. Others are
// answered while wait is called, and not before the Handler itself has returned.
//
// wait must return in less time than Postfix waits (smtpd_policy_service_timeout
// in postconf(5), 100 s); the context has no deadline and survives the server's
// stop. Neither may keep the request, whose memory another one takes when it has
// been answered. Both are called from many goroutines at once. If one panics, the
// action is DUNNO. A panic elsewhere in serving a connection ends that connection.
type Handler func(ctx context.Context, req *policy.Request) (reply Reply, wait func() Reply)

// Server answers policy requests. Its fields must not be changed while Serve
// runs; each but Handler may be zero. It must not be copied after first use.
type Server struct {
	Handler Handler
	// Inquire answers what commands of ours ask; nil: nobody is told anything, and such
	// a request is none ([ErrRequest]).
	Inquire Inquirer

	// Log receives a warning for each connection that is closed for what its
	// peer sent, and for trouble in accepting connections; nil: nothing is
	// logged.
	Log *slog.Logger

	// Idle is how long a connection may be without a request, to within a
	// sixteenth. 0: 1100 s, and it ought to be that much more than Postfix's
	// smtpd_policy_service_max_ttl.
	Idle time.Duration
	// Unfinished is how long a request may take from its first byte to its
	// last. 0: 60 s.
	Unfinished time.Duration
	// Write is how long a peer may take to accept a reply, to within a
	// sixteenth. 0: 10 s.
	Write time.Duration

	// MaxConnections bounds the connections of all listeners together. Above
	// it a new one takes the place of the one that has been idle longest, if
	// that is more than 10 s. Without one, new ones wait until others end, or
	// Postfix gives up (smtpd_policy_service_timeout): one of each listener,
	// and the others in the backlog. A warning is logged, twice a minute at
	// most. The bound ought to be less than the limit of file descriptors
	// (RLIMIT_NOFILE), by one for each listener and what the Handler needs of
	// them. 0: 2000.
	MaxConnections int
	// Memory bounds the unfinished requests of all connections; servers may
	// share one. nil: 8 MiB of its own.
	Memory *Memory

	engines engineKind
	count   counters
}

// service is a Server at work.
type service struct {
	handler                 Handler
	inquire                 Inquirer
	log                     *slog.Logger
	idle, unfinished, write time.Duration
	memory                  *Memory
	places                  chan struct{} // holds one for each connection
	seats                   seats         // of those that are served
	full                    seldom        // warning that none is left
	count                   *counters
	serving                 []engine
}

// service fills in the defaults.
func (s *Server) service() *service {
	return &service{
		handler:    s.Handler,
		inquire:    s.Inquire,
		log:        cmp.Or(s.Log, slog.New(slog.DiscardHandler)),
		idle:       cmp.Or(s.Idle, defaultIdle),
		unfinished: cmp.Or(s.Unfinished, defaultUnfinished),
		write:      cmp.Or(s.Write, defaultWrite),
		memory:     cmp.Or(s.Memory, NewMemory(defaultMemory)),
		places:     make(chan struct{}, cmp.Or(s.MaxConnections, defaultConnections)),
		seats:      newSeats(),
		count:      &s.count,
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
	work := s.service()
	own, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	work.serving = work.engines(own, &running, s.engines)
	for _, l := range listeners {
		running.Go(func() {
			stop(work.accept(own, l))
		})
	}
	<-own.Done()
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			work.log.Warn("closing a policy socket", "address", l.Addr().String(), "error", err)
		}
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(own)
}
