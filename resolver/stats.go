package resolver

import (
	"sync/atomic"
	"time"

	"policyd-rdns/resolver/internal/message"
)

// Stats is what has happened since the Resolver was made, and how it is now.
type Stats struct {
	// Servers are as configured. One that is no longer is left out.
	Servers []ServerStats

	// Lookups are those of callers, but those that the cache could not answer
	// and that were to query nobody (CacheOnly). Those with Options.Uncounted
	// are counted when the caller says so (Count).
	Lookups    []LookupStats
	Hits       uint64 // lookups answered from the cache
	Misses     uint64 // all others
	Stale      uint64 // hits past their TTL
	Coalesced  uint64 // lookups that waited for the query of another
	Prefetched uint64 // answers queried again before they expired, for nobody
	Busy       uint64 // lookups refused with ErrBusy
	Share      uint64 // lookups refused with ErrShare
	// Displaced are lookups that were ended for others when there was no room.
	Displaced uint64
	Panics    uint64

	Entries  int // answers kept, those past their TTL included
	InFlight int // lookups under way
	Outage   bool
	Since    time.Time // the beginning of the outage
	Why      string    // what became of its probe at each server, for people
}

// Kind is what a query is for.
type Kind uint8

// The kinds of queries.
const (
	KindPTR  Kind = iota // the names of an address
	KindA                // the IPv4 addresses of a name
	KindAAAA             // the IPv6 addresses of a name
	KindTXT              // the texts of a domain
	KindMX               // the hosts that take the mail of a domain
	KindNS               // a probe, which begins with the name servers of the root
	numKinds
)

// String is the queried record type, such as "PTR".
func (k Kind) String() string { return [numKinds]string{"PTR", "A", "AAAA", "TXT", "MX", "NS"}[k] }

func kindOf(qtype uint16) Kind {
	switch qtype {
	case message.TypePTR:
		return KindPTR
	case message.TypeAAAA:
		return KindAAAA
	case message.TypeTXT:
		return KindTXT
	case message.TypeMX:
		return KindMX
	case message.TypeNS:
		return KindNS
	}
	return KindA
}

// Source is where a caller's answer came from.
type Source uint8

// The sources.
const (
	Queried Source = iota // servers were queried, or would have been
	Cached                // the cache
	Stale                 // the cache, past its TTL
	numSources
)

// String is the source's name in metrics.
func (s Source) String() string { return [numSources]string{"queried", "cache", "stale"}[s] }

// LookupStats counts lookups of one kind that came out alike.
type LookupStats struct {
	Kind    Kind
	Outcome Outcome
	Source  Source
	N       uint64
}

// counts are the counters of Stats.
type counts struct {
	lookups                       [numKinds][numOutcomes][numSources]atomic.Uint64
	coalesced, prefetched, panics atomic.Uint64
}

// Source is where the answer came from.
func (a *Answer) Source() Source {
	switch {
	case a.Stale:
		return Stale
	case a.Cached:
		return Cached
	}
	return Queried
}

// Count counts a lookup with Options.Uncounted: for who may have to make it several
// times, and wants it counted once. NotQueried is none.
func (r *Resolver) Count(k Kind, o Outcome, s Source) {
	if o != NotQueried && k < numKinds && o < numOutcomes && s < numSources {
		r.counts.lookups[k][o][s].Add(1)
	}
}

// stats fills in the lookups.
func (c *counts) stats(s *Stats) {
	for k := range numKinds {
		for o := range numOutcomes {
			for from := range numSources {
				n := c.lookups[k][o][from].Load()
				switch {
				case n == 0:
					continue
				case from == Queried:
					s.Misses += n
				case from == Stale:
					s.Stale += n
					s.Hits += n
				default:
					s.Hits += n
				}
				s.Lookups = append(s.Lookups, LookupStats{k, o, from, n})
			}
		}
	}
}

// Stats is a snapshot for metrics.
func (r *Resolver) Stats() Stats {
	c := &r.counts
	s := Stats{
		Coalesced: c.coalesced.Load(), Prefetched: c.prefetched.Load(), Panics: c.panics.Load(),
		Entries: r.names.cache.size() + r.hosts.cache.size() + r.texts.cache.size(),
	}
	c.stats(&s)
	r.health.stats(&s)
	r.mu.Lock()
	defer r.mu.Unlock()
	s.InFlight = r.limiter.Flying()
	s.Busy, s.Share, s.Displaced = r.limiter.Busy, r.limiter.Shared, r.limiter.Displaced
	return s
}

func (h *health) stats(s *Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Outage = h.outage.Load(); s.Outage {
		s.Since, s.Why = h.current.Begin, h.current.Why
	}
	for i := range h.list {
		one := ServerStats{Addr: h.list[i].addr, Failing: h.list[i].failing}
		h.list[i].tries.stats(&one)
		s.Servers = append(s.Servers, one)
	}
}
