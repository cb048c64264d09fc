package postfix

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// pipes is a listener whose clients are the other ends of net.Pipe, and which
// can be short of file descriptors.
type pipes struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	fault  error // of Close
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
		return net.ErrClosed
	default:
	}
	close(p.closed)
	return p.fault
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "/test", Net: "unix"} }

// client is one end of a connection to a server under test.
type client struct {
	t *testing.T
	net.Conn
	replies *bufio.Reader
}

func (p *pipes) dial(t *testing.T) *client {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return &client{t, ours, bufio.NewReader(ours)}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Errorf("sending %.60q: %v", s, err)
	}
}

// want reads a reply.
func (c *client) want(action string) {
	c.t.Helper()
	line, err := c.replies.ReadString('\n')
	empty, err2 := c.replies.ReadString('\n')
	if got, want := line+empty, "action="+action+"\n\n"; got != want {
		c.t.Errorf("reply = %q, %v; want %q", got, errors.Join(err, err2), want)
	}
}

// wantClosed waits for the server to close the connection without a reply.
func (c *client) wantClosed(after time.Duration) {
	c.t.Helper()
	start := time.Now()
	if got, err := io.ReadAll(c.replies); len(got) > 0 || err != nil {
		c.t.Errorf("reply = %q, %v; want none", got, err)
	}
	if got := time.Since(start); got != after {
		c.t.Errorf("closed after %v; want %v", got, after)
	}
}

// running is a server under test within a bubble of its own time.
type running struct {
	*pipes
	server *Server
	memory *Memory
	log    bytes.Buffer // from INFO on
	cancel context.CancelFunc
	ended  chan error
}

type key struct{}

func start(t *testing.T, handler Handler) *running {
	return startServer(t, &Server{Handler: handler})
}

func startServer(t *testing.T, s *Server) *running {
	r := &running{pipes: newPipes(), server: s, memory: NewMemory(1 << 20), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	r.cancel = cancel
	s.Log, s.Memory = slog.New(slog.NewTextHandler(&r.log, nil)), r.memory
	go func() { r.ended <- s.Serve(ctx, r.pipes) }()
	return r
}

// stop wants the server to end at once and owe no memory, and returns its log.
func (r *running) stop(t *testing.T) string {
	t.Helper()
	begun := time.Now()
	r.cancel()
	if err := <-r.ended; err != nil {
		t.Errorf("Serve() = %v; want nil", err)
	}
	if d := time.Since(begun); d != 0 {
		t.Errorf("stopping took %v; want no time", d)
	}
	if used := r.memory.used.Load(); used != 0 {
		t.Errorf("%d bytes are still charged; want 0", used)
	}
	return r.log.String()
}

// wantQuiet stops the server and wants nothing from INFO on in its log.
func (r *running) wantQuiet(t *testing.T) {
	t.Helper()
	if got := r.stop(t); got != "" {
		t.Errorf("log = %q; want none", got)
	}
}

// wantLine stops the server and wants one line with these parts in its log.
func (r *running) wantLine(t *testing.T, parts ...string) {
	t.Helper()
	got := r.stop(t)
	if n := strings.Count(got, "\n"); n != 1 {
		t.Errorf("log has %d lines; want 1: %s", n, got)
	}
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("log = %q; want it to hold %q", got, part)
		}
	}
}

// failing is a connection on which only so many deadlines can be set.
type failing struct {
	net.Conn
	left int
}

func (f *failing) SetReadDeadline(t time.Time) error  { return f.fail() }
func (f *failing) SetWriteDeadline(t time.Time) error { return f.fail() }

func (f *failing) fail() error {
	if f.left--; f.left < 0 {
		return net.ErrClosed
	}
	return nil
}

// racing is a connection that is hit by a stop, and woken, just before a
// deadline is set.
type racing struct {
	net.Conn
	left    int // deadlines to go
	stop    func()
	stopped chan struct{}
}

func (r *racing) SetReadDeadline(t time.Time) error {
	if t.Before(time.Now()) { // the wake-up
		defer close(r.stopped)
		return r.Conn.SetReadDeadline(t)
	}
	if r.left--; r.left == -1 {
		r.stop()
		<-r.stopped
	}
	return r.Conn.SetReadDeadline(t)
}
