package resolver

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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
	// ill: it did not reply, refused or was lame the last time. That one zone
	// fails (SERVFAIL) says nothing about the server.
	ill bool
	// mute is why it gave no answer to the last probe; nil if it did, or has
	// answered something since.
	mute error
	// folded is how many questions in a row it has not repeated in their case, and
	// foldedAt when the last was.
	folded   int
	foldedAt time.Time

	tries tries
}

const (
	// foldTimes is after how many questions in a row that a server has folded it is
	// taken for one that does, and foldTime for how long its questions are then not
	// put twice for that. Somebody who wants it to be taken so has to guess as many
	// IDs and ports, with no reply of the server between.
	foldTimes = 4
	foldTime  = time.Hour
)

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

// well says that a server answered the last time.
func (h *health) well(addr netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	return s != nil && !s.ill
}

// patience is the time for one try.
func (h *health) patience() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.timeout
}

// order is the order to ask in, and the time for one try: as configured, those
// that are ill last.
func (h *health) order() ([]netip.AddrPort, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	order := make([]netip.AddrPort, 0, len(h.list))
	for _, ill := range []bool{false, true} {
		for _, s := range h.list {
			if s.ill == ill {
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
		s.ill, s.mute = false, nil
		s.tries.answer(k, o, took)
	}
	h.failed = h.failed[:0]
	h.end()
}

// failing records a try that gave no answer.
func (h *health) failing(addr netip.AddrPort, k Kind, f *failing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	if s == nil || f.own {
		return
	}
	s.ill = s.ill || f.ill
	s.tries.failure(k)
}

// keepsCase says that a server may repeat the case of a question.
func (h *health) keepsCase(addr netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	return s == nil || s.folded < foldTimes || time.Since(s.foldedAt) >= foldTime
}

// repeated records whether a server has repeated the case of a question.
func (h *health) repeated(addr netip.AddrPort, itsCase bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(addr)
	switch {
	case s == nil:
	case itsCase:
		s.folded = 0
	default:
		s.folded, s.foldedAt = s.folded+1, time.Now()
	}
}
