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

// accept starts the connections of one listener until that is closed. A place
// is taken before a connection is accepted: what has none waits in the
// backlog, and costs us nothing.
func (s *service) accept(ctx context.Context, running *sync.WaitGroup, l net.Listener) error {
	failed := &seldom{}
	for {
		if err := s.takePlace(ctx); err != nil {
			return err
		}
		c, err := s.acceptOne(ctx, l, failed)
		if err != nil {
			return err
		}
		s.count.accepted.Add(1)
		s.count.open.Add(1)
		if s.loops.adopt(ctx, s, running, c) {
			continue
		}
		running.Go(func() {
			s.serve(ctx, c)
			s.givePlace()
		})
	}
}

// givePlace gives back the place of a connection that has ended.
func (s *service) givePlace() {
	s.count.open.Add(-1)
	<-s.places
}

// takePlace waits until there may be one connection more.
func (s *service) takePlace(ctx context.Context) error {
	select {
	case s.places <- struct{}{}:
		return nil
	default:
	}
	s.count.full.Add(1)
	if s.full.due() {
		s.log.Warn("as many policy connections as allowed, new ones wait", "max_connections", cap(s.places))
	}
	select {
	case s.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
