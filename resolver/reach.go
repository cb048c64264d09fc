package resolver

import (
	"context"
	"errors"
	"net/netip"
	"sync"
)

// reach is the last time that somebody wanted to know whether a server answers,
// and it had to be found out.
type reach struct {
	mu    sync.Mutex // held while servers are probed
	known bool
	at    int64 // in milliseconds of Resolver.clock
	told  error
}

// Reachable is nil if a server answers. The error is why none does, for
// people. While lookups are answered it costs nothing; else the servers are
// probed, once in 1.5 seconds at most, whoever wants to know, which takes up to 2 seconds.
// It must have returned before Close is called.
func (r *Resolver) Reachable(ctx context.Context) error {
	if known, err := r.health.reachable(); known {
		return err
	}
	r.reach.mu.Lock()
	defer r.reach.mu.Unlock()
	if !r.reach.known || r.clock.Now()-r.reach.at >= probePause.Milliseconds() {
		r.reach.told = r.probeAll(ctx)
		r.reach.known, r.reach.at = true, r.clock.Now()
	}
	return r.reach.told
}

// probeAll probes all servers.
func (r *Resolver) probeAll(ctx context.Context) error {
	servers, _ := r.health.order()
	var probing sync.WaitGroup
	for _, s := range servers {
		probing.Go(func() { r.probeServer(ctx, s) })
	}
	probing.Wait()
	return r.health.unresponsive(servers)
}

// reachable is whether a server answers, if that is known without a probe.
func (h *health) reachable() (known bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outage.Load() {
		return true, errors.New(h.current.Why)
	}
	for i := range h.list {
		if s := &h.list[i]; !s.failing && s.unresponsive == nil && s.tries.answered {
			return true, nil
		}
	}
	return false, nil
}

// unresponsive is why none of the servers answered its last probe, nil if one did.
func (h *health) unresponsive(servers []netip.AddrPort) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var why troubles
	for _, addr := range servers {
		s := h.find(addr)
		if s == nil {
			continue // a reload has taken it out
		}
		if s.unresponsive == nil {
			return nil
		}
		why = why.and(s.unresponsive)
	}
	return why
}
