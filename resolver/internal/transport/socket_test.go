package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// listenUDP is an address that nobody answers at.
func listenUDP(t *testing.T) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// took takes a socket.
func took(t *testing.T, s *sockets, server netip.AddrPort) *socket {
	t.Helper()
	c, err := s.take(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// isOpen says whether a socket is.
func (c *socket) isOpen() bool { return c.SetDeadline(time.Time{}) == nil }

// TestSocketReuse: a socket asks few queries, one at a time and one server, and not
// for long.
func TestSocketReuse(t *testing.T) {
	a, b := listenUDP(t), listenUDP(t)
	var s sockets
	defer s.close()

	first := took(t, &s, a)
	if second := took(t, &s, a); second == first || second.LocalAddr().String() == first.LocalAddr().String() {
		t.Error("two queries at the same time have one port")
	}
	for n := 1; n < socketQueries; n++ {
		s.put(first)
		if other := took(t, &s, b); other == first {
			t.Fatal("a socket of one server was given for another")
		}
		if got := took(t, &s, a); got != first {
			t.Fatalf("query %d was given another socket", n+1)
		}
	}
	s.put(first)
	if took(t, &s, a) == first || first.isOpen() {
		t.Errorf("after %d queries a socket is given again, or open: %v", socketQueries, first.isOpen())
	}

	old := took(t, &s, a)
	old.opened = time.Now().Add(-socketTime)
	s.put(old)
	if took(t, &s, a) == old || old.isOpen() {
		t.Errorf("after %v a socket is given again, or open: %v", socketTime, old.isOpen())
	}
}

// TestSocketsSwept: sockets that nobody needs are closed.
func TestSocketsSwept(t *testing.T) {
	server := listenUDP(t)
	var s sockets
	defer s.close()
	old, young := took(t, &s, server), took(t, &s, server)
	s.put(young)
	s.put(old)
	if s.sweep == nil {
		t.Fatal("nobody comes to look after sockets that wait")
	}
	old.opened = old.opened.Add(-socketTime)
	s.swept()
	if old.isOpen() || !young.isOpen() || s.sweep == nil {
		t.Errorf("after a sweep the old one is open: %v, the young one: %v, another sweep to come: %v; want false, true and true",
			old.isOpen(), young.isOpen(), s.sweep != nil)
	}
	young.opened = young.opened.Add(-socketTime)
	s.swept()
	if young.isOpen() || s.sweep != nil {
		t.Errorf("after the last sweep it is open: %v, another to come: %v; want neither", young.isOpen(), s.sweep != nil)
	}
}

// TestSocketsBounded: no more wait than may, and none after the end.
func TestSocketsBounded(t *testing.T) {
	server := listenUDP(t)
	var s sockets
	var all []*socket
	for range maxSockets + 10 {
		all = append(all, took(t, &s, server))
	}
	var putting sync.WaitGroup
	for _, c := range all[1:] {
		putting.Go(func() { s.put(c) })
	}
	putting.Wait()
	open := 0
	for _, c := range all {
		if c.isOpen() {
			open++
		}
	}
	if want := maxSockets + 1; open != want {
		t.Errorf("%d sockets are open; want %d", open, want)
	}
	s.close()
	s.put(all[0])
	for _, c := range all {
		if c.isOpen() {
			t.Fatal("after the end a socket is open")
		}
	}
	if _, err := all[0].Write([]byte{0}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write() = %v; want net.ErrClosed", err)
	}
}
