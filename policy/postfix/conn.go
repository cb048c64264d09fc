package postfix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix/internal/epoll"
)

// serve answers one connection until either side has had enough of it.
func (s *service) serve(ctx context.Context, c net.Conn) {
	defer s.contain("unknown") // one that has no name to tell
	defer c.Close()
	who := peer(c)
	defer s.contain(who.Name)
	wake := func() {
		_ = c.SetReadDeadline(time.Unix(1, 0)) // fails only if c is closed: nobody to wake
	}
	place := &seat{leave: wake}
	s.seats.add(place)
	defer s.seats.remove(place)
	defer context.AfterFunc(ctx, wake)()
	r := NewReader(c, s.memory)
	r.inquiries = s.inquire != nil
	defer r.release()

	err := s.converse(ctx, c, r, place, who)
	s.countEnd(err)
	s.logEnd(who.Name, err)
}

// countEnd counts a connection that ends for err, and is called before it is closed:
// who has seen its end finds it counted.
func (s *service) countEnd(err error) {
	switch {
	case errors.Is(err, ErrRequest):
		s.count.badRequests.Add(1)
	case err == errGaveWay:
		s.count.gaveWay.Add(1)
	}
}

// logEnd tells why a connection ended.
func (s *service) logEnd(peer string, err error) {
	if errors.Is(err, ErrRequest) {
		s.log.Warn("policy connection closed", "peer", peer, "error", err)
		return
	}
	s.log.Debug("policy connection ended", "peer", peer, "error", err)
}

// turn is how many requests of one connection are answered before the others
// have their turn. A peer that sends without waiting for answers never makes
// the server wait, and would keep a processor for 10 ms at a time; with 200 of
// them a well-behaved client waited for a second. Where all are busy, the next
// request has come by the time that it is one's turn again, which spares looking
// for it in vain; after every single one, those that wait for the network would
// be forgotten for the 10 ms.
const turn = 2

// converse answers request after request. Its error is never nil.
func (s *service) converse(ctx context.Context, c net.Conn, r *Reader, place *seat, peer epoll.Peer) error {
	var reply []byte
	reading, writing := allowance{set: c.SetReadDeadline}, allowance{set: c.SetWriteDeadline}
	// A stop must not cut short what has begun.
	whole := context.WithoutCancel(ctx)
	var req policy.Request // of one after the other
	now := time.Now()
	for n := 1; ; n++ {
		if err := s.next(ctx, &reading, place, now, r, &req); err != nil {
			if place.leaving() {
				err = errGaveWay
			}
			return err
		}
		reply = s.reply(whole, reply[:0], r, &req, peer)
		now = time.Now()
		if err := writing.give(now, s.write); err != nil {
			return err
		}
		if _, err := c.Write(reply); err != nil {
			return err
		}
		if n%turn == 0 {
			runtime.Gosched()
		}
	}
}

// reply appends the reply to what was read.
func (s *service) reply(ctx context.Context, dst []byte, r *Reader, req *policy.Request, peer epoll.Peer) []byte {
	if r.asked {
		q := r.inquiry(peer)
		return s.inform(ctx, dst, &q, peer.Name)
	}
	answer, wait := s.answer(ctx, req, peer.Name)
	if wait != nil {
		answer = s.await(wait, req, peer.Name)
	}
	return answer.Append(dst)
}

// next waits for a request and reads it. What arrives whole, as nearly all do,
// needs no deadline for its rest. The order counts: a stop puts the deadline into
// the past, and what undid that would not see that ctx is done.
func (s *service) next(ctx context.Context, reading *allowance, place *seat, now time.Time, r *Reader, req *policy.Request) error {
	place.idle(s.seats.at(now))
	if err := reading.give(now, s.idle); err != nil {
		return err
	}
	if err := ended(ctx, place); err != nil {
		return err
	}
	if err := r.await(); err != nil {
		return err
	}
	if !r.whole() {
		now = time.Now()
		place.idle(s.seats.at(now))
		if err := reading.renew(now, s.unfinished); err != nil {
			return err
		}
		if err := ended(ctx, place); err != nil {
			return err
		}
	}
	err := r.ReadRequest(req)
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("%w: not whole after %v", ErrRequest, s.unfinished)
	}
	if err == nil && !place.busy() {
		err = errGaveWay // asked as the request came: Postfix sends it again
	}
	return err
}

// ended is why a connection is to read no more: a stop, or others that wait.
func ended(ctx context.Context, place *seat) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if place.leaving() {
		return errGaveWay
	}
	return nil
}

// allowance is the time that one direction of a connection has.
type allowance struct {
	set  func(deadline time.Time) error // of the connection
	span time.Duration                  // as last given
	from time.Time
}

// slack is the part of its time, one in so many, that a peer may have less: to
// move a deadline takes a lock and a timer, which at each request would be a
// twentieth of its whole cost.
const slack = 16

// give allows a span from now on, or a little less.
func (a *allowance) give(now time.Time, span time.Duration) error {
	if a.span == span && now.Sub(a.from) < span/slack {
		return nil
	}
	return a.renew(now, span)
}

// renew allows a span from now on.
func (a *allowance) renew(now time.Time, span time.Duration) error {
	a.span, a.from = span, now
	return a.set(now.Add(span))
}

// answer calls the handler.
func (s *service) answer(ctx context.Context, req *policy.Request, peer string) (reply Reply, wait func() Reply) {
	s.count.requests.Add(1)
	defer s.rescue(&reply, req, peer)
	return s.handler(ctx, req)
}

// await calls what the handler waits with.
func (s *service) await(wait func() Reply, req *policy.Request, peer string) (reply Reply) {
	defer s.rescue(&reply, req, peer)
	return wait()
}

// rescue is deferred, and answers for a handler that panics: one request is
// not to end the daemon, nor its own connection. What is logged of it is
// bounded, in characters: of the panic 1000, of each text of the request 200,
// of the stack 100 frames (by the runtime).
func (s *service) rescue(reply *Reply, req *policy.Request, peer string) {
	if p := recover(); p != nil {
		*reply = Reply{}
		s.tellPanic("panic in handling a policy request, answered "+noAction, p, "peer", peer, "request", fmt.Sprintf("%+.200v", *req))
	}
}

// contain is deferred, and keeps a panic in serving a connection to that one: it
// is closed, and Postfix connects anew.
func (s *service) contain(peer string) {
	if p := recover(); p != nil {
		s.tellPanic(epoll.ClosedByPanic, p, "peer", peer)
	}
}

// tellPanic counts and logs a panic. If even that panics, it is enough.
func (s *service) tellPanic(what string, p any, more ...any) {
	defer func() { _ = recover() }()
	s.count.panics.Add(1)
	s.log.Error(what, append(more, "panic", fmt.Sprintf("%.1000s", fmt.Sprint(p)), "stack", string(debug.Stack()))...)
}

// peer says who is at the other end. Clients of unix sockets have no address.
func peer(c net.Conn) epoll.Peer {
	addr := c.RemoteAddr()
	switch {
	case addr == nil:
		return epoll.Peer{Name: "unknown", Kind: uint8(Stranger)}
	case strings.HasPrefix(addr.Network(), "unix"):
		if isOwner(c) {
			return epoll.Peer{Name: "unix", Kind: uint8(Owner)}
		}
		return epoll.Peer{Name: "unix", Kind: uint8(Stranger)}
	case strings.HasPrefix(addr.Network(), "tcp"):
		return epoll.Peer{Name: addr.String(), Kind: uint8(Network)}
	}
	return epoll.Peer{Name: addr.String(), Kind: uint8(Stranger)}
}
