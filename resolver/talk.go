package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// talk is one question on its way over one connection.
type talk struct {
	r    *Resolver
	l    *leash
	conn net.Conn
	to   message
	ask  query
	end  time.Time
	// keep, if not nil, is handed the packet of the reply, to be read before it
	// returns.
	keep func(packet []byte)

	doubt doubt
}

// converse writes the question and reads until its reply comes. Everything else
// may have been sent by anyone, so it is passed over; what it was is told if
// the reply never comes.
func (t *talk) converse() (*reply, error) {
	if err := t.put(t.conn); err != nil {
		return nil, err
	}
	var strange *strangeError
	buf := datagrams.Get().(*[datagramSize]byte)
	defer datagrams.Put(buf)
	for {
		reply, err := t.read(buf[:])
		switch {
		case err == nil || errors.Is(err, errCase):
			return reply, err
		case errors.As(err, &strange): // go on
		case t.disbelieves(err): // go on
		case strange != nil:
			return nil, fmt.Errorf("%w: %w", strange, t.doubt.tell(err))
		default:
			return nil, t.doubt.tell(err)
		}
	}
}

// put writes the question. What a datagram is refused with at first may be news of
// an older one, and not have been sent.
func (t *talk) put(conn net.Conn) error {
	if t.stream() {
		wire := binary.BigEndian.AppendUint16(nil, uint16(len(t.ask.wire)))
		_, err := conn.Write(append(wire, t.ask.wire...))
		return err
	}
	const tries = 3
	var err error
	for range tries {
		if _, err = conn.Write(t.ask.wire); !isHearsay(err) {
			break
		}
	}
	return err
}

func (t *talk) stream() bool { return t.to.network == "tcp" }

// datagrams are buffers. What is read from a message is copied out of it.
var datagrams = sync.Pool{New: func() any { return new([datagramSize]byte) }}

// read reads one message. A stream has a length before each, of two bytes and so
// at most 64 KiB; RFC 1035 section 4.2.2.
func (t *talk) read(buf []byte) (*reply, error) {
	if !t.stream() {
		n, err := t.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		return t.parse(buf[:n])
	}
	if _, err := io.ReadFull(t.conn, buf[:2]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(buf))
	if size <= len(buf) {
		if _, err := io.ReadFull(t.conn, buf[:size]); err != nil {
			return nil, err
		}
		return t.parse(buf[:size])
	}
	return t.large(buf, size)
}

// large reads a message that is larger than buf. There is room for few of them at
// a time, and that is taken when the first part is there.
func (t *talk) large(buf []byte, size int) (*reply, error) {
	if _, err := io.ReadFull(t.conn, buf); err != nil {
		return nil, err
	}
	packet, err := t.r.large.take(t.l, t.end)
	if err != nil {
		return nil, err
	}
	defer t.r.large.give(packet)
	if !t.l.tie(func() { t.conn.SetDeadline(time.Unix(1, 0)) }) {
		return nil, t.l.err()
	}
	packet = packet[:copy(packet[:size], buf)]
	if _, err := io.ReadFull(t.conn, packet[len(packet):size]); err != nil {
		return nil, err
	}
	return t.parse(packet[:size])
}

func (t *talk) parse(packet []byte) (*reply, error) {
	reply, err := parse(packet, t.ask)
	if err == nil && t.keep != nil {
		t.keep(packet)
	}
	return reply, err
}

// maxLarge bounds the messages above datagramSize that are held at a time, of 64
// KiB each. Who owns a zone chooses how many answers are that large; they are read
// in less than a millisecond.
const maxLarge = 16

// buffers is where large messages are held: it has maxLarge buffers, nil until they are
// needed.
type buffers chan []byte

func newBuffers() buffers {
	r := make(buffers, maxLarge)
	for range maxLarge {
		r <- nil
	}
	return r
}

// take takes a buffer of maxMessage, when there is one.
func (r buffers) take(l *leash, end time.Time) ([]byte, error) {
	select {
	case buf := <-r:
		return buffer(buf), nil
	default:
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if !l.tie(cancel) {
		return nil, l.err()
	}
	select {
	case buf := <-r:
		return buffer(buf), nil
	case <-ctx.Done():
		return nil, os.ErrDeadlineExceeded
	}
}

func buffer(buf []byte) []byte {
	if buf == nil {
		return make([]byte, maxMessage)
	}
	return buf
}

// give takes a buffer back.
func (r buffers) give(buf []byte) { r <- buf[:maxMessage] }

// What a host is told of a datagram that it sent, such as that nobody listens at
// the port, is hearsay: whoever sends ICMP that fits the socket is believed, and a
// port is found by trying them all. So a server is not believed to be gone because
// one question was told so. One that is gone refuses every question, from whatever
// port; the time between is for a reply to come meanwhile.
const (
	// doubtTries is how many more questions have to be refused.
	doubtTries = 3
	// doubtTime is how soon each of them has to be: a server on this host, or in
	// its network. One further away that is gone is like one that is silent.
	doubtTime = 5 * time.Millisecond
	// doubtPause is the time for the reply, each time.
	doubtPause = 10 * time.Millisecond
	// maxHearsay bounds what is heard of one question, lest an error that stays
	// keeps a processor busy.
	maxHearsay = 256
)

// doubt is what has become of hearsay.
type doubt struct {
	heard   error // the first
	times   int   // how often there was any
	tries   int   // questions that were refused since
	cleared bool  // one was not refused
}

// disbelieves says that the end of a read was not the end: to go on reading.
func (t *talk) disbelieves(err error) bool {
	d := &t.doubt
	if t.stream() {
		return false
	}
	if isHearsay(err) {
		d.times++
	}
	switch {
	case d.times > maxHearsay:
		return false
	case isHearsay(err) && d.heard == nil:
		d.heard = err
	case isHearsay(err): // go on: the reply, or the end of a pause, is to come
		return true
	case d.cleared || d.heard == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(t.end):
		return false
	case d.tries == doubtTries:
		return false
	}
	wait := t.end
	if t.refuses() {
		d.tries++
		wait = sooner(t.end, time.Now().Add(doubtPause))
	} else {
		d.cleared = true
	}
	return t.conn.SetReadDeadline(wait) == nil && t.l.err() == nil
}

// refuses puts the question once more, from another port, and says that it is
// refused. It is not put to be answered, and costs nobody but the server asked
// anything.
func (t *talk) refuses() bool {
	end := sooner(t.end, time.Now().Add(doubtTime))
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	conn, err := t.r.open(ctx, t.to)
	if err != nil {
		return isHearsay(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(end); err != nil {
		return false
	}
	if err := t.put(conn); err != nil {
		return isHearsay(err)
	}
	_, err = conn.Read(make([]byte, 1))
	return isHearsay(err)
}

// tell is why there was no reply: what was heard, if that was not denied; else
// err, with what was heard.
func (d *doubt) tell(err error) error {
	switch {
	case d.heard == nil:
		return err
	case d.times <= maxHearsay && d.tries < doubtTries:
		return fmt.Errorf("%w: %w", &strangeError{innermost(d.heard).Error()}, err)
	}
	return d.heard
}

// isHearsay says that a network error may be no more than what somebody else says:
// ICMP of all kinds.
func isHearsay(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && !isOwn(err)
}

// sooner is the one of two times that comes first.
func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
