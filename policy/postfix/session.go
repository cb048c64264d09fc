package postfix

import (
	"context"
	"io"
	"net"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix/internal/epoll"
)

// looped is a service to the event loops that serve its connections.
type looped struct {
	*service
	ctx context.Context // done: stop
}

// Worker makes what the connections of one loop share.
func (l looped) Worker() epoll.Worker {
	return &worker{service: l.service, ctx: l.ctx, whole: context.WithoutCancel(l.ctx), req: new(policy.Request)}
}

// Peer says who is at the other end.
func (l looped) Peer(c net.Conn) epoll.Peer { return peer(c) }

// Panicked counts and logs a panic.
func (l looped) Panicked(what string, p any, more ...any) { l.tellPanic(what, p, more...) }

// Failed logs that a loop cannot go on: Postfix connects anew, and then others serve it.
func (l looped) Failed(connections int64, err error) {
	l.log.Error("policy connections are closed, and served without an event loop from now on", "connections", connections, "error", err)
}

// worker is what the sessions of one loop share, of which one at a time is resumed.
type worker struct {
	*service
	ctx     context.Context // done: stop
	whole   context.Context // the same, which never is
	req     *policy.Request
	reader  Reader
	scratch [smallBuffer]byte // of reader
}

// Session makes that of a connection.
func (w *worker) Session(peer epoll.Peer, leave func()) epoll.Session {
	return &session{worker: w, peer: peer, seat: seat{leave: leave}}
}

// session is a connection that a loop serves.
type session struct {
	*worker
	peer epoll.Peer
	seat seat
	own  *Reader // nil: nothing has come of a next request
	r    *Reader // own, or else the worker's; nil: the session is parked
}

func (s *session) Begin() { s.seats.add(&s.seat) }

// Resume gives the session a Reader, which is the worker's if nothing has come yet of a
// request.
func (s *session) Resume() {
	if s.r = s.own; s.r == nil {
		s.worker.reader = Reader{memory: s.memory, buf: s.scratch[:0], inquiries: s.inquire != nil}
		s.r = &s.worker.reader
	}
}

// Park keeps what the Reader has of a next request.
func (s *session) Park() (partial bool) {
	r := s.r
	s.r = nil
	switch {
	case r == nil: // it has ended
	case len(r.buf) == 0:
		r.release()
		s.own = nil
	case r == &s.worker.reader:
		own := *r
		if cap(own.buf) == smallBuffer {
			own.buf = append(make([]byte, 0, smallBuffer), own.buf...)
		}
		s.own, r.buf = &own, nil
	}
	return s.own != nil
}

func (s *session) Unread() bool          { return len(s.r.buf) > 0 }
func (s *session) Room() ([]byte, error) { return s.r.room() }
func (s *session) Came(n int)            { s.r.buf = s.r.buf[:len(s.r.buf)+n] }
func (s *session) EOF() error            { return s.r.ended(io.EOF) }

func (s *session) Next(dst []byte) (replies []byte, wait func() []byte, whole bool, err error) {
	switch whole, err = s.r.take(s.req); {
	case err != nil || !whole:
		return dst, nil, false, err
	case s.ctx.Err() != nil:
		return dst, nil, false, s.ctx.Err()
	}
	if s.r.asked {
		q := s.r.inquiry(s.peer)
		return dst, func() []byte { return s.inform(s.whole, nil, &q, s.peer.Name) }, true, nil
	}
	reply, pending := s.answer(s.whole, s.req, s.peer.Name)
	if pending == nil {
		return reply.Append(dst), nil, true, nil
	}
	req := s.req
	s.req = new(policy.Request)
	return dst, func() []byte { return s.await(pending, req, s.peer.Name).Append(nil) }, true, nil
}

func (s *session) Idle(now time.Time) { s.seat.stay(s.seats.at(now)) }
func (s *session) Busy()              { s.seat.stayBusy() }
func (s *session) Leaving() bool      { return s.seat.leaving() }

func (s *session) End(err error) {
	for _, r := range []*Reader{s.own, s.r} {
		if r != nil {
			r.release() // of what has been released nothing is left
		}
	}
	s.own, s.r = nil, nil
	s.seats.remove(&s.seat)
	s.countEnd(err)
}

func (s *session) Gone(err error) {
	defer s.givePlace()
	defer s.contain(s.peer.Name)
	s.logEnd(s.peer.Name, err)
}
