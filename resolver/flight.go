package resolver

import (
	"context"
	"errors"
	"time"
)

// flightTime bounds one lookup, whoever waits for it. A caller's deadline is
// shorter; the rest is for the cache.
const flightTime = 20 * time.Second

// table is all of one kind of question: the answers at hand and the lookups
// under way.
type table[K key[R], R comparable] struct {
	r       *Resolver
	cache   cache[K, R]
	flights map[K]*flight[R] // guarded by r.mu
}

// result is what one lookup came to.
type result[R any] struct {
	*entry[R]
	cached bool
	age    int64 // in milliseconds, if cached
	late   bool  // the entry expires soon
	stale  bool
}

// flight is one lookup under way. It is no property of the caller that started
// it: others join, and all may leave before it ends.
type flight[R any] struct {
	seat
	done   chan struct{} // closed when the fields below are set
	result result[R]
	// alone: the trouble is that of the caller who started it, and no answer
	// for those who joined.
	alone bool
}

func newTable[K key[R], R comparable](r *Resolver, entries int) (*table[K, R], error) {
	c, err := newCache[K, R](entries)
	return &table[K, R]{r: r, cache: c, flights: make(map[K]*flight[R])}, err
}

// cached is the answer at hand, if there is one that will do.
func (t *table[K, R]) cached(k K, o Options) (result[R], bool) {
	now := t.r.clock()
	e := t.cache.get(k)
	if e == nil {
		return result[R]{}, false
	}
	usable := o.MaxAge <= 0 && t.r.usable(e.outcome, e.expires(), now)
	switch {
	case e.fresh(now, o.MaxAge.Milliseconds()):
		return result[R]{entry: e, cached: true, age: now - e.at, late: e.late(now)}, true
	case usable && (e.refusedWithin(stalePause, now) || t.r.Outage()):
		return result[R]{entry: e, cached: true, age: now - e.at, stale: true}, true
	case e.refusedWithin(pauseFor(o), now):
		return result[R]{entry: temporary[R](e.why()), cached: true}, true
	}
	return result[R]{}, false
}

// pauseFor is how long a question is not put again that failed.
func pauseFor(o Options) time.Duration {
	if o.MaxAge > 0 {
		return refreshPause
	}
	return failureTTL
}

// asking is a question on its way.
type asking[K key[R], R comparable] struct {
	t *table[K, R]
	k K
	o Options
	// old is an answer past its TTL that will do if there is none by then.
	old  *entry[R]
	then time.Time

	f    *flight[R]
	mine bool
}

// begin has a question asked: by joining a flight or by starting one, unless ctx
// is over.
func (t *table[K, R]) begin(ctx context.Context, k K, o Options) asking[K, R] {
	a := asking[K, R]{t: t, k: k, o: o, old: t.stale(k, o)}
	if a.old != nil {
		a.then = time.Now().Add(staleAfter)
	}
	if ctx.Err() == nil {
		a.f, a.mine = t.board(k, o)
	}
	return a
}

// settled says that there is nothing to wait for: the question was refused, or was
// answered just now.
func (a *asking[K, R]) settled() bool { return a.mine && a.f.hasLanded() }

// wait waits for the answer, until ctx is over. If that fails or takes long, an
// answer that is past its TTL will do.
func (a *asking[K, R]) wait(ctx context.Context) result[R] {
	if a.old == nil {
		return a.landed(ctx)
	}
	ctx, cancel := context.WithDeadline(ctx, a.then)
	defer cancel()
	if res := a.landed(ctx); res.outcome != TempError {
		return res
	}
	return result[R]{entry: a.old, cached: true, age: a.t.r.clock() - a.old.at, stale: true}
}

// landed waits for a flight, until ctx is over. An answer that has come is given
// then, too: who asked for several has waited for another one. A caller whom the
// cause of ctx says to be in no need of it leaves the flight for good.
func (a *asking[K, R]) landed(ctx context.Context) result[R] {
	for a.f != nil {
		select {
		case <-a.f.done:
		case <-ctx.Done():
			if !a.f.hasLanded() {
				if errors.Is(context.Cause(ctx), ErrUnneeded) {
					a.t.r.disclaim(&a.f.seat)
				}
				return result[R]{entry: temporary[R](cutShort(ctx))}
			}
		}
		if a.mine || !a.f.alone {
			return a.f.result
		}
		if ctx.Err() != nil {
			break
		}
		a.f, a.mine = a.t.board(a.k, a.o)
	}
	return result[R]{entry: temporary[R](cutShort(ctx))}
}

func (f *flight[R]) hasLanded() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// cutShort is why a caller could not wait for the answer.
func cutShort(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errDeadline
	}
	return errCut
}

// board is the flight that asks k, started if there is none, and whether it is
// the caller's own. All is decided under one lock, so that a refused lookup
// costs no goroutine, and an answer that has just landed is not asked for
// again.
func (t *table[K, R]) board(k K, o Options) (f *flight[R], mine bool) {
	r := t.r
	defer r.tellCrowd()
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := t.flights[k]; f != nil {
		f.wanted++
		if f.helo && !o.HELO {
			r.raise(&f.seat, k.question(), o)
		} else {
			r.counts.joined.Add(1)
		}
		return f, false
	}
	if res, ok := t.cached(k, o); ok {
		return landed(res), true
	}
	f = t.prepare(k, o)
	if err := r.admit(&f.seat); err != nil {
		return landed(result[R]{entry: temporary[R](err)}), true
	}
	t.start(k, f, o.Budget)
	return f, true
}

// prepare makes a flight that has not started yet.
func (t *table[K, R]) prepare(k K, o Options) *flight[R] {
	f := &flight[R]{done: make(chan struct{})}
	f.sit(k.question(), o)
	return f
}

// start starts a flight that has its seat. The caller holds r.mu.
func (t *table[K, R]) start(k K, f *flight[R], b *Budget) {
	t.flights[k] = f
	t.r.flights.Go(func() { t.fly(k, f, b) })
}

func landed[R any](res result[R]) *flight[R] {
	f := &flight[R]{done: make(chan struct{}), result: res}
	close(f.done)
	return f
}

// fly looks k up, fills the cache and lets those who wait know, whatever
// happens. The answer is in the cache before the flight is out of the table, so
// that nobody finds neither.
func (t *table[K, R]) fly(k K, f *flight[R], b *Budget) {
	defer t.land(k, f)
	q := k.question()
	defer t.r.rescue(q.name, func(err error) {
		f.result.entry = t.entry(k, verdict{outcome: TempError, err: err})
		t.fail(k, f.result.entry) // lest it happens again at once
	})
	v := t.r.resolve(&f.leash, q, b)
	e := t.entry(k, v)
	var poor *budgetError
	switch {
	case e.outcome != TempError:
		t.cache.put(k, e)
	case errors.As(v.err, &poor):
		f.alone = true
	case errors.Is(v.err, context.Canceled):
		t.cut(k, f, e)
	case errors.Is(v.err, context.DeadlineExceeded):
		e.blame(errSlow)
		t.fail(k, e)
	case !errors.Is(v.err, ErrOwn):
		t.fail(k, e)
	}
	f.result.entry = e
}

// cut is what became of a flight that was ended early. One that nobody wanted is
// no answer for those who have joined it since.
func (t *table[K, R]) cut(k K, f *flight[R], e *entry[R]) {
	why := f.leash.cause()
	e.blame(why)
	f.alone = errors.Is(why, errUnwanted)
	if errors.Is(why, errGaveWay) {
		t.fail(k, e)
	}
}

// land takes a flight out of the table and lets those who wait know.
func (t *table[K, R]) land(k K, f *flight[R]) {
	t.r.mu.Lock()
	delete(t.flights, k)
	t.r.give(&f.seat)
	t.r.mu.Unlock()
	close(f.done)
}

// fail keeps the news that a lookup failed. It takes nothing from an answer
// that is still of use: old news only helps.
func (t *table[K, R]) fail(k K, failure *entry[R]) {
	e := t.cache.get(k)
	if e == nil || e.outcome == TempError || !e.fresh(failure.at, 0) && !t.r.usable(e.outcome, e.expires(), failure.at) {
		t.cache.put(k, failure)
		return
	}
	t.cache.put(k, e.refuse(failure.at, failure.why()))
}

// entry is a verdict as the cache keeps it.
func (t *table[K, R]) entry(k K, v verdict) *entry[R] {
	e := &entry[R]{outcome: v.outcome, at: t.r.clock(), ttl: uint32(v.ttl.Milliseconds())}
	if v.err != nil {
		e.blame(v.err)
	}
	if v.outcome == Found {
		records, size, more := collect(k, v.records)
		e.more, e.large = more, size > fewBytes
		e.keep(records)
		if len(records) == 0 {
			e.outcome = TempError
			e.blame(errEmpty)
		}
	}
	if e.outcome == TempError {
		e.ttl = uint32(failureTTL.Milliseconds())
	}
	return e
}

// temporary is a failure that is not kept.
func temporary[R any](err error) *entry[R] {
	return &entry[R]{outcome: TempError, rare: &rare[R]{err: err}}
}
