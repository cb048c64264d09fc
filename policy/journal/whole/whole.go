// Package whole cuts an input into portions of whole lines.
package whole

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxLine bounds a line, in bytes. The longest that the daemon writes is 8 KiB; what
// collects logs may put a lot around it.
const maxLine = 1 << 20

// ErrLong is what is wrong with a line that is left out for its length.
var ErrLong = fmt.Errorf("longer than %d bytes", maxLine)

// Lines cuts an input.
type Lines struct {
	buf  *bufio.Reader
	skip bool // within a line that is too long
}

// Of gives the lines of an input.
func Of(from io.Reader) *Lines {
	return &Lines{buf: bufio.NewReaderSize(portions{from}, maxLine+1)}
}

// portion is the most that is read at once, in bytes: what a core keeps near, with what is
// made of it. Of portions of 1 MiB a dozen would be in memory, at a time.
const portion = 256 << 10

// portions read from an input portion by portion.
type portions struct{ from io.Reader }

func (p portions) Read(b []byte) (int, error) { return p.from.Read(b[:min(len(b), portion)]) }

// Next is what one Read brings, so that a line of a stream need not wait for
// those after it, and more if that is not a whole line. It is valid until the next call.
// long: it was preceded by a line that is too long and that is not in it. With an error
// there may be data, too.
func (l *Lines) Next() (data []byte, long bool, err error) {
	for {
		_, err = l.buf.Peek(l.buf.Buffered() + 1)
		data, _ = l.buf.Peek(l.buf.Buffered())
		ended := err != nil && !errors.Is(err, bufio.ErrBufferFull)
		if l.skip {
			end := bytes.IndexByte(data, '\n') + 1
			if end == 0 {
				end = len(data)
			} else {
				l.skip, long = false, true
			}
			_, _ = l.buf.Discard(end) // which is there
			data = data[end:]
		}
		end := bytes.LastIndexByte(data, '\n') + 1
		switch {
		case ended:
			return data, long || l.skip, err
		case end > 0 || long:
			_, _ = l.buf.Discard(end)
			return data[:end], long, nil
		case err != nil:
			l.skip = true
		}
	}
}

// buffers are those of copies that are done with, which are used again.
var buffers sync.Pool

// Copy is a copy of what Next gave, until Done.
func Copy(data []byte) []byte {
	b, _ := buffers.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	return append((*b)[:0], data...)
}

// Done lets a copy be used again.
func Done(data []byte) { buffers.Put(&data) }
