package resolver

import "time"

const (
	// staleAfter is how long a caller waits for the servers before it gets an
	// answer that is past its TTL: the client response timer of RFC 8767
	// section 5.
	staleAfter = 1800 * time.Millisecond
	// stalePause is how long such an answer is given at once after the servers
	// failed: the failure recheck timer of RFC 8767 section 5.
	stalePause = 30 * time.Second
	// maxStale bounds Config.Stale. RFC 8767 section 5 suggests 1 to 3 days.
	maxStale = 7 * 24 * time.Hour
)

// PrefetchHits is how often an answer must have been of use to be prefetched before it
// expires.
const PrefetchHits = 3

const (
	// prefetchShare is the last part of its TTL, one in so many, in which it is.
	prefetchShare = 10
)

// usable reports whether an answer that expired then may be given as a stale one.
func (r *Resolver) usable(o Outcome, expired, now int64) bool {
	return (o == Found || o == None) && now >= expired && now < expired+r.stale.Load()
}

// stale is the answer past its TTL that will do if the servers fail, or nil.
func (t *table[K, R]) stale(k K, o Options) *entry[R] {
	now := t.r.clock.Now()
	e := t.cache.get(k)
	if e == nil || o.MaxAge > 0 || !t.r.usable(e.outcome, e.expires(), now) {
		return nil
	}
	return e
}

// late reports whether a fresh answer is to be prefetched if it is often of use: it
// expires soon, and it has not been tried just now.
func (e *entry[R]) late(now int64) bool {
	return e.outcome != TempError && e.expires()-now <= int64(e.ttl)/prefetchShare && !e.refusedWithin(stalePause, now)
}

// due counts that an answer was of use, and reports whether it is to be prefetched.
func (res result[R]) due(o Options) bool {
	if !res.useful(1+min(o.Kept, PrefetchHits)) || !res.late {
		return false
	}
	res.hits.Store(0) // one caller will do, or a few
	return true
}

// prefetch queries k again while callers have the old answer, as long as half of all
// lookups that there may be is free: nobody waits for it.
func (t *table[K, R]) prefetch(k K) {
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || t.flights[k] != nil || 2*r.limiter.Flying() >= r.limiter.Most {
		return
	}
	r.counts.prefetched.Add(1)
	f := t.prepare(k, Options{})
	r.limiter.Take(&f.seat)
	t.start(k, f, nil)
}
