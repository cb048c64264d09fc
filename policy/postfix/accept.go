package postfix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Bounds of the pause after a connection could not be accepted.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// accept starts the connections of one listener until that is closed. One that
// finds no place waits, and those behind it wait in the backlog, where they cost
// us nothing.
func (s *service) accept(ctx context.Context, l net.Listener) error {
	failed := &seldom{}
	for {
		c, err := s.acceptOne(ctx, l, failed)
		if err != nil {
			return err
		}
		if err := s.takePlace(ctx); err != nil {
			_ = c.Close() // nothing was promised to it
			return err
		}
		s.count.accepted.Add(1)
		s.count.open.Add(1)
		for _, e := range s.serving {
			if s.taken(e, c) {
				break
			}
		}
	}
}

// taken reports whether an engine serves a connection.
func (s *service) taken(e engine, c net.Conn) (ok bool) {
	defer s.contain("unknown")
	return e.Serve(c)
}

// givePlace gives back the place of a connection that has ended.
func (s *service) givePlace() {
	s.count.open.Add(-1)
	<-s.places
}

// takePlace waits until there may be one connection more, and has others give
// way for it.
func (s *service) takePlace(ctx context.Context) error {
	select {
	case s.places <- struct{}{}:
		return nil
	default:
	}
	s.count.full.Add(1)
	if s.full.due() {
		s.log.Warn("as many policy connections as allowed: for a new one the longest idle gives way, or it waits", "max_connections", cap(s.places))
	}
	for {
		again := time.NewTimer(s.seats.makeRoom())
		select {
		case s.places <- struct{}{}:
			again.Stop()
			return nil
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		case <-again.C:
		}
	}
}

// acceptOne tries until it has a connection. Errors pass, but for that of a
// closed listener: they are shortage of file descriptors or memory, or a peer
// that has gone already. No descriptor is kept in reserve to turn peers away
// with: in the backlog they may yet be in time, and Postfix pays for a
// connection closed with a second of waiting.
func (s *service) acceptOne(ctx context.Context, l net.Listener, failed *seldom) (net.Conn, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		c, err := l.Accept()
		if err == nil {
			return c, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, fmt.Errorf("accepting on %s: %w", l.Addr(), err)
		}
		s.count.acceptFailures.Add(1)
		if failed.due() {
			s.log.Warn("cannot accept policy connections, trying on", "address", l.Addr().String(), "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// warnTime is how often at most the log says the same of accepting.
const warnTime = 30 * time.Second

// seldom is something that is said from time to time only.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

// due reports whether to say it now.
func (s *seldom) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.last) < warnTime {
		return false
	}
	s.last = time.Now()
	return true
}
