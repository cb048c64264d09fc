package journal

import (
	"bytes"
	"errors"
	"math"
	"strings"

	"policyd-rdns/policy/journal/whole"
)

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
		c.damage(whole.ErrLong)
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
		whole.Done(data)
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
	lines := whole.Of(from)
	for range maxSearch {
		data, _, err := lines.Next()
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
