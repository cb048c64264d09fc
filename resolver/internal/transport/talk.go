package transport

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

	"policyd-rdns/resolver/internal/message"
)

// talk is one query on its way over one connection.
type talk struct {
	c    *Client
	cut  *Cutoff
	conn net.Conn
	to   try
	sent message.Packet
	end  time.Time

	hearsay hearsay
}

// converse writes the query and reads until its reply comes. Everything else
// may have been sent by anyone, so it is passed over; what it was is told if
// the reply never comes.
func (t *talk) converse() (*message.Reply, error) {
	if err := t.put(t.conn); err != nil {
		return nil, err
	}
	var strange *message.StrangeError
	buf := datagrams.Get().(*[datagramSize]byte)
	defer datagrams.Put(buf)
	for {
		reply, err := t.read(buf[:])
		switch {
		case err == nil || errors.Is(err, message.ErrCase):
			return reply, err
		case errors.As(err, &strange): // go on
		case t.disbelieves(err): // go on
		case strange != nil:
			return nil, fmt.Errorf("%w: %w", strange, t.hearsay.tell(err))
		default:
			return nil, t.hearsay.tell(err)
		}
	}
}

// put writes the query. What a datagram is refused with at first may be news of
// an older one, and not have been sent.
func (t *talk) put(conn net.Conn) error {
	if t.stream() {
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(t.sent.Bytes)))
		_, err := conn.Write(append(framed, t.sent.Bytes...))
		return err
	}
	const tries = 3
	var err error
	for range tries {
		if _, err = conn.Write(t.sent.Bytes); !isHearsay(err) {
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
func (t *talk) read(buf []byte) (*message.Reply, error) {
	if !t.stream() {
		n, err := t.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		return message.Parse(buf[:n], t.sent)
	}
	if _, err := io.ReadFull(t.conn, buf[:2]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(buf))
	if size <= len(buf) {
		if _, err := io.ReadFull(t.conn, buf[:size]); err != nil {
			return nil, err
		}
		return message.Parse(buf[:size], t.sent)
	}
	return t.large(buf, size)
}

// large reads a message that is larger than buf. There is room for few of them at
// a time, and that is taken when the first part is there.
func (t *talk) large(buf []byte, size int) (*message.Reply, error) {
	if _, err := io.ReadFull(t.conn, buf); err != nil {
		return nil, err
	}
	packet, err := t.c.large.take(t.cut, t.end)
	if err != nil {
		return nil, err
	}
	defer t.c.large.give(packet)
	if !t.cut.tie(func() { t.conn.SetDeadline(time.Unix(1, 0)) }) {
		return nil, t.cut.Err()
	}
	packet = packet[:copy(packet[:size], buf)]
	if _, err := io.ReadFull(t.conn, packet[len(packet):size]); err != nil {
		return nil, err
	}
	return message.Parse(packet[:size], t.sent)
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

// take takes a buffer of message.MaxSize, when there is one.
func (r buffers) take(cut *Cutoff, end time.Time) ([]byte, error) {
	select {
	case buf := <-r:
		return buffer(buf), nil
	default:
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if !cut.tie(cancel) {
		return nil, cut.Err()
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
		return make([]byte, message.MaxSize)
	}
	return buf
}

// give takes a buffer back.
func (r buffers) give(buf []byte) { r <- buf[:message.MaxSize] }
