package postfix

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Where there are as many connections as allowed and one more comes, the one
// that has been idle longest gives way, if that is restful. Whoever may connect
// at all could else keep Postfix out with connections that do nothing. Postfix
// loses nothing: that a connection was closed it sees before it sends the next
// request, and connects anew.
//
// A connection is idle while it owes us a request: since it was accepted, since
// its last reply, or since the first byte of a request that is not whole yet.
// Postfix sends a request at once, so that one byte every few seconds is no work.
const (
	restful = 10 * time.Second
	// askAgain is how long one that is asked to give way is waited for before
	// another is: it may have got a request at the last moment.
	askAgain = time.Second
)

// errGaveWay is the error of a connection that gave way to another.
var errGaveWay = errors.New("idle, and gave way to another connection")

// seat is the place of one connection. Who serves it says what the connection
// does; any goroutine may ask it to leave.
type seat struct {
	state atomic.Int64 // idle since, on the clock of seats; or one of those below
	leave func()       // has who serves the connection look at state
}

// States of a seat whose connection is not idle.
const (
	seatBusy    = -1 // a request is being judged
	seatLeaving = -2 // the connection is asked to give way
)

// idle sets that the peer owes a request from now on, and busy that it does not.
// They report false if the connection was asked to leave before.
func (s *seat) idle(now time.Duration) bool { return s.set(int64(now)) }
func (s *seat) busy() bool                  { return s.set(seatBusy) }

func (s *seat) set(state int64) bool {
	old := s.state.Load()
	return old != seatLeaving && s.state.CompareAndSwap(old, state)
}

// stay and stayBusy are the same for a loop, which knows whether the peer has
// stirred: then the connection stays, though it may have been asked to leave.
func (s *seat) stay(now time.Duration) { s.state.Store(int64(now)) }
func (s *seat) stayBusy()              { s.state.Store(seatBusy) }

func (s *seat) leaving() bool { return s.state.Load() == seatLeaving }

// seats are those of all connections.
type seats struct {
	begun time.Time // the clock's zero

	mu  sync.Mutex
	all map[*seat]struct{}
}

func newSeats() seats {
	return seats{begun: time.Now(), all: make(map[*seat]struct{})}
}

// at is a time on the clock of the seats, never negative.
func (s *seats) at(t time.Time) time.Duration { return max(0, t.Sub(s.begun)) }

// add takes a seat, which is idle from now on. leave must be set.
func (s *seats) add(one *seat) {
	one.stay(s.at(time.Now()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[one] = struct{}{}
}

func (s *seats) remove(one *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, one)
}

// makeRoom asks the connection that has been idle longest to leave, if that is
// restful, and says when to look again.
func (s *seats) makeRoom() (again time.Duration) {
	now := s.at(time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	var longest *seat
	var since int64
	for one := range s.all {
		if state := one.state.Load(); state >= 0 && (longest == nil || state < since) {
			longest, since = one, state
		}
	}
	if longest == nil {
		return restful // all are busy, and none will have been idle sooner
	}
	if rested := now - time.Duration(since); rested < restful {
		return restful - rested
	}
	if longest.state.CompareAndSwap(since, seatLeaving) {
		longest.leave()
	}
	return askAgain
}
