package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
)

// maxLine bounds a line, in bytes. The longest that the daemon writes is MaxLine; what
// collects logs may put a lot around it.
const maxLine = 1 << 20

var errLongLine = fmt.Errorf("longer than %d bytes", maxLine)

// chunker cuts bytes into chunks of whole lines.
type chunker struct {
	*bufio.Reader
	skip bool // within a line that is too long
}

func newChunker(from io.Reader) *chunker {
	return &chunker{Reader: bufio.NewReaderSize(portions{from}, maxLine+1)}
}

// portion is the most that is read at once, in bytes: what a core keeps near, with what is
// made of it. Of portions of 1 MiB a dozen would be in memory, at a time.
const portion = 256 << 10

// portions read from an input portion by portion.
type portions struct{ from io.Reader }

func (p portions) Read(b []byte) (int, error) { return p.from.Read(b[:min(len(b), portion)]) }

// next is what one Read brings, so that a line of a stream need not wait for
// those after it, and more if that is not a whole line. It is valid until the next call.
// long: it was preceded by a line that is too long and that is not in it. With an error
// there may be data, too.
func (c *chunker) next() (data []byte, long bool, err error) {
	for {
		_, err = c.Peek(c.Buffered() + 1)
		data, _ = c.Peek(c.Buffered())
		ended := err != nil && !errors.Is(err, bufio.ErrBufferFull)
		if c.skip {
			end := bytes.IndexByte(data, '\n') + 1
			if end == 0 {
				end = len(data)
			} else {
				c.skip, long = false, true
			}
			_, _ = c.Discard(end) // which is there
			data = data[end:]
		}
		end := bytes.LastIndexByte(data, '\n') + 1
		switch {
		case ended:
			return data, long || c.skip, err
		case end > 0 || long:
			_, _ = c.Discard(end)
			return data[:end], long, nil
		case err != nil:
			c.skip = true
		}
	}
}

// buffers are those of chunks that were digested, which are used again.
var buffers sync.Pool

func copied(data []byte) []byte {
	b, _ := buffers.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	return append((*b)[:0], data...)
}

// chunk is a number of whole lines, and then what was made of them.
type chunk[T any] struct {
	data []byte // to be asked for lines that are wanted; nil: all are, and it is in text
	text string
	long bool  // a line before data was too long
	err  error // that ended the input behind data

	digested chan struct{} // closed when all below is there
	items    []T
	times    []int64 // of items, in milliseconds
	damages  []Damage
	unknown  Damage // the first decision with a word that is not known
	counts   Counts
	lines    int
}

func (c *chunk[T]) digest(want func([]byte) bool, known *memory, digest func(*Line) (T, bool)) {
	if c.long {
		c.lines++
		c.damage(errLongLine)
	}
	l := Line{known: known}
	if want == nil {
		for line := range strings.Lines(c.text) {
			if c.next(line[len(line)-1]) {
				c.line(&l, line, digest)
			}
		}
	}
	for line := range bytes.Lines(c.data) {
		switch {
		case !c.next(line[len(line)-1]):
		case want(line):
			c.line(&l, string(line), digest)
		default:
			c.counts.Unwanted++
		}
	}
	if c.err != nil {
		c.lines++
		c.damage(c.err)
	}
	if data := c.data; data != nil {
		buffers.Put(&data)
	}
	c.data, c.text = nil, ""
}

// next counts a line, by the byte that ends it, and reports whether it is whole: c.err is
// about a part of one.
func (c *chunk[T]) next(end byte) bool {
	if c.err != nil && end != '\n' {
		return false
	}
	c.lines++
	return true
}

func (c *chunk[T]) line(l *Line, text string, digest func(*Line) (T, bool)) {
	switch err := l.read(text); {
	case errors.Is(err, ErrOther):
		c.counts.Other++
		return
	case err != nil:
		c.damage(err)
		return
	}
	c.counts.Decisions++
	if l.Unknown != "" {
		if c.counts.Unknown++; c.counts.Unknown == 1 {
			c.unknown = Damage{Line: c.lines, Err: errors.New(l.Unknown)}
		}
	}
	if item, ok := digest(l); ok {
		if c.items == nil {
			lines := bytes.Count(c.data, []byte{'\n'}) + strings.Count(c.text, "\n")
			c.items, c.times = make([]T, 0, lines+1), make([]int64, 0, lines+1)
		}
		c.items = append(c.items, item)
		c.times = append(c.times, l.Request.Time.UnixMilli())
	}
}

func (c *chunk[T]) damage(err error) {
	c.counts.Damaged++
	c.damages = append(c.damages, Damage{Line: c.lines, Err: err})
}

// maxSearch bounds how far into an input its first decision is looked for, in
// chunks.
const maxSearch = 8

// firstTime is the time of an input's first decision in milliseconds, the least
// number if there is none near its beginning.
func firstTime(in Input) (int64, error) {
	from, err := in.Open()
	if err != nil {
		return 0, err
	}
	defer from.Close()
	lines := newChunker(from)
	for range maxSearch {
		data, _, err := lines.next()
		for raw := range bytes.Lines(data) {
			var l Line
			if l.read(string(raw)) == nil {
				return l.Request.Time.UnixMilli(), nil
			}
		}
		if err != nil {
			break // told when it is read
		}
	}
	return math.MinInt64, nil
}
