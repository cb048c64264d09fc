package daemon

import (
	"hash/maphash"
	"sync"
)

// maxTagged bounds the messages that are remembered: of all that may be under way at
// once in Postfix (default_process_limit in postconf(5)) many times over.
const maxTagged = 10_000

// tagged remembers which messages have been given the header of a tag. Postfix asks for
// each recipient, and would add one each time. The zero value knows of none. It takes
// some 400 KiB at most, whatever instances are called.
type tagged struct {
	mu   sync.Mutex
	seed maphash.Seed
	have map[uint64]struct{} // hashes of instances
	turn []uint64            // the same, as a ring
	next int                 // the oldest in it, once it is full
}

// first reports whether a message has not been seen before, and remembers it. One
// without an instance is new each time.
func (t *tagged) first(instance string) bool {
	if instance == "" {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.have == nil {
		t.seed, t.have = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	h := maphash.String(t.seed, instance)
	if _, ok := t.have[h]; ok {
		return false
	}
	t.have[h] = struct{}{}
	if len(t.turn) < maxTagged {
		t.turn = append(t.turn, h)
		return true
	}
	delete(t.have, t.turn[t.next])
	t.turn[t.next] = h
	t.next = (t.next + 1) % maxTagged
	return true
}
