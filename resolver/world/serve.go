package world

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Listen opens a port of the loopback for both UDP and TCP, chosen by the
// kernel, for Serve.
func Listen() (net.PacketConn, net.Listener, error) {
	const tries = 10 // the port that UDP got may be taken for TCP
	var errs error
	for range tries {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l, nil
		}
		errs = errors.Join(errs, err, pc.Close())
	}
	return nil, nil, fmt.Errorf("no port for both UDP and TCP: %w", errs)
}

// Serve answers queries on sockets until ctx is done, closes them, and
// returns when all that it started has ended. The error is nil unless a socket
// failed before.
func (w *World) Serve(ctx context.Context, pc net.PacketConn, l net.Listener) error {
	serving, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { cancel(w.servePackets(serving, pc, &wg)) })
	wg.Go(func() { cancel(w.serveStreams(serving, l, &wg)) })
	<-serving.Done()
	pc.Close()
	l.Close()
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(serving)
}

func (w *World) servePackets(ctx context.Context, pc net.PacketConn, wg *sync.WaitGroup) error {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return err
		}
		s := w.respond(buf[:n], false)
		wg.Go(func() {
			if !wait(s.delay, ctx.Done()) {
				return
			}
			for _, p := range s.packets {
				pc.WriteTo(p, from)
			}
		})
	}
}

func (w *World) serveStreams(ctx context.Context, l net.Listener, wg *sync.WaitGroup) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		wg.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			w.converse(conn, true, ctx.Done())
		})
	}
}

// Dial opens a connection to the World in memory: network "udp", where one
// Write or Read is one datagram, or "tcp". The address is disregarded. Closing
// the connection ends all that belongs to it. It serves as resolver.Config.Dial
// under testing/synctest.
func (w *World) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if network != "udp" && network != "tcp" {
		return nil, net.UnknownNetworkError(network)
	}
	client, server := net.Pipe()
	c := &pipe{Conn: client, closing: make(chan struct{})}
	c.served.Go(func() {
		defer server.Close()
		w.converse(server, network == "tcp", c.closing)
	})
	return c, nil
}

// pipe is one end of a connection in memory.
type pipe struct {
	net.Conn
	once    sync.Once
	closing chan struct{}
	served  sync.WaitGroup
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closing) })
	err := p.Conn.Close()
	p.served.Wait()
	return err
}

// converse answers the queries of one connection until it ends.
func (w *World) converse(conn net.Conn, stream bool, closing <-chan struct{}) {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := receive(conn, stream, buf)
		if err != nil {
			return
		}
		s := w.respond(buf[:n], stream)
		if !wait(s.delay, closing) {
			return
		}
		for _, p := range s.packets {
			if stream {
				p = append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
			}
			if !stream || s.drip == 0 {
				_, err = conn.Write(p)
			} else {
				err = drip(conn, p, s.drip, closing)
			}
			if err != nil {
				return
			}
		}
	}
}

// drip writes byte by byte.
func drip(conn net.Conn, p []byte, pause time.Duration, closing <-chan struct{}) error {
	for i := range p {
		if !wait(pause, closing) {
			return net.ErrClosed
		}
		if _, err := conn.Write(p[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// receive reads one message into buf. A stream has a length before each: RFC
// 1035 section 4.2.2.
func receive(conn net.Conn, stream bool, buf []byte) (int, error) {
	if !stream {
		return conn.Read(buf)
	}
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return 0, err
	}
	return io.ReadFull(conn, buf[:binary.BigEndian.Uint16(buf)])
}

// wait waits, or says that it was cut short.
func wait(d time.Duration, closing <-chan struct{}) bool {
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-closing:
		return false
	}
}
