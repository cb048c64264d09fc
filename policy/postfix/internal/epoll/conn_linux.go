package epoll

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is a connection that a loop serves.
type conn struct {
	fd   int
	peer Peer
	rest []byte // of a reply, that the peer has not taken
	err  error  // why it is to end

	fresh   bool // not known to the goroutine
	more    bool // there may be something to read
	all     bool // to be read until there is none, a short read not being the last
	dry     bool // the last read found none
	partial bool // a request has begun
	queued  bool // among later
	owed    bool // a reply that is due
	stuck   bool // epoll tells when the peer takes more

	until   time.Time // what the peer does now must be done
	state   atomic.Uint32
	session Session
}

// Where a connection is. Who has it may use it.
const (
	looped  = iota // with its loop
	waiting        // with a goroutine that waits for the handler
	missed         // the same, and something has come meanwhile
)

// inLoop reports whether the loop has the connection. If not, it will have it back for
// what has come now.
func (c *conn) inLoop() bool {
	for {
		switch c.state.Load() {
		case looped:
			return true
		case missed:
			return false
		}
		if c.state.CompareAndSwap(waiting, missed) {
			return false
		}
	}
}

// step serves a connection until it has to wait, or has had its turn.
func (l *loop) step(c *conn) {
	defer l.mishap(c)
	l.advance(c)
}

func (l *loop) advance(c *conn) {
	s := c.session
	s.Resume()
	for n := 0; c.err == nil; {
		further := c.more || s.Unread()
		if c.owed && further {
			l.sendDue()
		}
		if c.err != nil || len(c.rest) > 0 && !l.flush(c) {
			break
		}
		if n == l.config.Turn && further {
			l.queue(c)
			l.allow(c, l.config.Idle)
			break
		}
		replies, wait, whole, err := s.Next(l.replies)
		switch {
		case err != nil:
			c.err = err
		case whole:
			n++
			c.partial = false
			if wait != nil {
				l.send(c, wait)
				return
			}
			l.replies = replies
			l.owe(c)
		case c.more:
			c.fill()
		case s.Unread() && !c.dry: // it has more to say, and a short read may end at a mark (MSG_OOB)
			c.more, c.all = true, true
		default:
			l.allowNext(c, s.Park())
			return
		}
	}
	s.Park()
	if c.err != nil {
		l.end(c)
	}
}

// owe has the last of the replies sent that are due.
func (l *loop) owe(c *conn) {
	l.due = append(l.due, due{c, len(l.replies)})
	if c.owed = true; len(l.due) >= l.together {
		l.sendDue()
	}
}

// send has a goroutine wait for a reply and send it. The loop leaves the connection to it meanwhile.
func (l *loop) send(c *conn, wait func() []byte) {
	partial := c.session.Park()
	c.session.Busy()
	c.state.Store(waiting)
	go func() {
		l.reply(c, wait)
		now := time.Now()
		c.until = now.Add(l.config.Idle)
		c.session.Idle(now)
		if c.err != nil || c.more || len(c.rest) > 0 || partial || !c.state.CompareAndSwap(waiting, looped) {
			l.handBack(c)
		} else if l.ctx.Err() != nil {
			l.wake()
		}
	}()
}

// reply waits for an answer and sends it.
func (l *loop) reply(c *conn, wait func() []byte) {
	defer func() {
		if p := recover(); p != nil {
			l.server.Panicked(ClosedByPanic, p, "peer", c.peer.Name)
			c.err = errPanic
		}
	}()
	c.send(wait())
}

// due is a reply that is sent together with others, to peers of whom nothing further
// has come: who waits for several of them wakes up once, and who decides and who
// sends each stays in the processor's cache.
type due struct {
	conn *conn
	end  int // in loop.replies
}

// maxDue is how many replies are sent together, at most, and crowd how many peers have
// to have said something for that: the first waits for as long as it takes to decide
// about the others, some 0.1 ms, and where there are few it need not.
const (
	maxDue = 16
	crowd  = 8
)

// sendDue sends the replies that are due.
func (l *loop) sendDue() {
	start := 0
	for _, d := range l.due {
		l.sendOne(d.conn, start, d.end)
		start = d.end
	}
	l.due, l.replies = l.due[:0], l.replies[:0]
}

// sendOne sends one of the replies, which begins and ends there.
func (l *loop) sendOne(c *conn, start, end int) {
	defer l.mishap(c)
	c.owed = false
	if c.fd < 0 {
		return // a panic has ended it
	}
	if c.send(l.replies[start:end]); c.err != nil || len(c.rest) > 0 {
		l.queue(c)
	}
}

// queue gives a connection its turn in the next round.
func (l *loop) queue(c *conn) {
	if !c.queued {
		c.queued = true
		l.later = append(l.later, c)
	}
}

// fill reads once.
func (c *conn) fill() {
	room, err := c.session.Room()
	if err != nil {
		c.err = err
		return
	}
	n, err := readNow(c.fd, room)
	c.dry = err == syscall.EAGAIN
	switch {
	case c.dry:
		c.more, c.all = false, false
	case err == syscall.EINTR:
	case err != nil:
		c.err = os.NewSyscallError("read", err)
	case n == 0:
		c.err = c.session.EOF()
	default:
		c.session.Came(n)
		c.more = c.all || n == len(room)
	}
}

// send sends a reply, as far as the peer takes it.
func (c *conn) send(reply []byte) {
	n, err := writeNow(c.fd, reply)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		n, err = 0, nil
	}
	if err != nil {
		c.err = os.NewSyscallError("write", err)
		return
	}
	if n < len(reply) {
		c.rest = append([]byte(nil), reply[n:]...)
	}
}

const (
	readable = syscall.EPOLLIN | syscall.EPOLLRDHUP
	writable = syscall.EPOLLOUT
)

// flush sends the rest of a reply, and reports whether the peer has taken all.
func (l *loop) flush(c *conn) bool {
	rest := c.rest
	c.rest = nil
	c.send(rest)
	if c.err != nil {
		return false
	}
	if len(c.rest) == 0 {
		if c.stuck {
			c.stuck = false
			c.err = l.watch(c.fd, syscall.EPOLL_CTL_MOD, readable)
			c.more, c.all = true, true
		}
		return c.err == nil
	}
	if !c.stuck {
		c.stuck = true
		c.err = l.watch(c.fd, syscall.EPOLL_CTL_MOD, readable|writable)
		l.allow(c, l.config.Write)
	}
	return false
}

// end ends a connection for its err, once.
func (l *loop) end(c *conn) {
	if c.fd < 0 {
		return
	}
	if c.fd < len(l.known) {
		l.known[c.fd] = nil
	}
	c.session.End(c.err)
	_ = syscall.Close(c.fd)
	c.fd = -1
	l.running.Go(func() { // for to write a log may take its time
		defer func() {
			l.conns.Add(-1)
			if l.ctx.Err() != nil {
				l.wake()
			}
		}()
		c.session.Gone(c.err)
	})
}
