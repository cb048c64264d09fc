// Package memo remembers what was made of keys that come again and again: to make it anew is
// a third of a request that is answered from the cache, and a sixth of reading a log.
package memo

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	// sets and ways are in how many sets a table has its keys, and how many each set holds.
	// With one way ten thousand keys would push each other out of sixteen thousand places.
	sets = 1 << 12
	ways = 4
)

// Table has what was made of the last keys, 16,384 at most. Which ones share a set a stranger
// cannot know. The zero value has nothing yet; it is safe for concurrent use.
type Table[K comparable, V any] [sets]set[K, V]

// set is where the keys of one hash have their places. A tag is a part of the hash that tells
// most keys apart without a look at them, which are elsewhere in memory.
type set[K comparable, V any] struct {
	tags [ways]atomic.Uint32
	next atomic.Uint32 // place to be given away
	made [ways]atomic.Pointer[made[K, V]]
}

// made is what was made of a key.
type made[K comparable, V any] struct {
	of   K
	made V
}

var seed = maphash.MakeSeed()

func (t *Table[K, V]) of(key K) (s *set[K, V], tag uint32) {
	h := maphash.Comparable(seed, key)
	return &t[h%sets], uint32(h>>32) | 1
}

// Find is what was made of a key, which is not to be modified; nil: it is not remembered.
func (t *Table[K, V]) Find(key K) *V {
	s, tag := t.of(key)
	for i := range s.tags {
		if s.tags[i].Load() != tag {
			continue
		}
		if m := s.made[i].Load(); m != nil && m.of == key {
			return &m.made
		}
	}
	return nil
}

// Keep remembers what was made of a key, in place of what was made of it before, or else
// of one that has been there for longer.
func (t *Table[K, V]) Keep(key K, what V) {
	s, tag := t.of(key)
	place := -1
	for i := range s.tags {
		m := s.made[i].Load()
		if m != nil && m.of == key {
			place = i
			break
		}
		if m == nil && place < 0 {
			place = i
		}
	}
	if place < 0 {
		place = int(s.next.Add(1) % ways)
	}
	s.made[place].Store(&made[K, V]{key, what})
	s.tags[place].Store(tag)
}
