package postfix

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"policyd-rdns/policy"
)

// Limits of a request, newlines and the empty line at its end included; of a
// line without its newline. Postfix sends about 1 KiB and 35 attributes, and
// takes no more than 2048 bytes of a line from its own clients
// (line_length_limit in postconf(5)).
const (
	maxRequest    = 64 << 10 // bytes
	maxLine       = 16 << 10 // bytes
	maxAttributes = 256      // known or not
)

// smallBuffer is what a Reader takes from the start and keeps between
// requests, in bytes.
const smallBuffer = 4 << 10

// ErrRequest is the error of a request that is none, or is beyond a limit. It
// is wrapped by one that says which; the connection is of no more use.
var ErrRequest = errors.New("bad policy request")

// span is a part of a Reader's buffer.
type span struct{ start, end int }

// Reader reads the requests of one connection, in memory that is bounded
// whatever the peer sends. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	memory *Memory

	// buf starts with the request being read; its capacity beyond
	// smallBuffer is charged to memory.
	buf []byte

	// The request being read: where in buf its first line not yet parsed
	// begins, how many attributes came before that, and the values of those known.
	line   int
	count  int
	values [knownAttributes]span

	inquiries bool // requests of our own kind are read too
	asked     bool // the last one was, for query
	query     string
}

// NewReader returns a Reader of the requests that come from src. Buffers
// beyond the first 4 KiB are charged to m, which may be nil.
func NewReader(src io.Reader, m *Memory) *Reader {
	return &Reader{src: src, memory: m, buf: make([]byte, 0, smallBuffer)}
}

// ReadRequest reads the next request into req. Bytes beyond it are kept for the
// next call. Nothing in req refers to the Reader's buffer.
//
// The error is io.EOF if there is no further request, io.ErrUnexpectedEOF if
// the source ended within one, [ErrRequest], wrapped, if it cannot be read as
// a request, and otherwise that of the source as it is. After an error req is
// empty, and the Reader must not be used again.
func (r *Reader) ReadRequest(req *policy.Request) error {
	for {
		whole, err := r.take(req)
		if err == nil && !whole {
			err = r.fill()
		}
		if err != nil {
			r.release()
			*req = policy.Request{}
			return err
		}
		if whole {
			return nil
		}
	}
}

// take takes the next request, if it has arrived whole.
func (r *Reader) take(req *policy.Request) (whole bool, err error) {
	if whole, err = r.parse(); !whole || err != nil {
		return false, err
	}
	if err := r.request(req); err != nil {
		return false, err
	}
	r.shift()
	return true, nil
}

// await returns when the first byte of a request has arrived.
func (r *Reader) await() error {
	if len(r.buf) > 0 {
		return nil
	}
	return r.fill()
}

// whole reports whether the next request has arrived to its end, for certain:
// it may have if bytes of another follow it.
func (r *Reader) whole() bool {
	return bytes.HasSuffix(r.buf, []byte("\n\n"))
}

// parse takes the lines that have arrived, and reports whether the empty one
// that ends the request was among them. The fault that it finds does not
// depend on how the bytes were cut into reads.
func (r *Reader) parse() (whole bool, err error) {
	suspect := bytes.IndexByte(r.buf[r.line:], 0) >= 0 // in whichever line
	for {
		line := r.buf[r.line:]
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end]
		}
		if suspect && bytes.IndexByte(line[:min(len(line), maxLine)], 0) >= 0 {
			return false, fmt.Errorf("%w: NUL byte", ErrRequest)
		}
		if len(line) > maxLine {
			return false, fmt.Errorf("%w: line of more than %d bytes", ErrRequest, maxLine)
		}
		if end < 0 {
			return false, nil
		}
		start := r.line
		r.line += len(line) + 1
		if len(line) == 0 {
			return true, nil
		}
		if err := r.attribute(line, start); err != nil {
			return false, err
		}
	}
}

// attribute takes one line, which begins at start in the buffer.
func (r *Reader) attribute(line []byte, start int) error {
	equals := bytes.IndexByte(line, '=')
	if equals < 0 {
		return fmt.Errorf("%w: line %.60q has no \"=\"", ErrRequest, line)
	}
	name, value := line[:equals], line[equals+1:]
	if len(name) == 0 {
		return fmt.Errorf("%w: line %.60q has no attribute name", ErrRequest, line)
	}
	if r.count++; r.count > maxAttributes {
		return fmt.Errorf("%w: more than %d attributes", ErrRequest, maxAttributes)
	}
	if a, known := attributeOf(name); known {
		start += len(name) + 1
		r.values[a] = span{start, start + min(len(value), maxValue)}
	}
	return nil
}

// fill reads once, at least one byte.
func (r *Reader) fill() error {
	room, err := r.room()
	if err != nil {
		return err
	}
	n, err := io.ReadAtLeast(r.src, room, 1)
	r.buf = r.buf[:len(r.buf)+n]
	return r.ended(err)
}

// room is where the next bytes go, at least one.
func (r *Reader) room() ([]byte, error) {
	if len(r.buf) == cap(r.buf) {
		if err := r.grow(); err != nil {
			return nil, err
		}
	}
	return r.buf[len(r.buf):cap(r.buf)], nil
}

// ended is the error of a source, which io.EOF is only between requests.
func (r *Reader) ended(err error) error {
	if err == io.EOF && len(r.buf) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// grow doubles the buffer.
func (r *Reader) grow() error {
	size := cap(r.buf)
	if 2*size > maxRequest {
		return fmt.Errorf("%w: more than %d bytes", ErrRequest, maxRequest)
	}
	if !r.memory.take(size) {
		return fmt.Errorf("%w: unfinished requests of all connections exceed %d bytes", ErrRequest, r.memory.limit)
	}
	r.buf = append(make([]byte, 0, 2*size), r.buf...)
	return nil
}

// shift makes the buffer begin with the next request, and small again if what
// has arrived of that one is.
func (r *Reader) shift() {
	rest := r.buf[r.line:]
	buf := r.buf[:0]
	if cap(buf) > smallBuffer && len(rest) <= smallBuffer {
		r.release()
		buf = make([]byte, 0, smallBuffer)
	}
	r.buf = append(buf, rest...)
	r.line, r.count, r.values = 0, 0, [knownAttributes]span{}
}

// release gives the buffer up, and back what was charged for it.
func (r *Reader) release() {
	r.memory.give(max(0, cap(r.buf)-smallBuffer))
	r.buf = nil
}
