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
}

// converse writes the question and reads until its reply comes. Everything else
// may have been sent by anyone, so it is passed over; what it was is told if
// the reply never comes.
func (t *talk) converse() (*reply, error) {
	if err := t.put(); err != nil {
		return nil, err
	}
	var strange *strangeError
	buf := datagrams.Get().(*[datagramSize]byte)
	defer datagrams.Put(buf)
	for {
		reply, err := t.read(buf[:])
		switch {
		case err == nil:
			return reply, nil
		case errors.As(err, &strange): // go on
		case strange != nil:
			return nil, fmt.Errorf("%w: %w", strange, err)
		default:
			return nil, err
		}
	}
}

// put writes the question.
func (t *talk) put() error {
	wire := t.ask.wire
	if t.stream() {
		wire = append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
	}
	_, err := t.conn.Write(wire)
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
	packet, err := t.r.room.take(t.l, t.end)
	if err != nil {
		return nil, err
	}
	defer t.r.room.give(packet)
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

// room is where large messages are held: it has maxLarge buffers, nil until they are
// needed.
type room chan []byte

func newRoom() room {
	r := make(room, maxLarge)
	for range maxLarge {
		r <- nil
	}
	return r
}

// take takes a buffer of maxMessage, when there is one.
func (r room) take(l *leash, end time.Time) ([]byte, error) {
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
func (r room) give(buf []byte) { r <- buf[:maxMessage] }
