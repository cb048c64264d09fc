package journal

import (
	"cmp"
	"context"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
)

// Input is a log to read: a file, or a stream.
type Input struct {
	// Name is for messages.
	Name string
	// Open opens it, uncompressed. It is called a second time after the first
	// was closed, if not Once.
	Open func() (io.ReadCloser, error)
	// Once says that what was read cannot be read again, as from a pipe. It is
	// read from the beginning on, whatever the time of its first decision.
	Once bool
}

// Reader reads decisions from one or more logs.
type Reader struct {
	Inputs []Input
	// OnDamage is called for each damaged line, in their order; nil: nobody is
	// told. It is called from the goroutine of Read.
	OnDamage func(Damage)
	// OnUnknown is called where some of the next lines have words that this version
	// does not know, with the first of them and their number; nil: nobody is told.
	// What such a word says is not learnt; the decision counts like any other. It is
	// called from the goroutine of Read.
	OnUnknown func(first Damage, lines int)
}

// Counts is how many lines of each kind were read.
type Counts struct {
	Decisions int
	Other     int // log lines that are no decisions
	Damaged   int
	Unknown   int // decisions with words that this version does not know
}

// Read reads all decisions, hands each to digest, and what it makes of them, in
// order, to use, some at a time. digest is called from several goroutines at
// once; its line is valid until it returns, and what it reports false for is
// left out. use is called from the goroutine of Read; its slice is valid until
// it returns.
//
// The order is that of the inputs' lines, and that of time among inputs: those
// whose times do not overlap, as rotated files, are read one after the other
// and others side by side. Lines are logfmt or JSON, also mixed, with or without
// what syslog puts before them. Lines of other kinds are passed over; damaged
// ones, those of more than 1 MiB among them, are told to OnDamage, and so is an
// input that fails while it is read. The memory in use does not depend on the
// length of the inputs.
//
// The error is that of an input that cannot be opened, of use, or of ctx. Read
// returns when all that it has started has ended: at the latest when a blocked
// read of a stream returns.
func Read[T any](ctx context.Context, r *Reader, digest func(*Line) (T, bool), use func([]T) error) (Counts, error) {
	m := merger[T]{reader: r, use: use, jobs: make(chan *chunk[T])}
	if err := m.plan(); err != nil {
		return m.counts, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var reading, digesting sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		digesting.Go(func() {
			for c := range m.jobs {
				c.digest(digest)
				close(c.digested)
			}
		})
	}
	err := m.run(ctx, &reading)
	cancel()
	reading.Wait()
	close(m.jobs)
	digesting.Wait()
	return m.counts, err
}

// merger brings the decisions of several inputs into one order.
type merger[T any] struct {
	reader *Reader
	use    func([]T) error
	jobs   chan *chunk[T] // for those who digest
	counts Counts

	waiting []planned // the earliest first
	active  []*stream[T]
}

// planned is an input that is not being read yet, and when it begins.
type planned struct {
	Input
	first int64 // milliseconds
}

// plan finds out when each input begins.
func (m *merger[T]) plan() error {
	for _, in := range m.reader.Inputs {
		p := planned{in, math.MinInt64}
		if !in.Once && len(m.reader.Inputs) > 1 {
			var err error
			if p.first, err = firstTime(in); err != nil {
				return err
			}
		}
		m.waiting = append(m.waiting, p)
	}
	slices.SortStableFunc(m.waiting, func(a, b planned) int { return cmp.Compare(a.first, b.first) })
	return nil
}

func (m *merger[T]) run(ctx context.Context, reading *sync.WaitGroup) error {
	for {
		least, until := m.least()
		if len(m.waiting) > 0 && m.waiting[0].first <= until {
			if least == nil || m.waiting[0].first <= least.time() {
				if err := m.begin(ctx, reading); err != nil {
					return err
				}
				continue
			}
			until = m.waiting[0].first
		}
		if least == nil {
			return ctx.Err()
		}
		if err := m.use(least.take(until)); err != nil {
			return err
		}
		if err := m.refill(ctx, least); err != nil {
			return err
		}
	}
}

// least finds the input whose next decision is the earliest, and the time until
// which no other has one.
func (m *merger[T]) least() (least *stream[T], until int64) {
	until = math.MaxInt64
	for _, s := range m.active {
		switch {
		case least == nil:
			least = s
		case s.time() < least.time():
			least, until = s, least.time()
		default:
			until = min(until, s.time())
		}
	}
	return least, until
}

// begin begins to read the next of the inputs that wait.
func (m *merger[T]) begin(ctx context.Context, reading *sync.WaitGroup) error {
	in := m.waiting[0].Input
	m.waiting = m.waiting[1:]
	from, err := in.Open()
	if err != nil {
		return err
	}
	s := &stream[T]{name: in.Name, chunks: make(chan *chunk[T], 2*runtime.GOMAXPROCS(0))}
	reading.Go(func() {
		defer from.Close()
		s.read(ctx, from, m.jobs)
	})
	m.active = append(m.active, s)
	return m.refill(ctx, s)
}

// refill waits for the next chunk of a stream if there is none, or lets go of
// the stream at its end.
func (m *merger[T]) refill(ctx context.Context, s *stream[T]) error {
	for s.next == len(s.items) {
		c, err := s.chunk(ctx)
		switch {
		case err != nil:
			return err
		case c == nil:
			m.active = slices.DeleteFunc(m.active, func(other *stream[T]) bool { return other == s })
			return nil
		}
		m.account(s, c)
		s.items, s.times, s.next = c.items, c.times, 0
	}
	return nil
}

// account counts the lines of a chunk and tells the damaged ones.
func (m *merger[T]) account(s *stream[T], c *chunk[T]) {
	m.counts.Decisions += c.counts.Decisions
	m.counts.Other += c.counts.Other
	m.counts.Damaged += c.counts.Damaged
	m.counts.Unknown += c.counts.Unknown
	for _, d := range c.damages {
		d.Input = s.name
		d.Line += s.lines
		if m.reader.OnDamage != nil {
			m.reader.OnDamage(d)
		}
	}
	if c.counts.Unknown > 0 && m.reader.OnUnknown != nil {
		first := c.unknown
		first.Input = s.name
		first.Line += s.lines
		m.reader.OnUnknown(first, c.counts.Unknown)
	}
	s.lines += c.lines
}
