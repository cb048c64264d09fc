package resolver

import (
	"net/netip"
	"time"
)

const (
	// crowdPause is how often an operator is told of a crowd.
	crowdPause = 10 * time.Minute
	// maxZoneText bounds a zone in a message, in bytes. Who is told of it chose it.
	maxZoneText = 100
)

// crowd is what an operator is told when lookups are refused for want of room:
// who holds most.
type crowd struct {
	zone         string
	ofZone       int
	network      netip.Prefix
	ofNetwork    int
	flying, most int
	refused      uint64 // and displaced, since an operator was told last
}

// crowded notes that a lookup was refused or displaced. The caller holds r.mu, and
// calls tellCrowd when it no longer does.
func (r *Resolver) crowded() {
	r.refused++
	if !r.warned.IsZero() && time.Since(r.warned) < crowdPause {
		return
	}
	c := &crowd{flying: r.flying(), most: r.maxInFlight, refused: r.refused}
	for _, row := range []*row{&r.helo, &r.rest} {
		for h := range row.charged {
			c.see(h, r.helo.charged[h]+r.rest.charged[h])
		}
	}
	r.warned, r.refused = time.Now(), 0
	r.crowd.Store(c)
}

// see takes what one holds. Of equals the first is told, so that it is always the same.
func (c *crowd) see(h charge, n int) {
	switch {
	case h.network.IsValid():
		if n > c.ofNetwork || n == c.ofNetwork && h.network.Addr().Less(c.network.Addr()) {
			c.network, c.ofNetwork = h.network, n
		}
	case n > c.ofZone || n == c.ofZone && h.zone < c.zone:
		c.zone, c.ofZone = h.zone, n
	}
}

// tellCrowd tells an operator, if it is time.
func (r *Resolver) tellCrowd() {
	if r.crowd.Load() == nil {
		return
	}
	c := r.crowd.Swap(nil)
	if c == nil {
		return // somebody else does
	}
	args := []any{"zone", c.zone[:min(len(c.zone), maxZoneText)], "zone_lookups", c.ofZone}
	if c.network.IsValid() {
		args = append(args, "network", c.network, "network_lookups", c.ofNetwork)
	}
	r.log.Warn("too many DNS lookups under way: some are refused; told once in 10 minutes, with who holds most",
		append(args, "lookups", c.flying, "max_inflight", c.most, "refused", c.refused)...)
}
