package resolver

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

const (
	// probeTimeout bounds each of the queries of a probe. Together with probePause
	// it is how soon a server that answers again is seen: within 2.5 seconds.
	probeTimeout = time.Second
	probeQueries = 2
	// probePause is the time from the end of a round of probes to the next, and
	// from the first failure to the first round.
	probePause = 1500 * time.Millisecond
)

// probes are the queries of a probe, one after the other until one is answered: a
// datagram may be lost, and some servers do not say to a client what they must know,
// the name servers of the root (a forwarder that takes that for an attack, or serves
// only its own zones). The other is of the kind that clients have us make, about the
// zone that nearly all of these are in, and its answer, "no such record", is kept as
// well. None is about a zone that a stranger could have fail or answer.
func probes() [probeQueries]message.Query {
	return [...]message.Query{{Name: ".", Type: message.TypeNS}, {Name: "in-addr.arpa.", Type: message.TypePTR}}
}

// prober is the goroutine that puts probes to the servers while one of them is
// failing or an outage is suspected. There is none while all is well.
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
func (r *Resolver) watch() {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.prober.closed || !h.troubled():
	case h.prober.cancel != nil:
		h.prober.kick()
	default:
		var ctx context.Context
		ctx, h.prober.cancel = context.WithCancel(context.Background())
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

// troubled reports whether there is a reason to probe. The caller holds h.mu.
func (h *health) troubled() bool {
	failing := func(s server) bool { return s.failing }
	return h.suspect() || h.outage.Load() || slices.ContainsFunc(h.list, failing)
}

// probe goes on until every server is healthy. It queries all of them, so that each
// round can tell an outage.
func (r *Resolver) probe(ctx context.Context) {
	h := &r.health
	begin := time.Now()
	for ctx.Err() == nil {
		r.tell()
		wait, ok := h.next(begin)
		if !ok {
			return
		}
		if wait > 0 {
			h.prober.rest(ctx, wait)
			continue
		}
		servers, _ := h.order()
		var wg sync.WaitGroup
		for _, s := range servers {
			wg.Go(func() { r.probeServer(ctx, s) })
		}
		wg.Wait()
		h.judge(ctx)
	}
}

// next is how long to wait before the next round. It is not ok when there is no
// reason left for one, and nothing to tell; the prober is then no longer at work.
func (h *health) next(begin time.Time) (wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.troubled() && h.outage.Load() == h.prober.told {
		h.prober.cancel()
		h.prober.cancel = nil
		return 0, false
	}
	last := h.prober.rested
	if !h.suspect() && last.Before(begin) { // it has just failed
		last = begin
	}
	return time.Until(last.Add(probePause)), true
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

// probeServer puts the queries of a probe to one server. Any proper reply will
// do.
func (r *Resolver) probeServer(ctx context.Context, s netip.AddrPort) {
	defer r.rescue("probe", func(err error) { r.health.silent(s, err) })
	var cut transport.Cutoff
	defer context.AfterFunc(ctx, func() { cut.Cut(ctx.Err()) })()
	var why troubles
	for _, q := range probes() {
		begin := time.Now()
		f, err := r.try(&cut, s, probeTimeout, q.Type, message.NewChain(q.Name), nil)
		if err == nil {
			r.health.answered(s, KindNS, f.outcome, time.Since(begin))
			return
		}
		why = why.and(err)
	}
	r.health.silent(s, why)
}

// silent records a probe that was not answered.
func (h *health) silent(addr netip.AddrPort, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.find(addr); s != nil {
		s.unresponsive = err
		s.tries.failure(KindNS)
	}
}

// judge ends a round of probes, and declares an outage if there is one.
func (h *health) judge(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prober.rested = time.Now()
	if ctx.Err() == nil {
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
