package resolver

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// servers are the recursive servers with what is known of their health.
type servers struct {
	mu      sync.Mutex
	list    []server // as configured
	timeout time.Duration
}

type server struct {
	addr netip.AddrPort
	// ill: it did not reply, refused or was lame the last time. That one zone
	// fails (SERVFAIL) says nothing about the server.
	ill bool
}

// set replaces the servers. Those that stay keep their health.
func (s *servers) set(addrs []netip.AddrPort, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]server, 0, len(addrs))
	for _, a := range addrs {
		old := slices.IndexFunc(s.list, func(v server) bool { return v.addr == a })
		list = append(list, server{addr: a, ill: old >= 0 && s.list[old].ill})
	}
	s.list, s.timeout = list, timeout
}

// order is the order to ask in, and the time for one try: as configured, those
// that are ill last.
func (s *servers) order() ([]netip.AddrPort, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := make([]netip.AddrPort, 0, len(s.list))
	for _, ill := range []bool{false, true} {
		for _, v := range s.list {
			if v.ill == ill {
				order = append(order, v.addr)
			}
		}
	}
	return order, s.timeout
}

// note records the health that a server has just shown.
func (s *servers) note(addr netip.AddrPort, ill bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list {
		if s.list[i].addr == addr {
			s.list[i].ill = ill
		}
	}
}
