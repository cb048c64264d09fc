package resolver

import (
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// fewBytes is what an ordinary answer takes at most, in bytes: one name,
	// half a dozen, or ten addresses.
	fewBytes = 256
	// fewTextBytes is the same of texts: the policy of a domain, among what it has to
	// prove to a dozen others that it is theirs.
	fewTextBytes = 1024
	// textShare is the part of the answers that there may be beside for texts and MX,
	// one in so many: a domain has few, for all of its hosts.
	textShare = 8
	// manyShare is the part of a cache, one in so many, that is there for
	// answers that are larger.
	manyShare = 64
)

// entry is what is kept of one answer. In the cache it is not modified any more,
// but for hits: who has got it may go on reading it. A million of them are the
// larger part of the program's memory, and to fetch them from there the larger
// part of a lookup: times are offsets, a record that is the only one has no place
// of its own, and all is within 64 bytes, one line of a processor's cache.
type entry[R any] struct {
	one  [1]R     // if there is one record
	rare *rare[R] // if there is anything in it
	at   int64    // when the server said so, in milliseconds of Resolver.clock
	ttl  uint32   // milliseconds after at
	// refused is when the last attempt to query again failed, in milliseconds
	// after at; 0 if none did since then.
	refused uint32
	outcome Outcome
	more    bool
	large   bool
	// hits is how often the entry was of use, as far as PrefetchHits.
	hits atomic.Uint32
}

// rare is what few entries have.
type rare[R any] struct {
	all []R   // if there are several
	err error // with TempError, or why the refresh failed
}

// keep sets the records.
func (e *entry[R]) keep(records []R) {
	if len(records) > 1 {
		e.rare = &rare[R]{all: records}
	} else if len(records) == 1 {
		e.one[0] = records[0]
	}
}

// records are those of an answer that is Found, nil of any other.
func (e *entry[R]) records() []R {
	switch {
	case e.outcome != Found:
		return nil
	case e.rare != nil && e.rare.all != nil:
		return e.rare.all
	}
	return e.one[:]
}

// blame sets why there is no answer, or no newer one.
func (e *entry[R]) blame(err error) {
	r := rare[R]{err: err}
	if e.rare != nil {
		r.all = e.rare.all
	}
	e.rare = &r
}

// why is the error, or nil.
func (e *entry[R]) why() error {
	if e.rare == nil {
		return nil
	}
	return e.rare.err
}

// useful counts that the entry was of use, so many times, and reports whether that was
// PrefetchHits times in all.
func (e *entry[R]) useful(times int) bool {
	return e.hits.Load() >= PrefetchHits || e.hits.Add(uint32(times)) >= PrefetchHits
}

// expires is when the entry is past its TTL, in milliseconds of Resolver.clock.
func (e *entry[R]) expires() int64 { return e.at + int64(e.ttl) }

// fresh reports whether the entry answers a query that takes answers as old as
// maxAge, in milliseconds; 0: of any age. Failures are no evidence that could
// grow old.
func (e *entry[R]) fresh(now, maxAge int64) bool {
	if now >= e.expires() {
		return false
	}
	return maxAge <= 0 || e.outcome == TempError || now-e.at <= maxAge
}

// refusedWithin reports whether the last attempt to query again failed, no longer than
// a pause ago.
func (e *entry[R]) refusedWithin(pause time.Duration, now int64) bool {
	return e.refused > 0 && now < e.at+int64(e.refused)+pause.Milliseconds()
}

// refuse is the entry with the news that querying again failed.
func (e *entry[R]) refuse(at int64, err error) *entry[R] {
	refused := &entry[R]{
		one: e.one, rare: e.rare, at: e.at, ttl: e.ttl, refused: uint32(max(at-e.at, 1)),
		outcome: e.outcome, more: e.more, large: e.large,
	}
	refused.blame(err)
	return refused
}

// cache holds the answers of one kind, the least recently used of them thrown
// out first. A few large ones have a place of their own, so that a hostile zone
// with a hundred records a name can fill that, but neither the memory nor the
// place of others.
type cache[K comparable, R any] struct {
	few, many *lru.Cache[K, *entry[R]]
	ordinary  int // what is not large takes at most, in bytes
}

func newCache[K comparable, R any](entries, ordinary int) (cache[K, R], error) {
	few, err := lru.New[K, *entry[R]](entries)
	if err != nil {
		return cache[K, R]{}, err
	}
	many, err := lru.New[K, *entry[R]](manyOf(entries))
	return cache[K, R]{few, many, ordinary}, err
}

func manyOf(entries int) int { return max(entries/manyShare, 1) }

func textsOf(entries int) int { return max(entries/textShare, 1) }

// get is the answer to k, or nil. It was used then.
func (c cache[K, R]) get(k K) *entry[R] {
	if e, ok := c.few.Get(k); ok {
		return e
	}
	e, _ := c.many.Get(k)
	return e
}

// put sets the answer to k, which is then first.
func (c cache[K, R]) put(k K, e *entry[R]) {
	if e.large {
		c.few.Remove(k)
		c.many.Add(k, e)
		return
	}
	c.many.Remove(k)
	c.few.Add(k, e)
}

func (c cache[K, R]) resize(entries int) {
	c.few.Resize(entries)
	c.many.Resize(manyOf(entries))
}

func (c cache[K, R]) size() int { return c.few.Len() + c.many.Len() }
