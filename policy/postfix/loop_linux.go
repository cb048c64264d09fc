package postfix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"policyd-rdns/policy"
)

// loops share the connections of a service among them, one for each processor. A
// goroutine for each connection would be simpler. But each has a stack, and where
// hundreds take turns no stack is in a processor's cache when its turn comes: with
// 2000 connections that was a third of what a request cost.
type loops struct {
	mu     sync.Mutex
	all    []*loop
	failed bool // one has: no more are made, and without any each connection has a goroutine
}

// adopt takes a connection over, if it is one of the system's.
func (ls *loops) adopt(ctx context.Context, s *service, running *sync.WaitGroup, c net.Conn) bool {
	fd, ok := duplicate(c)
	if !ok {
		return false
	}
	l := ls.idlest(ctx, s, running)
	if l == nil || !l.begin(&wire{fd: fd, peer: peer(c), fresh: true}) {
		_ = syscall.Close(fd)
		return false
	}
	_ = c.Close() // the descriptor that is left is the loop's
	return true
}

// duplicate gives a descriptor of the connection that the runtime's poller does not
// know of.
func duplicate(c net.Conn) (fd int, ok bool) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, false
	}
	outer := raw.Control(func(its uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(its)); err == nil {
			syscall.CloseOnExec(fd)
		}
	})
	return fd, outer == nil && err == nil
}

// idlest is the loop with the fewest connections; nil: there can be none.
func (ls *loops) idlest(ctx context.Context, s *service, running *sync.WaitGroup) *loop {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for !ls.failed && len(ls.all) < runtime.GOMAXPROCS(0) {
		l, err := newLoop(ctx, s, running)
		if err != nil {
			break // as many as there are
		}
		ls.all = append(ls.all, l)
		running.Go(l.run)
	}
	var least *loop
	for _, l := range ls.all {
		if least == nil || l.wires.Load() < least.wires.Load() {
			least = l
		}
	}
	return least
}

// drop gives up a loop that has failed.
func (ls *loops) drop(l *loop) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.failed = true
	ls.all = slices.DeleteFunc(ls.all, func(other *loop) bool { return other == l })
}

// loop serves connections with one goroutine, for as long as nothing waits. It
// has an epoll instance of its own, which the runtime's poller watches: when
// nothing is left to do the goroutine waits like any other.
type loop struct {
	*service
	running *sync.WaitGroup
	ctx     context.Context // done: stop
	whole   context.Context // the same, which never is
	epoll   *os.File
	fd      int          // of epoll
	alarm   [2]int       // a pipe: read end, write end
	wires   atomic.Int64 // that there are

	mu       sync.Mutex
	handed   []*wire // new, or come home
	leaving  []*wire // asked to give way to others
	rung     bool    // the alarm
	finished bool
	homeward sync.Cond // of mu: something was handed

	// What follows is the goroutine's own.
	known    []*wire // by descriptor
	events   [128]syscall.EpollEvent
	later    []*wire // have had their turn
	now      time.Time
	alert    time.Time // when the first wire will have had its time; zero: none
	fault    error     // of epoll
	req      *policy.Request
	due      []due
	replies  []byte // that are due
	together int    // how many of them are sent
	reader   Reader
	scratch  [smallBuffer]byte // of reader
}

func newLoop(ctx context.Context, s *service, running *sync.WaitGroup) (*loop, error) {
	l := &loop{service: s, running: running, ctx: ctx, whole: context.WithoutCancel(ctx), req: new(policy.Request)}
	l.homeward.L = &l.mu
	var err error
	if l.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if err = syscall.Pipe2(l.alarm[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		_ = syscall.Close(l.fd)
		return nil, fmt.Errorf("pipe2: %w", err)
	}
	// Or the runtime would not let the file be waited for.
	err = syscall.SetNonblock(l.fd, true)
	if err == nil {
		err = l.watch(l.alarm[0], syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
	}
	l.epoll = os.NewFile(uintptr(l.fd), "epoll")
	if err == nil {
		err = l.epoll.SetReadDeadline(time.Time{}) // if the runtime can wait for it
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// finish closes all of the loop's own. Who rings after that does nothing: the
// descriptor may be another's by then.
func (l *loop) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	l.close()
}

func (l *loop) close() {
	_ = l.epoll.Close()
	_ = syscall.Close(l.alarm[0])
	_ = syscall.Close(l.alarm[1])
}

// edge is that epoll tells of what has become ready, and not of what is.
const edge = 1 << 31 // EPOLLET

func (l *loop) watch(fd, op int, events uint32) error {
	err := syscall.EpollCtl(l.fd, op, fd, &syscall.EpollEvent{Events: events | edge, Fd: int32(fd)})
	if err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// ring has epoll wake the goroutine, and reports whether it has not been told before
// and does so for certain. l.mu is held.
func (l *loop) ring() (anew bool) {
	if l.rung || l.finished {
		return false
	}
	_, err := syscall.Write(l.alarm[1], []byte{0})
	l.rung = err == nil
	return l.rung
}

// wake wakes the goroutine.
func (l *loop) wake() (anew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ring()
}

// begin gives a new wire to the goroutine, unless that has come to its end, or the
// kernel watches no more for the user (epoll(7), max_user_watches). What happens to
// the wire before the goroutine knows it is not lost: it looks for all there is then.
func (l *loop) begin(w *wire) bool {
	w.seat.leave = func() { l.ask(w) }
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished || l.watch(w.fd, syscall.EPOLL_CTL_ADD, readable) != nil {
		return false
	}
	l.seats.add(&w.seat) // before the goroutine may remove it
	l.wires.Add(1)
	l.handed = append(l.handed, w)
	l.ring()
	return true
}

// comeHome gives a wire back to the goroutine.
func (l *loop) comeHome(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handed = append(l.handed, w)
	l.homeward.Signal()
	l.ring()
}

// ask asks a wire to give way.
func (l *loop) ask(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.finished {
		l.leaving = append(l.leaving, w)
		l.ring()
	}
}

// run serves until the context is done and the last wire has ended.
func (l *loop) run() {
	stop := context.AfterFunc(l.ctx, func() { l.wake() })
	defer stop()
	defer l.finish()
	if err := l.cycle(); err != nil {
		l.abandon(err)
	}
}

// cycle is run but for its end. The error is that of epoll, or a panic that no
// wire can be blamed for.
func (l *loop) cycle() (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.tellPanic("panic in serving policy connections", p)
			err = errPanic
		}
	}()
	wait, err := l.epoll.SyscallConn()
	for err == nil {
		err = wait.Read(l.rounds)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.now = time.Now()
			l.sweep()
			err = nil
		} else if err == nil {
			return l.fault
		}
	}
	return err
}

// errPanic is why a connection ends that a panic came over.
var errPanic = errors.New("panic")

// abandon ends the wires of a loop that cannot go on: Postfix connects anew, and
// then others serve it. It waits for those that are away.
func (l *loop) abandon(err error) {
	l.loops.drop(l)
	l.log.Error("policy connections are closed, and served without an event loop from now on", "connections", l.wires.Load(), "error", err)
	l.mu.Lock()
	l.finished = true // nobody begins, asks or rings
	l.mu.Unlock()
	left := 0
	for _, w := range l.known {
		switch {
		case w == nil:
		case w.atHome():
			w.err = err
			l.end(w)
		default:
			left++
		}
	}
	for {
		l.mu.Lock()
		for len(l.handed) == 0 && left > 0 {
			l.homeward.Wait()
		}
		handed := l.handed
		l.handed = nil
		l.mu.Unlock()
		for _, w := range handed {
			if !w.fresh {
				left--
			}
			w.err = err
			l.end(w)
		}
		if left == 0 {
			return
		}
	}
}

// mishap is deferred, and ends the wire that a panic came over.
func (l *loop) mishap(w *wire) {
	if p := recover(); p != nil {
		l.tellPanic(closedByPanic, p, "peer", w.peer)
		l.reader.release() // it may be the one of this wire
		w.err = errPanic
		l.end(w)
	}
}

// breath is how long the goroutine serves without waiting. The runtime looks at
// the network for others when a processor has nothing else to do, and else every
// 10 ms.
const breath = time.Millisecond

// rounds serves for as long as there is anything to do, and reports whether that
// was for ever, or epoll has failed. It is called again when epoll has something.
func (l *loop) rounds(uintptr) (end bool) {
	l.now = time.Now()
	for begun := l.now; ; l.now = time.Now() {
		n, err := l.ready()
		if err != nil {
			l.fault = err
			return true
		}
		later := l.later
		if n == 0 && len(later) == 0 {
			return false
		}
		l.later = nil
		if l.together = 1; n+len(later) >= crowd {
			l.together = maxDue
		}
		for i := range l.events[:n] {
			l.happened(&l.events[i])
		}
		for _, w := range later {
			w.queued = false
			if w.place.Load() == home && w.fd >= 0 {
				l.step(w)
			}
		}
		l.sendDue()
		if l.ctx.Err() != nil && l.stop() {
			return true
		}
		// What is ready now epoll has told the runtime already: only what rings
		// anew brings the goroutine back.
		if l.now.Sub(begun) > breath && l.wake() {
			return false
		}
	}
}

// happened takes an event.
func (l *loop) happened(e *syscall.EpollEvent) {
	fd := int(e.Fd)
	if fd == l.alarm[0] {
		l.takeHanded()
		return
	}
	if fd >= len(l.known) {
		return // not met yet
	}
	w := l.known[fd]
	if w == nil || !w.atHome() {
		return // the same, or ended in this round, or will be looked at when it comes home
	}
	w.more = true
	w.all = w.all || e.Events&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0
	if !w.queued {
		l.step(w)
	}
}

// takeHanded takes the wires that were handed.
func (l *loop) takeHanded() {
	var rings [16]byte
	_, _ = syscall.Read(l.alarm[0], rings[:])
	l.mu.Lock()
	handed, leaving := l.handed, l.leaving
	l.handed, l.leaving, l.rung = nil, nil, false
	l.mu.Unlock()
	for _, w := range handed {
		w.place.Store(home)
		if w.fresh {
			w.fresh = false
			l.meet(w)
		}
		w.more, w.all = true, true
		l.step(w)
	}
	for _, w := range leaving {
		l.giveWay(w)
	}
}

// giveWay ends a wire that was asked to give way, unless its peer has stirred since.
func (l *loop) giveWay(w *wire) {
	defer l.mishap(w)
	asked := func() bool { return w.seat.leaving() && w.place.Load() == home && w.fd >= 0 }
	if asked() && pending(w.fd) {
		w.more, w.all = true, true
		l.step(w)
	}
	if asked() {
		w.err = errGaveWay
		l.end(w)
	}
}

// pending reports whether there may be something to read.
func pending(fd int) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err != syscall.EAGAIN
}

// meet begins to serve a new wire.
func (l *loop) meet(w *wire) {
	for len(l.known) <= w.fd {
		l.known = append(l.known, nil)
	}
	l.known[w.fd] = w
	l.allow(w, l.idle)
}

// allowNext gives a peer its time for a request, or for the rest of one.
func (l *loop) allowNext(w *wire) {
	switch {
	case w.r == nil:
		w.partial = false
		l.allow(w, l.idle)
	case !w.partial:
		w.partial = true
		l.allow(w, l.unfinished)
	}
}

// allow gives a peer time from now on.
func (l *loop) allow(w *wire, span time.Duration) {
	w.until = l.now.Add(span)
	w.seat.stay(l.seats.at(l.now))
	if l.alert.IsZero() || w.until.Before(l.alert) {
		l.awake(w.until)
	}
}

// awake has the wires swept at a time.
func (l *loop) awake(at time.Time) {
	l.alert = at
	_ = l.epoll.SetReadDeadline(at) // fails only if closed
}

// sweep ends the wires that have had their time, and finds out when to do so next.
func (l *loop) sweep() {
	var next time.Time
	for _, w := range l.known {
		if w == nil {
			continue
		}
		until := l.now.Add(l.idle) // at the earliest, if it comes home now
		if w.place.Load() == home {
			if !w.until.After(l.now) {
				l.expire(w)
				continue
			}
			until = w.until
		}
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	if soonest := l.now.Add(min(l.idle, l.unfinished, l.service.write) / slack); !next.IsZero() && next.Before(soonest) {
		next = soonest
	}
	l.awake(next)
}

// expire ends a wire that has had its time.
func (l *loop) expire(w *wire) {
	defer l.mishap(w)
	w.err = l.overdue(w)
	l.end(w)
}

func (l *loop) overdue(w *wire) error {
	if w.partial && len(w.rest) == 0 {
		return fmt.Errorf("%w: not whole after %v", ErrRequest, l.unfinished)
	}
	return os.ErrDeadlineExceeded
}

// stop ends the wires whose peers wait for nothing, and reports whether it was the
// last.
func (l *loop) stop() bool {
	for _, w := range l.known {
		if w != nil && w.place.Load() == home && len(w.rest) == 0 {
			w.err = l.ctx.Err()
			l.end(w)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = l.wires.Load() == 0
	return l.finished
}
