package postfix

import (
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"policyd-rdns/policy"
)

// wire is a connection that a loop serves.
type wire struct {
	fd   int
	peer string
	r    *Reader // nil: nothing has come of a next request
	rest []byte  // of a reply, that the peer has not taken
	err  error   // why it is to end

	fresh   bool // not known to the goroutine
	more    bool // there may be something to read
	all     bool // to be read until there is none, a short read not being the last
	dry     bool // the last read found none
	partial bool // a request has begun
	queued  bool // among later
	owed    bool // a reply that is due
	stuck   bool // epoll tells when the peer takes more

	until time.Time // what the peer does now must be done
	place atomic.Uint32
	seat  seat
}

// Where a wire is. Who has it may use it.
const (
	home   = iota // with its loop
	away          // with a goroutine that waits for the handler
	missed        // the same, and something has come meanwhile
)

// atHome reports whether the loop has the wire. If not, it will have it back for
// what has come now.
func (w *wire) atHome() bool {
	for {
		switch w.place.Load() {
		case home:
			return true
		case missed:
			return false
		}
		if w.place.CompareAndSwap(away, missed) {
			return false
		}
	}
}

// step serves a wire until it has to wait, or has had its turn.
func (l *loop) step(w *wire) {
	defer l.mishap(w)
	l.advance(w)
}

func (l *loop) advance(w *wire) {
	r := l.borrow(w)
	for n := 0; w.err == nil; {
		further := w.more || len(r.buf) > 0
		if w.owed && further {
			l.sendDue()
		}
		if w.err != nil || len(w.rest) > 0 && !l.flush(w) {
			break
		}
		if n == turn && further {
			l.queue(w)
			l.allow(w, l.idle)
			break
		}
		whole, err := r.take(l.req)
		switch {
		case err != nil:
			w.err = err
		case whole && l.ctx.Err() != nil:
			w.err = l.ctx.Err()
		case whole:
			n++
			w.partial = false
			if l.answer(w, r) {
				return
			}
		case w.more:
			w.fill(r)
		case len(r.buf) > 0 && !w.dry: // it has more to say, and a short read may end at a mark (MSG_OOB)
			w.more, w.all = true, true
		default:
			l.giveBack(w, r)
			l.allowNext(w)
			return
		}
	}
	l.giveBack(w, r)
	if w.err != nil {
		l.end(w)
	}
}

// borrow gives the Reader of a wire, which is the loop's if nothing has come yet of
// a request.
func (l *loop) borrow(w *wire) *Reader {
	if w.r != nil {
		return w.r
	}
	l.reader = Reader{memory: l.memory, buf: l.scratch[:0]}
	return &l.reader
}

// giveBack keeps what a Reader has of a next request.
func (l *loop) giveBack(w *wire, r *Reader) {
	switch {
	case len(r.buf) == 0:
		r.release()
		w.r = nil
	case r == &l.reader:
		own := *r
		if cap(own.buf) == smallBuffer {
			own.buf = append(make([]byte, 0, smallBuffer), own.buf...)
		}
		w.r, r.buf = &own, nil
	}
}

// answer has a request answered, and reports whether the wire is away for that.
func (l *loop) answer(w *wire, r *Reader) bool {
	reply, wait := l.service.answer(l.whole, l.req, w.peer)
	if wait == nil {
		l.replies = reply.Append(l.replies)
		l.due = append(l.due, due{w, len(l.replies)})
		if w.owed = true; len(l.due) >= l.together {
			l.sendDue()
		}
		return false
	}
	l.giveBack(w, r)
	req := l.req
	l.req = new(policy.Request)
	w.seat.stayBusy()
	w.place.Store(away)
	go func() {
		l.reply(w, wait, req)
		now := time.Now()
		w.until = now.Add(l.idle)
		w.seat.stay(l.seats.at(now))
		if w.err != nil || w.more || len(w.rest) > 0 || w.r != nil || !w.place.CompareAndSwap(away, home) {
			l.comeHome(w)
		} else if l.ctx.Err() != nil {
			l.wake()
		}
	}()
	return true
}

// reply waits for an answer and sends it.
func (l *loop) reply(w *wire, wait func() Reply, req *policy.Request) {
	defer func() {
		if p := recover(); p != nil {
			l.tellPanic(closedByPanic, p, "peer", w.peer)
			w.err = errPanic
		}
	}()
	w.send(l.await(wait, req, w.peer).Append(nil))
}

// due is a reply that is sent together with others, to peers of whom nothing further
// has come: who waits for several of them wakes up once, and who decides and who
// sends each stays in the processor's cache.
type due struct {
	wire *wire
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
		l.sendOne(d.wire, start, d.end)
		start = d.end
	}
	l.due, l.replies = l.due[:0], l.replies[:0]
}

// sendOne sends one of the replies, which begins and ends there.
func (l *loop) sendOne(w *wire, start, end int) {
	defer l.mishap(w)
	w.owed = false
	if w.fd < 0 {
		return // a panic has ended it
	}
	if w.send(l.replies[start:end]); w.err != nil || len(w.rest) > 0 {
		l.queue(w)
	}
}

// queue gives a wire its turn in the next round.
func (l *loop) queue(w *wire) {
	if !w.queued {
		w.queued = true
		l.later = append(l.later, w)
	}
}

// fill reads once.
func (w *wire) fill(r *Reader) {
	room, err := r.room()
	if err != nil {
		w.err = err
		return
	}
	n, err := readNow(w.fd, room)
	w.dry = err == syscall.EAGAIN
	switch {
	case w.dry:
		w.more, w.all = false, false
	case err == syscall.EINTR:
	case err != nil:
		w.err = os.NewSyscallError("read", err)
	case n == 0:
		w.err = r.ended(io.EOF)
	default:
		r.buf = r.buf[:len(r.buf)+n]
		w.more = w.all || n == len(room)
	}
}

// send sends a reply, as far as the peer takes it.
func (w *wire) send(reply []byte) {
	n, err := writeNow(w.fd, reply)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		n, err = 0, nil
	}
	if err != nil {
		w.err = os.NewSyscallError("write", err)
		return
	}
	if n < len(reply) {
		w.rest = append([]byte(nil), reply[n:]...)
	}
}

const (
	readable = syscall.EPOLLIN | syscall.EPOLLRDHUP
	writable = syscall.EPOLLOUT
)

// flush sends the rest of a reply, and reports whether the peer has taken all.
func (l *loop) flush(w *wire) bool {
	rest := w.rest
	w.rest = nil
	w.send(rest)
	if w.err != nil {
		return false
	}
	if len(w.rest) == 0 {
		if w.stuck {
			w.stuck = false
			w.err = l.watch(w.fd, syscall.EPOLL_CTL_MOD, readable)
			w.more, w.all = true, true
		}
		return w.err == nil
	}
	if !w.stuck {
		w.stuck = true
		w.err = l.watch(w.fd, syscall.EPOLL_CTL_MOD, readable|writable)
		l.allow(w, l.write)
	}
	return false
}

// end ends a wire for its err, once.
func (l *loop) end(w *wire) {
	if w.fd < 0 {
		return
	}
	if w.r != nil {
		w.r.release()
	}
	if w.fd < len(l.known) {
		l.known[w.fd] = nil
	}
	l.seats.remove(&w.seat)
	l.countEnd(w.err)
	_ = syscall.Close(w.fd)
	w.fd = -1
	l.running.Go(func() { // for to write a log may take its time
		defer func() {
			l.givePlace()
			l.wires.Add(-1)
			if l.ctx.Err() != nil {
				l.wake()
			}
		}()
		defer l.contain(w.peer)
		l.logEnd(w.peer, w.err)
	})
}
