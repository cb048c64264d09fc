package resolver

import (
	"time"

	"policyd-rdns/resolver/internal/message"
)

const (
	// outageZones is how many unrelated zones must fail, with no good answer
	// between, before an outage is thought of. Who owns one silent zone is not
	// to make us believe that the DNS is away.
	outageZones = 3
	// outageWindow is how long the failure of a zone counts.
	outageWindow = 5 * time.Minute
)

// Outage is a time in which nothing could be learnt from any server.
type Outage struct {
	Begin time.Time
	// End is zero while it lasts.
	End time.Time
	// Why tells what became of the probe at each server, for people.
	Why string
}

// failedZone is a zone that could not be learnt about.
type failedZone struct {
	name string
	at   int64 // in milliseconds of Resolver.clock
}

// Outage reports whether no server answers: queries about several unrelated zones
// failed with no good answer between, and then no server answered a probe, neither
// for the name servers of the root nor about the zone of all reverse names. While it
// lasts the servers are probed every few seconds, and any good answer ends it. A
// server that knows one of these from its own cache answers, though it may learn
// nothing else.
//
// Answers that are past their TTL are then given at once, if Config.Stale allows
// it; other names are still queried.
func (r *Resolver) Outage() bool { return r.health.outage.Load() }

// zoneFailed records that no server could say anything about a name, now by
// Resolver.clock: failures of last night are no outage of this morning.
func (h *health) zoneFailed(name string, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	zone := zoneOf(name)
	kept := h.failed[:0]
	for _, f := range h.failed {
		if f.name != zone && now-f.at < outageWindow.Milliseconds() {
			kept = append(kept, f)
		}
	}
	if len(kept) == outageZones { // the oldest
		kept = append(kept[:0], kept[1:]...)
	}
	h.failed = append(kept, failedZone{zone, now})
}

// suspect reports whether there may be an outage. The caller holds h.mu.
func (h *health) suspect() bool { return len(h.failed) >= outageZones }

// zoneOf is the part of a name that is likely to be in one hand: two labels of a
// host name, a /16 of IPv4, a /32 of IPv6. It errs towards too large a part.
func zoneOf(name string) string {
	labels := 2
	switch {
	case message.Within("in-addr.arpa.", name):
		labels = 2 + 2
	case message.Within("ip6.arpa.", name):
		labels = 2 + 8
	}
	return message.Last(name, labels)
}

// begin declares an outage if there is one: several zones failed, and no server
// answered the last probe. The caller holds h.mu.
func (h *health) begin() {
	if h.outage.Load() || !h.suspect() {
		return
	}
	var why troubles
	for i := range h.list {
		if h.list[i].unresponsive == nil {
			return
		}
		why = append(why, h.list[i].unresponsive)
	}
	h.current = Outage{Begin: time.Now(), Why: why.Error()}
	h.outage.Store(true)
}

// end ends an outage. The caller holds h.mu.
func (h *health) end() {
	if !h.outage.Load() {
		return
	}
	h.outage.Store(false)
	h.current.End = time.Now()
	h.prober.kick()
}
