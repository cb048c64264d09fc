package epoll

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// loop serves connections with one goroutine, for as long as nothing waits. It
// has an epoll instance of its own, which the runtime's poller watches: when
// nothing is left to do the goroutine waits like any other.
type loop struct {
	*Engine
	worker Worker
	epoll  *os.File
	fd     int          // of epoll
	pipe   [2]int       // wakes the goroutine: read end, write end
	conns  atomic.Int64 // that there are

	mu         sync.Mutex
	handed     []*conn // new, or handed back
	leaving    []*conn // asked to give way to others
	signalled  bool    // the goroutine was told
	finished   bool
	handedBack sync.Cond // of mu: something was handed

	// What follows is the goroutine's own.
	known    []*conn // by descriptor
	events   [128]syscall.EpollEvent
	later    []*conn // have had their turn
	now      time.Time
	alert    time.Time // when the first connection will have had its time; zero: none
	fault    error     // of epoll
	due      []due
	replies  []byte // that are due
	together int    // how many of them are sent
}

func newLoop(e *Engine) (*loop, error) {
	l := &loop{Engine: e, worker: e.server.Worker()}
	l.handedBack.L = &l.mu
	var err error
	if l.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if err = syscall.Pipe2(l.pipe[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		_ = syscall.Close(l.fd)
		return nil, fmt.Errorf("pipe2: %w", err)
	}
	// Or the runtime would not let the file be waited for.
	err = syscall.SetNonblock(l.fd, true)
	if err == nil {
		err = l.watch(l.pipe[0], syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
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

// finish closes all of the loop's own. Who signals after that does nothing: the
// descriptor may be another's by then.
func (l *loop) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	l.close()
}

func (l *loop) close() {
	_ = l.epoll.Close()
	_ = syscall.Close(l.pipe[0])
	_ = syscall.Close(l.pipe[1])
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

// signal has epoll wake the goroutine, and reports whether it has not been told before
// and does so for certain. l.mu is held.
func (l *loop) signal() (anew bool) {
	if l.signalled || l.finished {
		return false
	}
	_, err := syscall.Write(l.pipe[1], []byte{0})
	l.signalled = err == nil
	return l.signalled
}

// wake wakes the goroutine.
func (l *loop) wake() (anew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signal()
}

// begin gives a new connection to the goroutine, unless that has come to its end, or the
// kernel watches no more for the user (epoll(7), max_user_watches). What happens to
// the connection before the goroutine knows it is not lost: it looks for all there is then.
func (l *loop) begin(c *conn) bool {
	c.session = l.worker.Session(c.peer, func() { l.ask(c) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished || l.watch(c.fd, syscall.EPOLL_CTL_ADD, readable) != nil {
		return false
	}
	c.session.Begin() // before the goroutine may end it
	l.conns.Add(1)
	l.handed = append(l.handed, c)
	l.signal()
	return true
}

// handBack gives a connection back to the goroutine.
func (l *loop) handBack(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handed = append(l.handed, c)
	l.handedBack.Signal()
	l.signal()
}

// ask asks a connection to give way.
func (l *loop) ask(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.finished {
		l.leaving = append(l.leaving, c)
		l.signal()
	}
}

// run serves until the context is done and the last connection has ended.
func (l *loop) run() {
	stop := context.AfterFunc(l.ctx, func() { l.wake() })
	defer stop()
	defer l.finish()
	if err := l.cycle(); err != nil {
		l.abandon(err)
	}
}

// cycle is run but for its end. The error is that of epoll, or a panic that no
// connection can be blamed for.
func (l *loop) cycle() (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.server.Panicked("panic in serving policy connections", p)
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

// abandon ends the connections of a loop that cannot go on: Postfix connects anew, and
// then others serve it. It waits for those that wait for replies.
func (l *loop) abandon(err error) {
	l.drop(l)
	l.server.Failed(l.conns.Load(), err)
	l.mu.Lock()
	l.finished = true // nobody begins, asks or signals
	l.mu.Unlock()
	left := 0
	for _, c := range l.known {
		switch {
		case c == nil:
		case c.inLoop():
			c.err = err
			l.end(c)
		default:
			left++
		}
	}
	for {
		l.mu.Lock()
		for len(l.handed) == 0 && left > 0 {
			l.handedBack.Wait()
		}
		handed := l.handed
		l.handed = nil
		l.mu.Unlock()
		for _, c := range handed {
			if !c.fresh {
				left--
			}
			c.err = err
			l.end(c)
		}
		if left == 0 {
			return
		}
	}
}

// mishap is deferred, and ends the connection that a panic came over.
func (l *loop) mishap(c *conn) {
	if p := recover(); p != nil {
		l.server.Panicked(ClosedByPanic, p, "peer", c.peer.Name)
		c.err = errPanic
		l.end(c)
	}
}

// maxRound is how long the goroutine serves without waiting. The runtime looks at
// the network for others when a processor has nothing else to do, and else every
// 10 ms.
const maxRound = time.Millisecond

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
			l.event(&l.events[i])
		}
		for _, c := range later {
			c.queued = false
			if c.state.Load() == looped && c.fd >= 0 {
				l.step(c)
			}
		}
		l.sendDue()
		if l.ctx.Err() != nil && l.stop() {
			return true
		}
		// What is ready now epoll has told the runtime already: only what signals
		// anew brings the goroutine back.
		if l.now.Sub(begun) > maxRound && l.wake() {
			return false
		}
	}
}

// event takes an event.
func (l *loop) event(e *syscall.EpollEvent) {
	fd := int(e.Fd)
	if fd == l.pipe[0] {
		l.takeHanded()
		return
	}
	if fd >= len(l.known) {
		return // not met yet
	}
	c := l.known[fd]
	if c == nil || !c.inLoop() {
		return // the same, or ended in this round, or will be looked at when it comes looped
	}
	c.more = true
	c.all = c.all || e.Events&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0
	if !c.queued {
		l.step(c)
	}
}

// takeHanded takes the connections that were handed.
func (l *loop) takeHanded() {
	var bytes [16]byte
	_, _ = syscall.Read(l.pipe[0], bytes[:])
	l.mu.Lock()
	handed, leaving := l.handed, l.leaving
	l.handed, l.leaving, l.signalled = nil, nil, false
	l.mu.Unlock()
	for _, c := range handed {
		c.state.Store(looped)
		if c.fresh {
			c.fresh = false
			l.start(c)
		}
		c.more, c.all = true, true
		l.step(c)
	}
	for _, c := range leaving {
		l.giveWay(c)
	}
}

// giveWay ends a connection that was asked to give way, unless its peer has sent something since.
func (l *loop) giveWay(c *conn) {
	defer l.mishap(c)
	asked := func() bool { return c.session.Leaving() && c.state.Load() == looped && c.fd >= 0 }
	if asked() && pending(c.fd) {
		c.more, c.all = true, true
		l.step(c)
	}
	if asked() {
		c.err = l.config.ErrGaveWay
		l.end(c)
	}
}

// pending reports whether there may be something to read.
func pending(fd int) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err != syscall.EAGAIN
}

// start begins to serve a new connection.
func (l *loop) start(c *conn) {
	for len(l.known) <= c.fd {
		l.known = append(l.known, nil)
	}
	l.known[c.fd] = c
	l.allow(c, l.config.Idle)
}

// stop ends the connections whose peers wait for nothing, and reports whether it was the
// last.
func (l *loop) stop() bool {
	for _, c := range l.known {
		if c != nil && c.state.Load() == looped && len(c.rest) == 0 {
			c.err = l.ctx.Err()
			l.end(c)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = l.conns.Load() == 0
	return l.finished
}
