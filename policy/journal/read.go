package journal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"

	"policyd-rdns/policy/journal/whole"
)

// Input is a log to read: a file, or a stream.
type Input struct {
	// Name is for messages.
	Name string
	// Open opens it, uncompressed. It is called a second time after the first
	// was closed, if not Once.
	Open func() (io.ReadCloser, error)
	// Once: what was read cannot be read again, as from a pipe. It is read from the
	// beginning on, whatever the time of its first decision.
	Once bool
}

// Reader reads decisions from one or more logs.
type Reader struct {
	Inputs []Input
	// OnDamage is called for each damaged line, in their order; nil: nobody is told.
	// Like OnUnknown it is called between two steps of the iteration.
	OnDamage func(Damage)
	// OnUnknown is called where some of the next lines have words that this version
	// does not know, with the first of them and their number; nil: nobody is told.
	// What such a word says is not learnt; the decision counts like any other.
	OnUnknown func(first Damage, lines int)
	// Want is asked of each line, as it stands in the input, before it is parsed, and from
	// several goroutines at once: one for which it is false is passed over unread, and
	// damage of it is not told. Nil: all are read. It may err on the side of true: a look at
	// the bytes is a tenth of the work of parsing them.
	Want func(line []byte) bool
	// Counts is what was read, so far.
	Counts Counts
}

// Counts is how many lines of each kind were read.
type Counts struct {
	Decisions int
	Other     int // log lines that are no decisions
	Damaged   int
	Unwanted  int // lines that Want was false for, of any kind
	Unknown   int // decisions with words that this version does not know
}

func (c *Counts) add(more Counts) {
	c.Decisions += more.Decisions
	c.Other += more.Other
	c.Damaged += more.Damaged
	c.Unwanted += more.Unwanted
	c.Unknown += more.Unknown
}

// Read reads all decisions and goes over what digest makes of them, in order, some at a
// time. digest is called from several goroutines at once; its line is valid until it
// returns, and what it reports false for is left out. A slice is valid until the next
// step. An error is the last step: that of an input that cannot be opened, or of ctx.
//
// The order is that of the inputs' lines, and that of time among inputs: those
// whose times do not overlap, as rotated files, are read one after the other
// and others side by side. Lines are logfmt or JSON, also mixed, with or without
// what syslog puts before them. Lines of other kinds are passed over; damaged
// ones, those of more than 1 MiB among them, are told to OnDamage, and so is an
// input that fails while it is read. The memory in use does not depend on the
// length of the inputs.
//
// The iteration ends when all that it has started has ended: at the latest when a
// blocked read of a stream returns.
func Read[T any](ctx context.Context, r *Reader, digest func(*Line) (T, bool)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		r.Counts = Counts{}
		m := merger[T]{reader: r, digest: digest, spare: make(chan *chunk[T], inFlight())}
		ctx, cancel := context.WithCancel(ctx)
		defer m.running.Wait()
		defer cancel()
		if err := m.run(ctx, yield); err != nil {
			yield(nil, err)
		}
	}
}

// merger brings the decisions of several inputs into one order.
type merger[T any] struct {
	reader  *Reader
	digest  func(*Line) (T, bool)
	known   memory
	spare   chan *chunk[T] // that were gone over, to be used again
	running sync.WaitGroup
	streams []*stream[T] // that have not ended, in the order of their first times
}

// stream is an input, which is opened when its first decision is the next.
type stream[T any] struct {
	Input
	first  int64          // the time of its first decision, in milliseconds
	chunks chan *chunk[T] // in order, closed at the end; nil: it was not opened
	lines  int            // of the chunks before

	chunk *chunk[T] // the current one
	items []T       // that are left of it: none, or it was not opened
	times []int64
}

// time is that of the next decision.
func (s *stream[T]) time() int64 {
	if len(s.times) == 0 {
		return s.first
	}
	return s.times[0]
}

// take takes the next item and those after it that are not later than until.
func (s *stream[T]) take(until int64) []T {
	n := 1
	for n < len(s.items) && s.times[n] <= until {
		n++
	}
	some := s.items[:n]
	s.items, s.times = s.items[n:], s.times[n:]
	return some
}

func (m *merger[T]) run(ctx context.Context, yield func([]T, error) bool) error {
	if err := m.plan(); err != nil {
		return err
	}
	for len(m.streams) > 0 {
		s, until := m.least()
		if s.chunks == nil {
			if err := m.open(ctx, s); err != nil {
				return err
			}
		} else if !yield(s.take(until), nil) {
			return nil
		}
		if err := m.refill(ctx, s); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// plan finds out when each input begins.
func (m *merger[T]) plan() error {
	for _, in := range m.reader.Inputs {
		s := &stream[T]{Input: in, first: math.MinInt64}
		if !in.Once && len(m.reader.Inputs) > 1 {
			var err error
			if s.first, err = firstTime(in); err != nil {
				return err
			}
		}
		m.streams = append(m.streams, s)
	}
	slices.SortStableFunc(m.streams, func(a, b *stream[T]) int { return cmp.Compare(a.first, b.first) })
	return nil
}

// least finds the input whose next decision is the earliest, and the time until
// which no other has one.
func (m *merger[T]) least() (least *stream[T], until int64) {
	least, until = m.streams[0], math.MaxInt64
	for _, s := range m.streams[1:] {
		if s.time() < least.time() {
			least, until = s, least.time()
		} else {
			until = min(until, s.time())
		}
	}
	return least, until
}

// open begins to read an input.
func (m *merger[T]) open(ctx context.Context, s *stream[T]) error {
	from, err := s.Open()
	if err != nil {
		return err
	}
	s.chunks = make(chan *chunk[T], inFlight())
	m.running.Go(func() {
		defer from.Close()
		m.read(ctx, s, from)
	})
	return nil
}

// read cuts an input into chunks of whole lines, until its end or that of ctx, and has
// each digested in a goroutine of its own.
func (m *merger[T]) read(ctx context.Context, s *stream[T], from io.Reader) {
	defer close(s.chunks)
	lines := whole.Of(from)
	for {
		c := m.newChunk()
		var err error
		var data []byte
		data, c.long, err = lines.Next()
		if m.reader.Want == nil {
			c.text = string(data)
		} else {
			c.data = whole.Copy(data)
		}
		if !errors.Is(err, io.EOF) {
			c.err = err
		}
		select {
		case s.chunks <- c:
		case <-ctx.Done():
			return
		}
		m.running.Go(func() {
			defer close(c.digested)
			c.digest(m.reader.Want, &m.known, m.digest)
		})
		if err != nil {
			return
		}
	}
}

// inFlight is how many chunks of an input may be ready before they are gone over.
func inFlight() int { return 2 * runtime.GOMAXPROCS(0) }

// newChunk is an empty chunk. What was made of a million lines one after the other would
// else be the most of what the collector has to do.
func (m *merger[T]) newChunk() *chunk[T] {
	c := &chunk[T]{digested: make(chan struct{})}
	select {
	case old := <-m.spare:
		c.items, c.times = old.items[:0], old.times[:0]
	default:
	}
	return c
}

// refill waits for the next chunk of a stream if there is none, or lets go of
// the stream at its end.
func (m *merger[T]) refill(ctx context.Context, s *stream[T]) error {
	for len(s.items) == 0 {
		c, err := s.next(ctx)
		switch {
		case err != nil:
			return err
		case c == nil:
			m.streams = slices.DeleteFunc(m.streams, func(other *stream[T]) bool { return other == s })
			return nil
		}
		m.account(s, c)
		if s.chunk != nil {
			clear(s.chunk.items) // of texts, which keep their chunk
			select {
			case m.spare <- s.chunk:
			default:
			}
		}
		s.chunk, s.items, s.times = c, c.items, c.times
	}
	return nil
}

// next waits for the next chunk, nil at the end.
func (s *stream[T]) next(ctx context.Context) (c *chunk[T], err error) {
	select {
	case c = <-s.chunks:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c != nil {
		<-c.digested
	}
	return c, nil
}

// account counts the lines of a chunk and tells the damaged ones.
func (m *merger[T]) account(s *stream[T], c *chunk[T]) {
	r := m.reader
	r.Counts.add(c.counts)
	for _, d := range c.damages {
		if r.OnDamage != nil {
			r.OnDamage(s.at(d))
		}
	}
	if c.counts.Unknown > 0 && r.OnUnknown != nil {
		r.OnUnknown(s.at(c.unknown), c.counts.Unknown)
	}
	s.lines += c.lines
}

// at is damage of the current chunk, where it is in the input.
func (s *stream[T]) at(d Damage) Damage {
	d.Input = s.Name
	d.Line += s.lines
	return d
}
