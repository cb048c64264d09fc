package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// chunkSize is what is read at a time, in bytes, at most: some hundred lines.
	chunkSize = 128 << 10
	// maxLine bounds a line, in bytes. The longest that the daemon writes is MaxLine;
	// what collects logs may put a lot around it.
	maxLine = 1 << 20
)

var errLongLine = fmt.Errorf("longer than %d bytes", maxLine)

// stream is an input that is being read.
type stream[T any] struct {
	name   string
	chunks chan *chunk[T] // in order; closed at the end
	lines  int            // of the chunks before

	items []T // of the current chunk
	times []int64
	next  int // of items
}

// time is that of the next decision.
func (s *stream[T]) time() int64 { return s.times[s.next] }

// take takes the next item and those after it that are not later than until.
func (s *stream[T]) take(until int64) []T {
	begin := s.next
	s.next++
	for s.next < len(s.items) && s.times[s.next] <= until {
		s.next++
	}
	return s.items[begin:s.next]
}

// chunk waits for the next chunk, nil at the end.
func (s *stream[T]) chunk(ctx context.Context) (c *chunk[T], err error) {
	select {
	case c = <-s.chunks:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c == nil {
		return nil, nil
	}
	select {
	case <-c.digested:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read cuts an input into chunks of whole lines, until its end or that of ctx.
func (s *stream[T]) read(ctx context.Context, from io.Reader, jobs chan<- *chunk[T]) {
	defer close(s.chunks)
	lines := chunker{from: from}
	for {
		c := &chunk[T]{digested: make(chan struct{})}
		var err error
		if c.data, c.long, err = lines.next(); err != nil {
			c.fail(err)
		}
		select {
		case s.chunks <- c:
		case <-ctx.Done():
			return
		}
		select {
		case jobs <- c:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// chunker cuts bytes into chunks of whole lines.
type chunker struct {
	from io.Reader
	rest []byte // the beginning of a line
	skip bool   // within a line that is too long
}

// next is what one Read brings, so that a line of a stream need not wait for
// those after it, and more if that is not a whole line. long says that it was
// preceded by a line that is too long and that is not in it. With an error there
// may be data, too.
func (c *chunker) next() (data []byte, long bool, err error) {
	buf := c.rest
	if cap(buf)-len(buf) < chunkSize/4 {
		buf = append(make([]byte, 0, len(buf)+chunkSize), buf...)
	}
	for {
		n, err := c.from.Read(buf[len(buf):cap(buf)])
		seen := len(buf)
		buf = buf[:len(buf)+n]
		if c.skip {
			// Only the end of the line is wanted.
			end := bytes.IndexByte(buf, '\n')
			if end < 0 {
				buf = buf[:0]
			} else {
				buf, c.skip, long, seen = buf[end+1:], false, true, 0
			}
		}
		if err != nil {
			c.rest = nil
			return buf, long || c.skip, err
		}
		if end := bytes.LastIndexByte(buf[seen:], '\n'); end >= 0 {
			end += seen + 1
			c.rest = buf[end:]
			return buf[:end], long, nil
		}
		switch {
		case long:
			c.rest = buf
			return nil, true, nil
		case len(buf) > maxLine:
			buf, c.skip = buf[:0], true
		case len(buf) == cap(buf):
			buf = append(make([]byte, 0, 2*len(buf)+chunkSize), buf...)
		}
	}
}

// chunk is a number of whole lines, and then what was made of them.
type chunk[T any] struct {
	data []byte
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

// fail keeps why the input has ended, unless it is its proper end.
func (c *chunk[T]) fail(err error) {
	if !errors.Is(err, io.EOF) {
		c.err = err
	}
}

func (c *chunk[T]) digest(digest func(*Line) (T, bool)) {
	if c.long {
		c.lines++
		c.damage(errLongLine)
	}
	var l Line
	for raw := range bytes.Lines(c.data) {
		c.lines++
		if c.err != nil && raw[len(raw)-1] != '\n' {
			c.lines-- // a part of a line, which c.err is about
			break
		}
		c.line(&l, raw, digest)
	}
	if c.err != nil {
		c.lines++
		c.damage(c.err)
	}
	c.data = nil
}

func (c *chunk[T]) line(l *Line, raw []byte, digest func(*Line) (T, bool)) {
	switch err := l.read(raw); {
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
			lines := bytes.Count(c.data, newline)
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
	lines := chunker{from: from}
	for range maxSearch {
		data, _, err := lines.next()
		for raw := range bytes.Lines(data) {
			var l Line
			if l.read(raw) == nil {
				return l.Request.Time.UnixMilli(), nil
			}
		}
		if err != nil {
			break // told when it is read
		}
	}
	return math.MinInt64, nil
}
