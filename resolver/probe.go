package resolver

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// probeTimeout bounds one probe. Together with probePause it is how soon a
	// server that answers again is seen: within 4 seconds.
	probeTimeout = 2 * time.Second
	// probePause is the time from the end of a round of probes to the next.
	probePause = 2 * time.Second
)

// prober is the goroutine that puts probes to servers that are ill, and to all
// of them when an outage is suspected. There is none while all is well.
type prober struct {
	cancel context.CancelFunc // nil: none is at work
	wake   chan struct{}      // has room for one: there is news
	rested time.Time          // the end of the last round
	told   bool               // that there is an outage
	closed bool
}

// kick has the prober look at the news.
func (p *prober) kick() {
	select {
	case p.wake <- struct{}{}:
	default: // it will, or there is none
	}
}

// watch starts the prober if there is something to find out. It is called on a
// flight, so that Close waits for it.
func (r *Resolver) watch(ctx context.Context) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.prober.closed || len(h.targets()) == 0:
	case h.prober.cancel != nil:
		h.prober.kick()
	default:
		ctx, h.prober.cancel = context.WithCancel(context.WithoutCancel(ctx))
		r.flights.Go(func() { r.probe(ctx) })
	}
}

// close ends the prober.
func (h *health) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prober.closed = true
	if h.prober.cancel != nil {
		h.prober.cancel()
	}
}

// targets are the servers to probe. The caller holds h.mu.
func (h *health) targets() []netip.AddrPort {
	all := h.suspect() || h.outage.Load()
	var targets []netip.AddrPort
	for _, s := range h.list {
		if all || s.ill {
			targets = append(targets, s.addr)
		}
	}
	return targets
}

// probe goes on until every server is well.
func (r *Resolver) probe(ctx context.Context) {
	h := &r.health
	begin := time.Now()
	for ctx.Err() == nil {
		r.tell()
		targets, wait, ok := h.next(begin)
		if !ok {
			return
		}
		if wait > 0 {
			h.prober.rest(ctx, wait)
			continue
		}
		var wg sync.WaitGroup
		for _, s := range targets {
			wg.Go(func() { r.probeServer(ctx, s) })
		}
		wg.Wait()
		h.judge(ctx, targets)
	}
}

// next is what to probe, and how long to wait before. It is not ok when there is
// nothing left to probe or to tell; the prober is then no longer at work.
func (h *health) next(begin time.Time) (targets []netip.AddrPort, wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	targets = h.targets()
	if len(targets) == 0 && h.outage.Load() == h.prober.told {
		h.prober.cancel()
		h.prober.cancel = nil
		return nil, 0, false
	}
	last := h.prober.rested
	if !h.suspect() && last.Before(begin) { // it has just failed
		last = begin
	}
	return targets, time.Until(last.Add(probePause)), true
}

// rest waits, or until there is news.
func (p *prober) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
	case <-ctx.Done():
	}
}

// probeServer asks one server for the name servers of the root. Any proper
// reply will do.
func (r *Resolver) probeServer(ctx context.Context, s netip.AddrPort) {
	defer r.rescue("probe", func(err error) { r.health.silent(s, err) })
	begin := time.Now()
	_, err := r.try(ctx, s, probeTimeout, dns.TypeNS, newChain("."), nil)
	if err != nil {
		r.health.silent(s, err)
		return
	}
	r.health.answered(s, time.Since(begin))
}

// silent records a probe that was not answered.
func (h *health) silent(addr netip.AddrPort, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.find(addr); s != nil {
		s.mute = err
		s.failures++
	}
}

// judge ends a round of probes, and declares an outage if there is one.
func (h *health) judge(ctx context.Context, asked []netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prober.rested = time.Now()
	if ctx.Err() == nil && len(asked) == len(h.list) {
		h.begin()
	}
}

// tell hands on that an outage has begun or ended. Only the prober does so, so
// that the one follows the other.
func (r *Resolver) tell() {
	h := &r.health
	h.mu.Lock()
	outage, news := h.current, h.outage.Load() != h.prober.told
	h.prober.told = h.outage.Load()
	h.mu.Unlock()
	if news && r.onOutage != nil {
		defer r.rescue("OnOutage", func(error) {})
		r.onOutage(outage)
	}
}
