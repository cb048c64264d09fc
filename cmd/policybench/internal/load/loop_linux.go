package load

import (
	"context"
	"errors"
	"net"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// loop is what a worker waits with: epoll(7), and in an open loop a timer.
type loop struct {
	epoll, timer int
	events       [256]unix.EpollEvent
	checked      int64   // when replies that do not come were last looked for
	broken       []int32 // peers without connection
	mendAt       int64   // when to try again to connect
}

// timerEvent is the number of the timer among the events; the others are those of
// peers.
const timerEvent = -1

// checkEvery is how often timeouts are looked for; and how soon a stop is seen.
const checkEvery = 100 * time.Millisecond

// grain is how far apart the generator wakes up at least in an open loop. What was
// due since then is sent together, up to this late, and that counts as latency: to
// wake up for each request takes more of a processor than most services, which
// share it.
const grain = 100 * time.Microsecond

// connectTime bounds the wait for a connection.
const connectTime = 5 * time.Second

// newWorker connects.
func newWorker(ctx context.Context, m *measurement, id int) (*worker, error) {
	w := m.worker(id)
	w.epoll, w.timer = -1, -1
	if err := w.open(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *worker) open(ctx context.Context) (err error) {
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	if err := w.await(w.timer, timerEvent); err != nil {
		return err
	}
	w.idle.ring = make([]int32, len(w.peers))
	for i := range w.peers {
		if err := w.connect(ctx, int32(i)); err != nil {
			return err
		}
		w.peers[i].idle = true
		w.idle.push(int32(i))
	}
	return nil
}

func (w *worker) await(fd int, number int32) error {
	return unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: number})
}

func (w *worker) close() {
	for i := range w.peers {
		w.disconnect(&w.peers[i])
	}
	_ = unix.Close(w.epoll) // both may never have been opened
	_ = unix.Close(w.timer)
}

// connect opens a connection, and takes it away from the runtime, which would
// wait for it as well.
func (w *worker) connect(ctx context.Context, i int32) error {
	d := net.Dialer{Timeout: connectTime}
	conn, err := d.DialContext(ctx, w.Network, w.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(theirs uintptr) { fd, dupErr = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, dupErr); err != nil {
		return err
	}
	w.peers[i].fd = fd
	return w.await(fd, i)
}

func (w *worker) disconnect(p *peer) {
	if p.fd >= 0 {
		_ = unix.Close(p.fd)
		p.fd = -1
	}
}

// run asks until all is over.
func (w *worker) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if w.Rate == 0 {
		for i := range w.peers {
			w.send(int32(i), w.now())
		}
	}
	for {
		now := w.now()
		over := w.over(now)
		w.watch(now, over)
		if over {
			return nil
		}
		w.mend(ctx, now)
		if err := w.sendDue(now); err != nil {
			return err
		}
		n, err := unix.EpollWait(w.epoll, w.events[:], int(checkEvery.Milliseconds()))
		if err != nil && err != unix.EINTR {
			return err
		}
		now = w.now()
		for _, e := range w.events[:max(n, 0)] {
			if e.Fd != timerEvent {
				w.receive(e.Fd, now)
			}
		}
		w.checkTimeouts(now)
	}
}

// sendDue sends what is due in an open loop, as far as connections are free, and
// sets the timer to what is due next.
func (w *worker) sendDue(now int64) error {
	if w.Rate == 0 {
		return nil
	}
	due := w.dueAt(w.issued)
	for ; due <= now && due < w.end && w.idle.size > 0 && !w.exhausted; due = w.dueAt(w.issued) {
		i := w.idle.pop()
		w.peers[i].idle = false
		if w.peers[i].fd >= 0 {
			w.send(i, due)
		}
	}
	if due >= w.end || w.idle.size == 0 || w.exhausted {
		return nil
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(grain), due-w.now()))}
	return unix.TimerfdSettime(w.timer, 0, &at, nil) // after which it is not readable until then
}

// send sends the next request over a connection.
func (w *worker) send(i int32, due int64) {
	if !w.next() {
		return
	}
	p := &w.peers[i]
	p.busy, p.due, p.sent, p.got = true, due, w.now(), 0
	w.underway++
	if !write(p.fd, w.request) {
		w.fail(i, failSend)
	}
}

// write writes all. Nothing else is on its way in this direction, so that there
// is room for it, or will be soon.
func write(fd int, b []byte) bool {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		switch err {
		case nil:
			b = b[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			room := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if n, err := unix.Poll(room, int(time.Second.Milliseconds())); n == 0 && err == nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// receive reads what has come, and sends the next request.
func (w *worker) receive(i int32, now int64) {
	p := &w.peers[i]
	if p.fd < 0 {
		return // given up while its event waited
	}
	n, err := unix.Read(p.fd, p.buf[p.got:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil || n == 0:
		w.fail(i, failClosed)
		return
	}
	p.got += n
	action, err := actionOf(p.buf[:p.got])
	if err != nil || !p.busy {
		w.fail(i, failReply)
		return
	}
	if action == nil {
		return
	}
	w.take(p, action, now)
	p.busy = false
	w.underway--
	w.free(i, now)
}

// free has a connection send the next request, or wait for its turn.
func (w *worker) free(i int32, now int64) {
	switch {
	case w.Rate == 0 && now < w.end:
		w.send(i, w.now())
	case w.Rate > 0 && !w.peers[i].idle:
		w.peers[i].idle = true
		w.idle.push(i)
	}
}

// fail counts what went wrong and ends the connection.
func (w *worker) fail(i int32, why failure) {
	w.errors[why]++
	p := &w.peers[i]
	w.disconnect(p)
	if p.busy {
		p.busy = false
		w.underway--
	}
	w.broken = append(w.broken, i)
}

// mend makes new connections for those that ended, as long as there is something
// to send. If that fails there is a pause.
func (w *worker) mend(ctx context.Context, now int64) {
	for len(w.broken) > 0 && now >= w.mendAt && (now < w.end || w.Rate > 0) {
		last := len(w.broken) - 1
		i := w.broken[last]
		if err := w.connect(ctx, i); err != nil {
			w.disconnect(&w.peers[i])
			w.errors[failConnect]++
			w.mendAt = now + int64(checkEvery)
			return
		}
		w.broken = w.broken[:last]
		w.free(i, now)
	}
}

// checkTimeouts gives up on replies that do not come.
func (w *worker) checkTimeouts(now int64) {
	if now-w.checked < int64(checkEvery) {
		return
	}
	w.checked = now
	for i := range w.peers {
		if p := &w.peers[i]; p.busy && now-p.sent > int64(w.Timeout) {
			w.fail(int32(i), failTimeout)
		}
	}
}
