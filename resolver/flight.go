package resolver

import (
	"context"
	"errors"
	"time"
)

// flightTime bounds one look-up, whoever waits for it. A caller's deadline is
// shorter; the rest is for the cache.
const flightTime = 20 * time.Second

var (
	errClosed   = errors.New("the resolver is closed")
	errBusy     = errors.New("too many look-ups under way")
	errDeadline = errors.New("deadline")
	errCut      = errors.New("cut short")
	errSlow     = errors.New("no answer in 20s")
	errEmpty    = errors.New("records without data")
)

// table is all of one kind of question: the answers at hand and the look-ups
// under way.
type table[K key[R], R comparable] struct {
	r       *Resolver
	cache   cache[K, R]
	flights map[K]*flight[R] // guarded by r.mu
}

// flight is one look-up under way. It is no property of the caller that started
// it: others join, and all may leave before it ends.
type flight[R any] struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the fields below are set
	entry  entry[R]
	cached bool // it never took off: the answer was there
	// alone: the trouble is that of the caller who started it, and no answer
	// for those who joined.
	alone bool
}

func newTable[K key[R], R comparable](r *Resolver, entries int) (*table[K, R], error) {
	c, err := newCache[K, R](entries)
	return &table[K, R]{r: r, cache: c, flights: make(map[K]*flight[R])}, err
}

// cached is the answer at hand, if there is one that will do.
func (t *table[K, R]) cached(k K, o Options) (entry[R], bool) {
	e, ok := t.cache.get(k)
	if !ok {
		return entry[R]{}, false
	}
	now := t.r.clock()
	if e.fresh(now, o.MaxAge.Milliseconds()) {
		return e, true
	}
	pause := failureTTL
	if o.MaxAge > 0 {
		pause = refreshPause
	}
	if e.refused > 0 && now < e.at+int64(e.refused)+pause.Milliseconds() {
		return temporary[R](e.err), true
	}
	return entry[R]{}, false
}

// ask answers a question that the cache could not: by joining a flight or by
// starting one, and says whether the cache could after all.
func (t *table[K, R]) ask(ctx context.Context, k K, o Options) (entry[R], bool) {
	if o.CacheOnly {
		return entry[R]{}, false
	}
	for ctx.Err() == nil {
		f, mine := t.board(ctx, k, o)
		select {
		case <-f.done:
		case <-ctx.Done():
			return temporary[R](cutShort(ctx)), false
		}
		if mine || !f.alone {
			return f.entry, f.cached
		}
	}
	return temporary[R](cutShort(ctx)), false
}

// cutShort is why a caller could not wait for the answer.
func cutShort(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errDeadline
	}
	return errCut
}

// board is the flight that asks k, started if there is none, and whether it is
// the caller's own. All is decided under one lock, so that a refused look-up
// costs no goroutine, and an answer that has just landed is not asked for
// again.
func (t *table[K, R]) board(ctx context.Context, k K, o Options) (f *flight[R], mine bool) {
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := t.flights[k]; f != nil {
		return f, false
	}
	if e, ok := t.cached(k, o); ok {
		return landed(e, true), true
	}
	if err := r.refuse(); err != nil {
		return landed(temporary[R](err), false), true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
	f = &flight[R]{cancel: cancel, done: make(chan struct{})}
	t.flights[k] = f
	r.flying++
	r.flights.Go(func() { t.fly(ctx, k, f, o.Budget) })
	return f, true
}

// refuse is why no flight may start now, if so. The caller holds r.mu.
func (r *Resolver) refuse() error {
	switch {
	case r.closed:
		return errClosed
	case r.flying >= r.maxInFlight:
		return errBusy
	}
	return nil
}

func landed[R any](e entry[R], cached bool) *flight[R] {
	f := &flight[R]{done: make(chan struct{}), entry: e, cached: cached}
	close(f.done)
	return f
}

// fly looks k up, fills the cache and lets those who wait know. The answer is
// in the cache before the flight is out of the table, so that nobody finds
// neither.
func (t *table[K, R]) fly(ctx context.Context, k K, f *flight[R], b *Budget) {
	defer f.cancel()
	v := t.r.resolve(ctx, k.question(), b)
	f.entry = t.entry(k, v)
	var poor *budgetError
	switch {
	case errors.As(v.err, &poor):
		f.alone = true
	case errors.Is(v.err, context.Canceled):
		f.entry.err = errClosed
	case f.entry.outcome == TempError:
		if errors.Is(v.err, context.DeadlineExceeded) {
			f.entry.err = errSlow
		}
		t.fail(k, f.entry)
	default:
		t.cache.put(k, f.entry)
	}
	t.r.mu.Lock()
	delete(t.flights, k)
	t.r.flying--
	t.r.mu.Unlock()
	close(f.done)
}

// fail keeps the news that a look-up failed. It takes nothing from an answer
// that is still at hand: old news only helps.
func (t *table[K, R]) fail(k K, failure entry[R]) {
	e, ok := t.cache.get(k)
	if !ok || e.outcome == TempError || !e.fresh(failure.at, 0) {
		t.cache.put(k, failure)
		return
	}
	e.refused, e.err = uint32(max(failure.at-e.at, 1)), failure.err
	t.cache.put(k, e)
}

// entry is a verdict as the cache keeps it.
func (t *table[K, R]) entry(k K, v verdict) entry[R] {
	e := entry[R]{outcome: v.outcome, err: v.err, at: t.r.clock(), ttl: uint32(v.ttl.Milliseconds())}
	if v.outcome == Found {
		var size int
		e.records, size, e.more = collect(k, v.records)
		e.large = size > fewBytes
		if len(e.records) == 0 {
			e.outcome, e.err = TempError, errEmpty
		}
	}
	if e.outcome == TempError {
		e.ttl = uint32(failureTTL.Milliseconds())
	}
	return e
}

// temporary is a failure that is not kept.
func temporary[R any](err error) entry[R] {
	return entry[R]{outcome: TempError, err: err}
}
