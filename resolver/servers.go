package resolver

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/resolver/internal/transport"
)

// health is what is known of the recursive servers, one by one and as a whole.
type health struct {
	outage atomic.Bool

	mu      sync.Mutex // guards what follows
	list    []server   // as configured
	timeout time.Duration
	failed  []failedZone // since the last good answer
	current Outage       // if outage
	prober  prober
}

type server struct {
	addr netip.AddrPort
	// failing: it did not reply, refused or was lame the last time. That one zone
	// fails (SERVFAIL) says nothing about the server.
	failing bool
	// unresponsive is why it gave no answer to the last probe; nil if it did, or has
	// answered something since.
	unresponsive error
	tries        tries
}

// set replaces the servers. Those that stay keep what is known of them.
func (h *health) set(addrs []netip.AddrPort, timeout time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]server, 0, len(addrs))
	for _, a := range addrs {
		s := server{addr: a}
		if old := h.find(a); old != nil {
			s = *old
		}
		list = append(list, s)
	}
	h.list, h.timeout = list, timeout
}

// find is what is known of a server, or nil. The caller holds h.mu.
func (h *health) find(addr netip.AddrPort) *server {
	i := slices.IndexFunc(h.list, func(s server) bool { return s.addr == addr })
	if i < 0 {
		return nil
	}
	return &h.list[i]
}

// healthy reports whether a server answered the last time.
func (h *health) healthy(addr netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	return s != nil && !s.failing
}

// patience is the time for one try.
func (h *health) patience() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.timeout
}

// order is the order to query in, and the time for one try: as configured, those
// that are failing last.
func (h *health) order() ([]netip.AddrPort, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	order := make([]netip.AddrPort, 0, len(h.list))
	for _, failing := range []bool{false, true} {
		for _, s := range h.list {
			if s.failing == failing {
				order = append(order, s.addr)
			}
		}
	}
	return order, h.timeout
}

// answered records a good answer. A single one shows that there is no outage.
func (h *health) answered(addr netip.AddrPort, k Kind, o Outcome, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.find(addr); s != nil {
		s.failing, s.unresponsive = false, nil
		s.tries.answer(k, o, took)
	}
	h.failed = h.failed[:0]
	h.end()
}

// failure records a try that gave no answer.
func (h *health) failure(addr netip.AddrPort, k Kind, f *transport.Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	if s == nil || f.Own {
		return
	}
	s.failing = s.failing || f.AtFault
	s.tries.failure(k)
}
