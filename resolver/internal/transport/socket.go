package transport

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// socketQueries is how many queries a socket is good for, one after the
	// other. To open one and close it again costs more than all else that is sent
	// and received for a query; few are sent from one port, lest somebody
	// finds out which it is (RFC 5452 section 9.2).
	socketQueries = 8
	// socketTime is how long a socket is good for.
	socketTime = 5 * time.Second
	// maxSockets bounds those that wait for a query.
	maxSockets = 64
)

// sockets are the UDP sockets that were used and may be used again. The port of each
// was chosen by the system, at random, and each has one query at a time, so
// that queries under way at the same time have different ones.
type sockets struct {
	mu     sync.Mutex
	idle   []*socket // those opened first come first
	sweep  *time.Timer
	closed bool
}

// socket is a UDP socket that is connected to a server: the system passes over
// what others send to it.
type socket struct {
	*net.UDPConn
	server  netip.AddrPort
	opened  time.Time
	queries int
}

// take gives a socket for one query.
func (s *sockets) take(server netip.AddrPort) (*socket, error) {
	if idle := s.find(server); idle != nil {
		return idle, nil
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	return &socket{UDPConn: conn, server: server, opened: time.Now()}, nil
}

// find takes a socket out that waits, or gives nil.
func (s *sockets) find(server netip.AddrPort) *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	i := slices.IndexFunc(s.idle, func(c *socket) bool { return c.server == server })
	if i < 0 {
		return nil
	}
	c := s.idle[i]
	s.idle = slices.Delete(s.idle, i, i+1)
	return c
}

// put takes a socket back whose query was answered.
func (s *sockets) put(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.queries++
	if s.closed || c.queries >= socketQueries || len(s.idle) == maxSockets {
		_ = c.Close()
		return
	}
	i, _ := slices.BinarySearchFunc(s.idle, c, func(a, b *socket) int { return a.opened.Compare(b.opened) })
	s.idle = slices.Insert(s.idle, i, c)
	s.drop()
	if len(s.idle) > 0 && s.sweep == nil {
		s.sweep = time.AfterFunc(socketTime, s.swept)
	}
}

// drop closes those that are too old. The caller holds s.mu.
func (s *sockets) drop() {
	n := 0
	for n < len(s.idle) && time.Since(s.idle[n].opened) >= socketTime {
		_ = s.idle[n].Close()
		n++
	}
	s.idle = slices.Delete(s.idle, 0, n)
}

// swept closes those that nobody had a query for.
func (s *sockets) swept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	if s.sweep = nil; len(s.idle) > 0 {
		s.sweep = time.AfterFunc(socketTime, s.swept)
	}
}

// close closes those that wait; those that are in use are closed when they come
// back.
func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.idle {
		_ = c.Close()
	}
	s.idle = nil
	if s.sweep != nil {
		s.sweep.Stop()
	}
}
