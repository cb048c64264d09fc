package admission

import (
	"log/slog"
	"net/netip"
	"time"
)

const (
	// crowdPause is how often an operator is told of a crowd.
	crowdPause = 10 * time.Minute
	// maxZoneText bounds a zone in a message, in bytes. Who is told of it chose it.
	maxZoneText = 100
)

// Crowd is what an operator is told when lookups are refused for want of room:
// who holds most.
type Crowd struct {
	zone         string
	ofZone       int
	network      netip.Prefix
	ofNetwork    int
	flying, most int
	refused      uint64 // and displaced, since an operator was told last
}

// crowded notes that a lookup was refused or displaced.
func (l *Limiter) crowded() {
	l.refused++
	if !l.warned.IsZero() && time.Since(l.warned) < crowdPause {
		return
	}
	c := &Crowd{flying: l.Flying(), most: l.Most, refused: l.refused}
	for _, row := range []*row{&l.helo, &l.rest} {
		for h := range row.charged {
			c.count(h, l.helo.charged[h]+l.rest.charged[h])
		}
	}
	l.warned, l.refused = time.Now(), 0
	l.crowd = c
}

// count takes what one holds. Of equals the first is told, so that it is always the same.
func (c *Crowd) count(h charge, n int) {
	switch {
	case h.network.IsValid():
		if n > c.ofNetwork || n == c.ofNetwork && h.network.Addr().Less(c.network.Addr()) {
			c.network, c.ofNetwork = h.network, n
		}
	case n > c.ofZone || n == c.ofZone && h.zone < c.zone:
		c.zone, c.ofZone = h.zone, n
	}
}

// Crowd is what an operator is to be told, once; nil: nothing.
func (l *Limiter) Crowd() *Crowd {
	c := l.crowd
	l.crowd = nil
	return c
}

// Tell tells an operator.
func (c *Crowd) Tell(log *slog.Logger) {
	args := []any{"zone", c.zone[:min(len(c.zone), maxZoneText)], "zone_lookups", c.ofZone}
	if c.network.IsValid() {
		args = append(args, "network", c.network, "network_lookups", c.ofNetwork)
	}
	log.Warn("too many DNS lookups under way: some are refused; told once in 10 minutes, with who holds most",
		append(args, "lookups", c.flying, "max_inflight", c.most, "refused", c.refused)...)
}
