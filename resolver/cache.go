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
	// manyShare is the part of a cache, one in so many, that is there for
	// answers that are larger.
	manyShare = 64
	// maxBytes bounds what is kept of one answer: MaxRecords names of ordinary
	// length, but not MaxRecords of the 1000 bytes that a name may take.
	maxBytes = 16 << 10
)

// entry is what is kept of one answer. In the cache it is not modified any more,
// but for hits: who has got it may go on reading it. A million of them are the
// larger part of the program's memory, and to fetch them from there the larger
// part of a lookup: times are offsets, a record that is the only one has no place
// of its own, and all is within 64 bytes, which is one line of a
// processor's cache.
type entry[R any] struct {
	one  [1]R     // if there is one record
	rare *rare[R] // if there is anything in it
	at   int64    // when the server said so, in milliseconds of Resolver.clock
	ttl  uint32   // milliseconds after at
	// refused is when the last attempt to ask again failed, in milliseconds
	// after at; 0 if none did since then.
	refused uint32
	outcome Outcome
	more    bool
	large   bool
	use     use
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

// use is what is known of the use of an entry, in one word, that an entry takes
// no more memory: in the two low bits how often it was of use, as far as
// aheadHits, above them in which
// turn of the cache it was last put first, counted from 1, so that 0 is never.
type use struct{ word atomic.Uint32 }

// useHits has the two low bits; aheadHits has to fit. useTurn is how many are below
// the turn.
const (
	useHits = 3
	useTurn = 2
	_       = uint(useHits - aheadHits)
)

// count counts that the entry was of use and says whether that was aheadHits
// times.
func (u *use) count() bool {
	for {
		old := u.word.Load()
		if old&useHits >= aheadHits {
			return true
		}
		if u.word.CompareAndSwap(old, old+1) {
			return old&useHits+1 >= aheadHits
		}
	}
}

// forget begins to count anew.
func (u *use) forget() { u.word.And(^uint32(useHits)) }

// first says that the entry is to be put first among those that were used, which
// is no more than once a turn: it takes a lock that all share, and memory that is
// far apart.
func (u *use) first(turn uint32) bool {
	old := u.word.Load()
	turn <<= useTurn
	return old>>useTurn != turn>>useTurn && u.word.CompareAndSwap(old, turn|old&useHits)
}

// expires is when the entry is past its TTL, in milliseconds of Resolver.clock.
func (e *entry[R]) expires() int64 { return e.at + int64(e.ttl) }

// fresh says that the entry answers a question that takes answers as old as
// maxAge, in milliseconds; 0: of any age. Failures are no evidence that could
// grow old.
func (e *entry[R]) fresh(now, maxAge int64) bool {
	if now >= e.expires() {
		return false
	}
	return maxAge <= 0 || e.outcome == TempError || now-e.at <= maxAge
}

// refusedWithin says that the last attempt to ask again failed, no longer than a
// pause ago.
func (e *entry[R]) refusedWithin(pause time.Duration, now int64) bool {
	return e.refused > 0 && now < e.at+int64(e.refused)+pause.Milliseconds()
}

// refuse is the entry with the news that asking again failed.
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
	turn      *atomic.Int64 // milliseconds: see turnOf
}

func newCache[K comparable, R any](entries int) (cache[K, R], error) {
	few, err := lru.New[K, *entry[R]](entries)
	if err != nil {
		return cache[K, R]{}, err
	}
	many, err := lru.New[K, *entry[R]](manyOf(entries))
	c := cache[K, R]{few, many, new(atomic.Int64)}
	c.turn.Store(turnOf(entries))
	return c, err
}

// turnOf is how often the order of a cache's entries is looked after, in
// milliseconds: no more often than those who ask for names that nobody has asked
// for could fill it anew.
func turnOf(entries int) int64 {
	const perSecond = 50_000 // more than two processors can ask for
	return max(1000, int64(entries)*1000/perSecond)
}

func manyOf(entries int) int { return max(entries/manyShare, 1) }

// get is the answer to k, or nil. It was used then.
func (c cache[K, R]) get(k K, now int64) *entry[R] {
	e := c.peek(k)
	switch {
	case e == nil || !e.use.first(c.turnAt(now)):
	case e.large:
		c.many.Get(k)
	default:
		c.few.Get(k)
	}
	return e
}

func (c cache[K, R]) peek(k K) *entry[R] {
	if e, ok := c.few.Peek(k); ok {
		return e
	}
	e, _ := c.many.Peek(k)
	return e
}

// turnAt is the turn at a time, from 1.
func (c cache[K, R]) turnAt(now int64) uint32 { return uint32(now/c.turn.Load()) + 1 }

// put sets the answer to k, which is then first.
func (c cache[K, R]) put(k K, e *entry[R], now int64) {
	e.use.first(c.turnAt(now))
	if e.large {
		c.few.Remove(k)
		c.many.Add(k, e)
		return
	}
	c.many.Remove(k)
	c.few.Add(k, e)
}

func (c cache[K, R]) resize(entries int) {
	c.turn.Store(turnOf(entries))
	c.few.Resize(entries)
	c.many.Resize(manyOf(entries))
}

func (c cache[K, R]) size() int { return c.few.Len() + c.many.Len() }
