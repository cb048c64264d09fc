package zone

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxWaiting bounds the replies that wait for their time; a query beyond
	// it is lost.
	maxWaiting = 1 << 16
	// maxDatagram is what is read of a query, and holds every reply, in bytes.
	maxDatagram = 1232
	// maxStreams bounds the TCP connections; more wait.
	maxStreams = 1000
	// streamIdle is how long a TCP connection may keep silent: RFC 7766 section
	// 6.2.3 speaks of some seconds.
	streamIdle = 10 * time.Second
)

// Server serves a Zone.
type Server struct {
	Zone  *Zone
	Delay time.Duration // of each reply
}

// Serve answers queries on both sockets until ctx is done or a socket fails,
// closes them, and returns when all that it started has ended. The error is nil
// if ctx was done.
func (s *Server) Serve(ctx context.Context, pc *net.UDPConn, l net.Listener) error {
	serving, cancel := context.WithCancelCause(ctx)
	late := make(chan reply, maxWaiting)
	var wg sync.WaitGroup
	wg.Go(func() { s.sendLate(serving, pc, late) })
	wg.Go(func() {
		defer close(late)
		cancel(s.readPackets(pc, late))
	})
	wg.Go(func() { cancel(s.acceptStreams(serving, l, &wg)) })
	<-serving.Done()
	pc.Close()
	l.Close()
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(serving)
}

// reply is one that waits for its time.
type reply struct {
	due  time.Time
	to   netip.AddrPort
	wire *packet
}

// packet is a message in a buffer that is used again.
type packet struct {
	buf  [maxDatagram]byte
	size int
}

var packets = sync.Pool{New: func() any { return new(packet) }}

func (s *Server) readPackets(pc *net.UDPConn, late chan<- reply) error {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := pc.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		due := time.Now().Add(s.Delay)
		p := packets.Get().(*packet)
		wire, err := s.Zone.answer(p.buf[:0], buf[:n], false)
		if err != nil || len(wire) > len(p.buf) {
			packets.Put(p)
			continue // as what is no query deserves
		}
		p.size = len(wire)
		if s.Zone.Loss.hit(rand.Uint64()) {
			s.Zone.counts.lost.Add(1)
			packets.Put(p)
			continue
		}
		if s.Delay == 0 {
			_, _ = pc.WriteToUDPAddrPort(p.buf[:p.size], from) // a datagram may get lost
			packets.Put(p)
			continue
		}
		select {
		case late <- reply{due, from, p}:
		default:
			s.Zone.counts.lost.Add(1)
			packets.Put(p)
		}
	}
}

// sendLate sends replies when they are due, which is in their order.
func (s *Server) sendLate(ctx context.Context, pc *net.UDPConn, late <-chan reply) {
	for r := range late {
		for d := time.Until(r.due); d > 0 && ctx.Err() == nil; d = time.Until(r.due) {
			sleep(d)
		}
		_, _ = pc.WriteToUDPAddrPort(r.wire.buf[:r.wire.size], r.to)
		packets.Put(r.wire)
		s.Zone.counts.worst(time.Since(r.due))
	}
}

// worst keeps the greatest lateness. Only sendLate calls it.
func (c *counts) worst(late time.Duration) {
	if us := uint64(max(0, late.Microseconds())); us > c.late.Load() {
		c.late.Store(us)
	}
}

func (s *Server) acceptStreams(ctx context.Context, l net.Listener, wg *sync.WaitGroup) error {
	room := make(chan struct{}, maxStreams)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		wg.Go(func() {
			defer func() { <-room }()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			_ = s.converse(ctx, conn) // the peer's matter
		})
	}
}

// converse answers the queries of one connection, one after the other.
func (s *Server) converse(ctx context.Context, conn net.Conn) error {
	query := make([]byte, maxDatagram)
	var wire []byte
	for {
		if err := conn.SetDeadline(time.Now().Add(streamIdle + s.Delay)); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, query[:2]); err != nil {
			return err
		}
		// A length before each message: RFC 1035 section 4.2.2.
		size := int(binary.BigEndian.Uint16(query))
		if size > len(query) {
			return errQuery
		}
		if _, err := io.ReadFull(conn, query[:size]); err != nil {
			return err
		}
		due := time.Now().Add(s.Delay)
		var err error
		if wire, err = s.Zone.answer(append(wire[:0], 0, 0), query[:size], true); err != nil {
			return err
		}
		binary.BigEndian.PutUint16(wire, uint16(len(wire)-2))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := conn.Write(wire); err != nil {
			return err
		}
	}
}

// Listen opens a port for both UDP and TCP, "127.0.0.1:0" for any.
func Listen(address string) (*net.UDPConn, net.Listener, error) {
	const tries = 10 // the port that UDP got may be taken for TCP
	var errs error
	for range tries {
		at, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			return nil, nil, err
		}
		pc, err := net.ListenUDP("udp", at)
		if err != nil {
			return nil, nil, err
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l, nil
		}
		errs = errors.Join(errs, err, pc.Close())
		if at.Port != 0 {
			break
		}
	}
	return nil, nil, errs
}
