package resolver

import (
	"context"
	"errors"
	"time"

	"policyd-rdns/resolver/internal/admission"
	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

// flightTime bounds one lookup, whoever waits for it. A caller's deadline is
// shorter; the rest is for the cache.
const flightTime = 20 * time.Second

const (
	// failureTTL is how long a name that failed is not queried again; RFC 9520
	// section 3.2 wants between 1 second and 5 minutes.
	failureTTL = 5 * time.Second
	// refreshPause is how long an answer that could not be queried again
	// (Options.MaxAge) is not.
	refreshPause = time.Minute
)

// table is all of one kind of query: the answers at hand and the lookups
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
// it: others wait for it too, and all may leave before it ends.
type flight[R any] struct {
	cutoff transport.Cutoff
	// seat and wanted are guarded by Resolver.mu, once the flight has begun.
	seat   admission.Seat
	wanted int // callers who have not said that they can do without

	done   chan struct{} // closed when the fields below are set
	result result[R]
	// alone: the trouble is that of the caller who started it, or of those who waited
	// before, and no answer for those who came later.
	alone bool
}

func newTable[K key[R], R comparable](r *Resolver, entries, ordinary int) (*table[K, R], error) {
	c, err := newCache[K, R](entries, ordinary)
	return &table[K, R]{r: r, cache: c, flights: make(map[K]*flight[R])}, err
}

// cached is the answer at hand, if there is one that will do.
func (t *table[K, R]) cached(k K, o Options) (result[R], bool) {
	now := t.r.clock.Now()
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

// pauseFor is how long a query that failed is not sent again.
func pauseFor(o Options) time.Duration {
	if o.MaxAge > 0 {
		return refreshPause
	}
	return failureTTL
}

// pending is a query on its way.
type pending[K key[R], R comparable] struct {
	t *table[K, R]
	k K
	o Options
	// old is an answer past its TTL that will do if there is none by then.
	old  *entry[R]
	then time.Time

	f    *flight[R]
	mine bool
}

// begin has k queried: by a flight under way or by starting one, unless ctx
// is over.
func (t *table[K, R]) begin(ctx context.Context, k K, o Options) pending[K, R] {
	a := pending[K, R]{t: t, k: k, o: o, old: t.stale(k, o)}
	if a.old != nil {
		a.then = time.Now().Add(staleAfter)
	}
	if ctx.Err() == nil {
		a.f, a.mine = t.board(k, o)
	}
	return a
}

// answered reports whether there is nothing to wait for: the query was refused, or was
// answered just now.
func (a *pending[K, R]) answered() bool { return a.mine && a.f.hasLanded() }

// wait waits for the answer, until ctx is over. If that fails or takes long, an
// answer that is past its TTL will do.
func (a *pending[K, R]) wait(ctx context.Context) result[R] {
	if a.old == nil {
		return a.landed(ctx)
	}
	ctx, cancel := context.WithDeadline(ctx, a.then)
	defer cancel()
	if res := a.landed(ctx); res.outcome != TempError {
		return res
	}
	return result[R]{entry: a.old, cached: true, age: a.t.r.clock.Now() - a.old.at, stale: true}
}

// landed waits for a flight, until ctx is over. An answer that has come is given
// then, too: who wants several has waited for another one. A caller whom the
// cause of ctx says to be in no need of it leaves the flight for good.
func (a *pending[K, R]) landed(ctx context.Context) result[R] {
	for a.f != nil {
		select {
		case <-a.f.done:
		case <-ctx.Done():
			if !a.f.hasLanded() {
				if errors.Is(context.Cause(ctx), ErrUnneeded) {
					a.t.disclaim(a.f)
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

// board is the flight that queries k, started if there is none, and whether it is
// the caller's own. All is decided under one lock, so that a refused lookup
// costs no goroutine, and an answer that has just landed is not queried
// again.
func (t *table[K, R]) board(k K, o Options) (f *flight[R], mine bool) {
	r := t.r
	defer r.tellCrowd()
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := t.flights[k]; f != nil {
		f.wanted++
		if f.seat.HELO() && !o.HELO {
			r.limiter.Raise(&f.seat, purpose(k.query(), o))
		} else {
			r.counts.coalesced.Add(1)
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

// admit gives a flight its seat, or says why there is none. The caller holds r.mu.
func (r *Resolver) admit(s *admission.Seat) error {
	if r.closed {
		return errClosed
	}
	return r.limiter.Admit(s)
}

// tellCrowd tells an operator who holds most, if it is time.
func (r *Resolver) tellCrowd() {
	r.mu.Lock()
	crowd := r.limiter.Crowd()
	r.mu.Unlock()
	if crowd != nil {
		crowd.Tell(r.log)
	}
}

// disclaim ends a flight that nobody wants any more, now that one caller does not.
func (t *table[K, R]) disclaim(f *flight[R]) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if f.wanted--; f.wanted == 0 {
		f.cutoff.Cut(errUnwanted)
	}
}

// prepare makes a flight that has not started yet.
func (t *table[K, R]) prepare(k K, o Options) *flight[R] {
	f := &flight[R]{done: make(chan struct{}), wanted: 1}
	f.seat = admission.NewSeat(purpose(k.query(), o), &f.cutoff)
	f.cutoff.End = f.seat.Since().Add(flightTime)
	return f
}

func purpose(q message.Query, o Options) admission.Purpose {
	return admission.Purpose{Name: q.Name, Client: o.Client, HELO: o.HELO, OfName: q.Type != message.TypePTR}
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
	q := k.query()
	defer t.r.rescue(q.Name, func(err error) {
		f.result.entry = t.entry(k, finding{outcome: TempError, err: err})
		t.fail(k, f.result.entry) // lest it happens again at once
	})
	found := t.r.resolve(&f.cutoff, q, b)
	e := t.entry(k, found)
	var poor *budgetError
	switch {
	case e.outcome != TempError:
		t.cache.put(k, e)
	case errors.As(found.err, &poor), errors.Is(found.err, errUnwanted):
		f.alone = true
	case errors.Is(found.err, context.DeadlineExceeded):
		e.blame(errSlow)
		t.fail(k, e)
	case errors.Is(found.err, ErrBusy), errors.Is(found.err, ErrShare), errors.Is(found.err, ErrOwn), errors.Is(found.err, errClosed):
		// It says nothing about the name.
	default:
		t.fail(k, e)
	}
	f.result.entry = e
}

// cut ends all lookups under way. The caller holds r.mu.
func (t *table[K, R]) cut(why error) {
	for _, f := range t.flights {
		f.cutoff.Cut(why)
	}
}

// land takes a flight out of the table and lets those who wait know.
func (t *table[K, R]) land(k K, f *flight[R]) {
	t.r.mu.Lock()
	delete(t.flights, k)
	t.r.limiter.Give(&f.seat)
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

// entry is a finding as the cache keeps it.
func (t *table[K, R]) entry(k K, f finding) *entry[R] {
	e := &entry[R]{outcome: f.outcome, at: t.r.clock.Now(), ttl: uint32(f.ttl.Milliseconds())}
	if f.err != nil {
		e.blame(f.err)
	}
	if f.outcome == Found {
		records, size, more := k.records(f.records)
		e.more, e.large = more, size > t.cache.ordinary
		e.keep(records)
		switch {
		case len(records) > 0:
		case more:
			e.outcome = TempError
			e.blame(errLarge)
		default:
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
