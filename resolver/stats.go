package resolver

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// Stats is what has happened since the Resolver was made, and how it is now.
type Stats struct {
	// Servers are as configured. One that is no longer is left out.
	Servers []ServerStats

	Hits   uint64 // look-ups answered from the cache
	Misses uint64 // all others, but those of CacheOnly
	Stale  uint64 // hits past their TTL
	Joined uint64 // look-ups that waited for the question of another
	Ahead  uint64 // answers asked again before they expired, for nobody
	Busy   uint64 // look-ups refused with ErrBusy
	Share  uint64 // look-ups refused with ErrShare
	Panics uint64

	Entries  int // answers kept, those past their TTL included
	InFlight int // look-ups under way
	Outage   bool
}

// ServerStats is what one server has done.
type ServerStats struct {
	Addr netip.AddrPort
	// Ill: it is asked last until it answers again.
	Ill      bool
	Answers  uint64
	Failures uint64 // tries without an answer: SERVFAIL, REFUSED, silence, …
	// Took is how long it took for all of Answers together.
	Took time.Duration
}

// counts are the counters of Stats.
type counts struct {
	hits, misses, stale, joined, ahead, busy, share, panics atomic.Uint64
}

// add counts a look-up.
func (c *counts) add(o Outcome, cached, stale bool) {
	switch {
	case cached:
		c.hits.Add(1)
	case o != NotAsked:
		c.misses.Add(1)
	}
	if stale {
		c.stale.Add(1)
	}
}

// Stats is a snapshot for metrics.
func (r *Resolver) Stats() Stats {
	c := &r.counts
	s := Stats{
		Servers: r.health.stats(),
		Hits:    c.hits.Load(), Misses: c.misses.Load(), Stale: c.stale.Load(), Joined: c.joined.Load(),
		Ahead: c.ahead.Load(), Busy: c.busy.Load(), Share: c.share.Load(), Panics: c.panics.Load(),
		Entries: r.names.cache.size() + r.hosts.cache.size(),
		Outage:  r.Outage(),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.InFlight = r.flying
	return s
}

func (h *health) stats() []ServerStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	var stats []ServerStats
	for _, s := range h.list {
		stats = append(stats, ServerStats{Addr: s.addr, Ill: s.ill, Answers: s.answers, Failures: s.failures, Took: s.took})
	}
	return stats
}
