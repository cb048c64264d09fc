package web

import (
	"net/netip"
	"sync"
	"time"
)

// maxKeys bounds the keys that a [Limiter] knows, in each of two generations: some 100
// bytes each.
const maxKeys = 4096

// Limiter lets so many through, for each key on its own. It knows a bounded number of
// keys: where more come it forgets those that were not used for longest, which may then
// begin anew. Its methods may be called from any number of goroutines.
type Limiter[K comparable] struct {
	Every time.Duration // one in so long a time
	Burst int           // at once, after a rest; at least 1

	mu         sync.Mutex
	young, old map[K]time.Time // when the key will have all of its burst again
}

// Take lets one through, or says how long it takes until one may.
func (l *Limiter[K]) Take(k K, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.full(k, now)
	if wait := full.Sub(now) - time.Duration(l.Burst-1)*l.Every; wait > 0 {
		return wait
	}
	if len(l.young) >= maxKeys {
		l.old, l.young = l.young, nil
	}
	if l.young == nil {
		l.young = make(map[K]time.Time)
	}
	l.young[k] = full.Add(l.Every)
	return 0
}

// full is when the key has all of its burst again, if nobody takes any. The caller holds
// l.mu.
func (l *Limiter[K]) full(k K, now time.Time) time.Time {
	full, ok := l.young[k]
	if !ok {
		full = l.old[k]
	}
	if full.Before(now) {
		return now
	}
	return full
}

// Party is what one party has, as far as anybody can tell: an IPv4 address, or a /64 of
// IPv6. Of the zero Addr it is the zero Addr.
func Party(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64) // has as many bits
		return p.Addr()
	}
	return a
}
