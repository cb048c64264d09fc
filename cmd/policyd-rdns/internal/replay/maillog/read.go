package maillog

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/frame"
)

// Input is a log to read.
type Input struct {
	journal.Input
	// Modified is when it was last written: it tells the year of times that have
	// none. Now, for a stream.
	Modified time.Time
}

// Reader reads attempts from one or more logs.
type Reader struct {
	Inputs []Input
	// Place is where the clock stood that wrote times without a zone; nil: here.
	Place *time.Location
	// OnDamage is called for each damaged line, in their order; nil: nobody is told.
	OnDamage func(journal.Damage)
}

// Counts is how many lines of each kind were read.
type Counts struct {
	Used    int // that tell something of a client or its mail
	Other   int // all other lines, of Postfix and of other programs
	Damaged int
}

// maxLine bounds a line, in bytes. Postfix's own are of at most a few thousand.
const maxLine = 64 << 10

// Read reads all attempts and hands each to use, from the goroutine that has called
// it; the attempt is valid until use returns.
//
// An attempt that was refused comes with its line, one that was accepted when its
// message has ended: when the queue manager is done with it, at most an hour of
// the log later. Inputs are read one after the other, in the order of their first
// times; streams come first. Memory does not depend on their length.
//
// Damaged lines, of more than 64 KiB or of a form that Postfix does not write, are
// passed over and told to OnDamage, and so is an input that fails while it is read.
// The error is that of an input that cannot be opened, of use, or of ctx.
func Read(ctx context.Context, r *Reader, use func(*Attempt) error) (Counts, error) {
	l := logReader{Reader: r, assembly: newAssembly(use)}
	inputs, err := r.sorted()
	if err != nil {
		return l.counts, err
	}
	for _, in := range inputs {
		if err := l.read(ctx, in); err != nil {
			return l.counts, err
		}
	}
	return l.counts, l.assembly.end()
}

// sorted are the inputs in the order of their first times.
func (r *Reader) sorted() ([]Input, error) {
	if len(r.Inputs) < 2 {
		return r.Inputs, nil
	}
	begins := make(map[string]int64, len(r.Inputs))
	for _, in := range r.Inputs {
		if in.Once {
			begins[in.Name] = math.MinInt64
			continue
		}
		first, err := r.firstTime(in)
		if err != nil {
			return nil, err
		}
		begins[in.Name] = first.Unix()
	}
	inputs := slices.Clone(r.Inputs)
	slices.SortStableFunc(inputs, func(a, b Input) int { return cmp.Compare(begins[a.Name], begins[b.Name]) })
	return inputs, nil
}

// maxProbe bounds the lines that are searched for the first time of an input.
const maxProbe = 1000

// firstTime is that of an input; zero if it has none.
func (r *Reader) firstTime(in Input) (time.Time, error) {
	from, err := in.Open()
	if err != nil {
		return time.Time{}, err
	}
	defer from.Close()
	c := r.clock(in)
	lines := bufio.NewReaderSize(from, maxLine)
	for range maxProbe {
		line, err := lines.ReadSlice('\n')
		if h, _, ok := cutHeader(c, trimEnd(string(line))); ok && !h.time.IsZero() {
			return h.time, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break // told when it is read
		}
	}
	return time.Time{}, nil
}

func (r *Reader) clock(in Input) *frame.Clock {
	c := &frame.Clock{Place: r.Place, Written: in.Modified}
	if c.Place == nil {
		c.Place = time.Local
	}
	return c
}

// logReader reads one input after the other.
type logReader struct {
	*Reader
	assembly *assembly
	counts   Counts
	last     said // by the line before, if that may be repeated
}

// said is what a line has said of a client.
type said struct {
	header
	event
	line int // in which; 0: none has
}

func (l *logReader) read(ctx context.Context, in Input) error {
	from, err := in.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	c := l.clock(in)
	lines := bufio.NewReaderSize(from, maxLine)
	long := false // the end of a line that is too long is still to come
	for n := 1; ; {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if !long {
				l.damaged(in, n, fmt.Errorf("a line of more than %d KiB", maxLine>>10))
			}
			long = true
			continue
		case err != nil && !errors.Is(err, io.EOF):
			l.damaged(in, n, err)
			return ctx.Err()
		}
		if !long && len(bytes.TrimSpace(line)) > 0 {
			if err := l.line(c, in, n, line); err != nil {
				return err
			}
		}
		long = false
		if err != nil {
			return ctx.Err()
		}
		if n++; n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// line reads one line.
func (l *logReader) line(c *frame.Clock, in Input, n int, raw []byte) error {
	line := trimEnd(string(raw))
	h, text, ok := cutHeader(c, line)
	if !ok {
		if l.last.line > 0 && l.last.line == n-1 {
			if times := repeats(c, line); times > 0 {
				return l.again(times)
			}
		}
		if strings.IndexByte(line, 0) >= 0 {
			l.damaged(in, n, errors.New("holds NUL bytes"))
			return nil
		}
		if looksLike(line) {
			l.damaged(in, n, fmt.Errorf("%w: %.80q", errFrame, line))
			return nil
		}
		l.counts.Other++
		return nil
	}
	text, times := cutRepeated(text)
	e, err := parseEvent(h.program, text)
	switch {
	case err != nil:
		l.damaged(in, n, fmt.Errorf("%w: %.80q", err, text))
		return nil
	case e.kind == other:
		l.counts.Other++
		return nil
	}
	if e.kind == verdict {
		l.last = said{h, e, n}
		return l.again(times)
	}
	l.counts.Used++
	return l.assembly.add(&h, &e)
}

// again takes what the last line has said of a client so many times.
func (l *logReader) again(times int) error {
	l.counts.Used++
	for range times {
		if err := l.assembly.add(&l.last.header, &l.last.event); err != nil {
			return err
		}
	}
	return nil
}

// errFrame is what is wrong with a line that was not read, though Postfix's header
// stands in it.
var errFrame = errors.New("looks like a line of Postfix, after something unknown")

// trimEnd leaves out the line end and blanks before it.
func trimEnd(s string) string { return strings.TrimRight(s, " \r\n") }

func (l *logReader) damaged(in Input, n int, err error) {
	l.counts.Damaged++
	if l.OnDamage != nil {
		l.OnDamage(journal.Damage{Input: in.Name, Line: n, Err: err})
	}
}
