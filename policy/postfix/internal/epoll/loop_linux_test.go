package epoll

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// answering is how a lines server answers a line: with a reply, or with what waits for one.
type answering func(line string) (reply string, wait func() string)

// lines is a server of a protocol of lines.
type lines struct {
	answer answering
	begun  atomic.Int64 // connections
	gone   atomic.Int64
	freed  atomic.Int64 // connections whose memory was given back

	mu     sync.Mutex
	panics []string
	failed []error
	ended  []error // why connections were
}

func (s *lines) Worker() Worker     { return s }
func (s *lines) Peer(net.Conn) Peer { return Peer{Name: "peer"} }

func (s *lines) Panicked(what string, p any, _ ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = append(s.panics, fmt.Sprint(what, ": ", p))
}

func (s *lines) Failed(_ int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

func (s *lines) Session(_ Peer, leave func()) Session { return &talk{lines: s, leave: leave} }

// talk is one connection of lines.
type talk struct {
	*lines
	leave   func()
	broken  bool // the next that is done panics
	busy    bool
	leaving bool
	buf     []byte
	room    [64]byte
}

func (k *talk) Begin()  { k.begun.Add(1) }
func (k *talk) Resume() {}

func (k *talk) Park() bool   { return len(k.buf) > 0 }
func (k *talk) Unread() bool { return len(k.buf) > 0 }

func (k *talk) Next(dst []byte) ([]byte, func() []byte, bool, error) {
	if k.broken {
		panic("broken")
	}
	line, rest, whole := bytes.Cut(k.buf, []byte("\n"))
	if !whole {
		return dst, nil, false, nil
	}
	k.buf = rest
	reply, wait := k.answer(string(line))
	if wait == nil {
		return append(dst, reply+"\n"...), nil, true, nil
	}
	return dst, func() []byte { return []byte(wait() + "\n") }, true, nil
}

func (k *talk) Room() ([]byte, error) { return k.room[:], nil }
func (k *talk) Came(n int)            { k.buf = append(k.buf, k.room[:n]...) }
func (k *talk) EOF() error            { return io.EOF }
func (k *talk) Idle(time.Time)        { k.busy, k.leaving = false, false }
func (k *talk) Busy()                 { k.busy, k.leaving = true, false }
func (k *talk) Leaving() bool         { return k.leaving }

func (k *talk) End(err error) {
	k.freed.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = append(k.ended, err)
}

func (k *talk) Gone(error) { k.gone.Add(1) }

// giveWay asks the connection to give way, unless its peer waits for a reply.
func (k *talk) giveWay() {
	if !k.busy {
		k.leaving = true
		k.leave()
	}
}

// greet has to wait for lines of an odd length.
func greet(line string) (reply string, wait func() string) {
	if len(line)%2 == 0 {
		return "hello " + line, nil
	}
	return "", func() string { return "hello " + line }
}

var config = Config{
	Idle: time.Hour, Unfinished: time.Hour, Write: time.Hour, Slack: 16, Turn: 2,
	ErrUnfinished: errors.New("unfinished"), ErrGaveWay: errors.New("gave way"),
}

// strand is a loop that a test turns by hand, and a connection of it with its peer.
type strand struct {
	*loop
	conn *conn
	peer int // descriptor
}

func (s *strand) talk() *talk { return s.conn.session.(*talk) }

func newStrand(t *testing.T, answer answering) *strand {
	t.Helper()
	l, err := newLoop(New(t.Context(), new(sync.WaitGroup), &lines{answer: answer}, config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.finish)
	return l.strand(t)
}

// strand gives a loop one connection more.
func (l *loop) strand(t *testing.T) *strand {
	t.Helper()
	s := l.unmet(t)
	s.takeHanded()
	return s
}

// unmet is a connection that its loop has not looked at yet.
func (l *loop) unmet(t *testing.T) *strand {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &strand{loop: l, conn: &conn{fd: ends[0], fresh: true}, peer: ends[1]}
	t.Cleanup(func() {
		if s.conn.fd >= 0 {
			_ = syscall.Close(s.conn.fd)
		}
		_ = syscall.Close(s.peer)
	})
	if !s.begin(s.conn) {
		t.Fatal("a socket was not taken; want it taken")
	}
	return s
}

func (s *strand) send(t *testing.T, text string) {
	t.Helper()
	if n, err := syscall.Write(s.peer, []byte(text)); n < len(text) {
		t.Fatalf("sent %d bytes of %d: %v", n, len(text), err)
	}
}

// happens is what epoll says.
func (s *strand) happens(events uint32) {
	s.event(&syscall.EpollEvent{Events: events, Fd: int32(s.conn.fd)})
}

// Connections of the system are the loops', and others are not.
func TestEngineTakes(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	server := &lines{answer: greet}
	e := New(ctx, &running, server, config)
	ours, theirs := net.Pipe()
	defer ours.Close()
	if e.Serve(theirs) {
		t.Error("a pipe of the program was taken; want it left")
	}
	unwatchable, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer unwatchable.Close()
	if e.Serve(connection{ours, unwatchable}) {
		t.Error("what epoll does not watch was taken; want it left")
	}
	if err := unwatchable.Sync(); err != nil {
		t.Errorf("%v; want what was left to be open", err)
	}
	for _, network := range []string{"tcp", "unix"} {
		l := listen(t, network)
		peer, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if !e.Serve(c) {
			t.Errorf("a connection over %s was left; want it taken", network)
		}
	}
	stop()
	running.Wait()
	if begun, gone := server.begun.Load(), server.gone.Load(); begun != 2 || gone != 2 {
		t.Errorf("%d connections have begun and %d ended; want 2 and 2", begun, gone)
	}
}

func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "socket")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// connection is one whose descriptor is that of a file.
type connection struct {
	net.Conn
	file *os.File
}

func (c connection) SyscallConn() (syscall.RawConn, error) { return c.file.SyscallConn() }

// What happens to a connection before the loop has met it is not lost, whatever its
// descriptor.
func TestLoopBeforeMeeting(t *testing.T) {
	requests := 0
	s := newStrand(t, func(string) (string, func() string) {
		requests++
		return "ok", nil
	})
	later := s.unmet(t)
	later.send(t, "aa\n")
	later.happens(syscall.EPOLLIN)
	if requests > 0 {
		t.Error("a request was answered of a connection that was not met; want it to wait")
	}
	if err := syscall.Shutdown(later.peer, syscall.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ready(); n == 0 || err != nil { // epoll has told of all
		t.Errorf("%d events, %v; want some", n, err)
	}
	s.takeHanded()
	s.sendDue()
	if requests != 1 || later.conn.fd >= 0 {
		t.Errorf("%d requests were answered, and the descriptor is %d; want 1, and it closed", requests, later.conn.fd)
	}
}

// A connection that waits for its next turn has one, whatever comes meanwhile.
func TestLoopTurn(t *testing.T) {
	requests := 0
	s := newStrand(t, func(string) (string, func() string) {
		requests++
		return "ok", nil
	})
	s.send(t, strings.Repeat("aa\n", 100))
	for range 5 {
		s.happens(syscall.EPOLLIN)
	}
	if requests != config.Turn || len(s.later) != 1 {
		t.Errorf("%d requests were answered, and the connection waits for %d turns; want %d and 1", requests, len(s.later), config.Turn)
	}
	for len(s.later) > 0 {
		if s.rounds(0) {
			t.Fatal("an end; want none")
		}
	}
	if requests != 100 || len(s.later) != 0 {
		t.Errorf("%d requests were answered in the end, and %d turns are left; want 100 and none", requests, len(s.later))
	}
}

// A read that ends early, as at urgent data (tcp(7), MSG_OOB) or a message with
// rights (unix(7)), is not taken for the last of a request.
func TestLoopShortRead(t *testing.T) {
	got := ""
	s := newStrand(t, func(line string) (string, func() string) {
		got = line
		return "ok", nil
	})
	const text = "a line in three parts\n"
	for _, part := range []string{text[:7], text[7:14], text[14:]} {
		if err := syscall.Sendmsg(s.peer, []byte(part), syscall.UnixRights(0), nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.happens(syscall.EPOLLIN)
	if got+"\n" != text {
		t.Error("the request has not been answered; want it to be")
	}
}

// An end that comes with a request is seen, though epoll will not tell of it again.
func TestLoopEnd(t *testing.T) {
	s := newStrand(t, greet)
	s.send(t, "aa\n")
	if err := syscall.Shutdown(s.peer, syscall.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	s.happens(syscall.EPOLLIN | syscall.EPOLLRDHUP)
	if s.conn.fd >= 0 {
		t.Error("the connection is open; want it closed")
	}
	reply := make([]byte, 100)
	if n, err := syscall.Read(s.peer, reply); string(reply[:max(n, 0)]) != "hello aa\n" {
		t.Errorf("reply = %q, %v; want hello aa", reply[:max(n, 0)], err)
	}
}

// A peer that takes no replies is not read from until it does.
func TestLoopStuck(t *testing.T) {
	answered, sent := 0, 0
	s := newStrand(t, func(string) (string, func() string) {
		answered++
		return strings.Repeat("x", 400), nil
	})
	for ; !s.conn.stuck; sent++ {
		s.send(t, "aa\n")
		if s.rounds(0) {
			t.Fatal("an end; want none")
		}
	}
	s.send(t, strings.Repeat("aa\n", 10))
	s.rounds(0)
	if answered != sent {
		t.Errorf("%d requests were answered of a peer that takes no replies; want %d", answered, sent)
	}
	replies := 0
	for buf := make([]byte, 64<<10); replies < (sent+10)*401; {
		n, err := syscall.Read(s.peer, buf)
		if err == syscall.EAGAIN && s.conn.stuck {
			s.rounds(0)
			continue
		}
		if err != nil {
			t.Fatalf("%d bytes of replies, and then %v", replies, err)
		}
		replies += n
		s.rounds(0)
	}
	if answered != sent+10 || s.conn.stuck {
		t.Errorf("%d requests were answered in the end, stuck %t; want %d", answered, s.conn.stuck, sent+10)
	}
}

// The goroutine does not go to rest before what is ready, unless it will be woken
// up: the runtime was told of it once, and is not told again.
func TestLoopRound(t *testing.T) {
	answered := 0
	first := newStrand(t, func(string) (string, func() string) {
		answered++
		for begun := time.Now(); time.Since(begun) < 20*time.Microsecond; {
		}
		return "ok", nil
	})
	all := []*strand{first}
	for range 300 {
		all = append(all, first.strand(t))
	}
	first.rounds(0) // epoll has nothing more to tell of how they came
	for _, s := range all {
		s.send(t, "aa\n")
	}
	first.wake() // behind all of them
	if first.rounds(0) {
		t.Fatal("an end; want none")
	}
	if answered != len(all) {
		t.Errorf("%d requests were answered; want all %d", answered, len(all))
	}
}

// Among the connections of loops, too, the one gives way that has owed a request for
// longest, unless it has come meanwhile.
func TestLoopGiveWay(t *testing.T) {
	half := func(t *testing.T, s *strand) {
		s.send(t, "half a")
		s.happens(syscall.EPOLLIN)
	}
	tests := []struct {
		what    string
		before  func(*testing.T, *strand)
		between func(*testing.T, *strand) // just before it is asked
		ends    bool
	}{
		{"idle", nil, nil, true},
		{"half a request", half, nil, true},
		{"one byte more of it", half, func(t *testing.T, s *strand) { s.send(t, "a") }, true},
		{"the rest of it", half, func(t *testing.T, s *strand) { s.send(t, " line.\n") }, false},
		{"a request", nil, func(t *testing.T, s *strand) { s.send(t, "aa\n") }, false},
		{"half a request, new", nil, func(t *testing.T, s *strand) { s.send(t, "half") }, false},
		{"its end", nil, func(t *testing.T, s *strand) { _ = syscall.Shutdown(s.peer, syscall.SHUT_WR) }, true},
		{"a request being judged", func(t *testing.T, s *strand) {
			s.send(t, "a\n")
			s.happens(syscall.EPOLLIN)
		}, nil, false},
	}
	for _, tt := range tests {
		enough := make(chan bool)
		s := newStrand(t, func(line string) (string, func() string) {
			if len(line) != 1 {
				return "ok", nil
			}
			return "", func() string {
				<-enough
				return "ok"
			}
		})
		other := s.strand(t)
		if tt.before != nil {
			tt.before(t, s)
		}
		if tt.between != nil {
			tt.between(t, s)
		}
		s.talk().giveWay()
		s.takeHanded()
		s.sendDue()
		if ended := s.conn.fd < 0; ended != tt.ends || other.conn.fd < 0 {
			t.Errorf("%s: ended = %t, and the other %t; want %t and not", tt.what, ended, other.conn.fd < 0, tt.ends)
		}
		close(enough)
		for s.conn.state.Load() != looped {
			s.takeHanded()
		}
	}
}

// A panic in serving a connection costs that one, wherever it is, and what it had
// charged is given back.
func TestLoopPanic(t *testing.T) {
	broken := func(s *strand) { s.talk().broken = true }
	tests := []struct {
		what  string
		fault func(t *testing.T, s *strand)
	}{
		{"the reader", func(t *testing.T, s *strand) {
			broken(s)
			s.happens(syscall.EPOLLIN)
		}},
		{"the reader, in a later turn", func(t *testing.T, s *strand) {
			broken(s)
			s.queue(s.conn)
			s.rounds(0)
		}},
		{"the reader, when it is asked to give way", func(t *testing.T, s *strand) {
			s.talk().leaving = true
			s.send(t, "x")
			broken(s)
			s.ask(s.conn)
			s.takeHanded()
		}},
		{"the reply", func(t *testing.T, s *strand) {
			s.due = append(s.due, due{s.conn, 99})
			s.sendDue()
		}},
	}
	for _, tt := range tests {
		s := newStrand(t, greet)
		other := s.strand(t)
		tt.fault(t, s)
		if s.conn.fd >= 0 {
			t.Errorf("%s: the connection is open; want it closed", tt.what)
		}
		other.send(t, "aa\n")
		other.happens(syscall.EPOLLIN)
		other.sendDue()
		reply := make([]byte, 100)
		if n, err := syscall.Read(other.peer, reply); string(reply[:max(n, 0)]) != "hello aa\n" {
			t.Errorf("%s: reply of another = %q, %v; want hello aa", tt.what, reply[:max(n, 0)], err)
		}
		server := s.server.(*lines)
		if len(server.panics) != 1 || !strings.HasPrefix(server.panics[0], ClosedByPanic) || server.freed.Load() != 1 {
			t.Errorf("%s: panics %q, memory given back %d times; want one of each", tt.what, server.panics, server.freed.Load())
		}
	}
}

// An epoll that fails costs its connections, and not the program: what is being
// answered is answered, and who comes after it is left to others.
func TestLoopEpollFails(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	began, enough := make(chan bool), make(chan bool)
	var broken atomic.Pointer[loop]
	server := &lines{answer: func(line string) (string, func() string) {
		switch line {
		case "busy":
			return "", func() string {
				began <- true
				<-enough
				return line
			}
		case "break":
			l := broken.Load()
			l.mu.Lock()
			l.fd = -1 // this is the loop's own goroutine
			l.mu.Unlock()
		}
		return line, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	e := New(ctx, &running, server, config)
	l := listen(t, "unix")
	dial := func(want bool) (ours net.Conn, replies *bufio.Reader) {
		ours, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ours.Close() })
		theirs, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Serve(theirs); got != want {
			t.Fatalf("a connection was taken: %t; want %t", got, want)
		}
		return ours, bufio.NewReader(ours)
	}
	expect := func(replies *bufio.Reader, want string, end bool) {
		t.Helper()
		if got, err := replies.ReadString('\n'); got != want {
			t.Errorf("reply = %q, %v; want %q", got, err, want)
		}
		if !end {
			return
		}
		if got, err := io.ReadAll(replies); len(got) > 0 || err != nil {
			t.Errorf("%q, %v; want the end", got, err)
		}
	}
	idle, fromIdle := dial(true)
	busy, fromBusy := dial(true)
	fatal, fromFatal := dial(true)
	io.WriteString(idle, "first\n")
	expect(fromIdle, "first\n", false)
	io.WriteString(busy, "busy\n")
	<-began
	e.mu.Lock()
	broken.Store(e.all[0])
	e.mu.Unlock()
	io.WriteString(fatal, "break\n")
	expect(fromFatal, "break\n", true)
	expect(fromIdle, "", true)
	dial(false)
	close(enough)
	expect(fromBusy, "busy\n", true)
	running.Wait()
	if len(server.failed) != 1 || !strings.Contains(server.failed[0].Error(), "epoll_pwait: bad file descriptor") {
		t.Errorf("errors %v; want one", server.failed)
	}
	if begun, gone := server.begun.Load(), server.gone.Load(); begun != 3 || gone != 3 {
		t.Errorf("%d connections have begun and %d ended; want 3 and 3", begun, gone)
	}
}

// A peer has its time and no more, and a stop ends those that wait for nothing.
func TestEngineTime(t *testing.T) {
	const span = 30 * time.Millisecond
	for _, tt := range []struct {
		name, send string
		spans      func(*Config)
		want       error
	}{
		{"idle", "", func(c *Config) { c.Idle = span }, os.ErrDeadlineExceeded},
		{"idle after a line", "aa\n", func(c *Config) { c.Idle = span }, os.ErrDeadlineExceeded},
		{"unfinished", "half", func(c *Config) { c.Unfinished = span }, config.ErrUnfinished},
		{"taking no replies", strings.Repeat("aa\n", 1_000_000), func(c *Config) { c.Write = span }, os.ErrDeadlineExceeded},
		{"a stop", "aa\n", func(*Config) {}, context.Canceled},
	} {
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		server, spans := &lines{answer: greet}, config
		tt.spans(&spans)
		e := New(ctx, &running, server, spans)
		l := listen(t, "unix")
		ours, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := l.Accept()
		if err != nil || !e.Serve(theirs) {
			t.Fatalf("%s: the connection was left, %v", tt.name, err)
		}
		_, _ = io.WriteString(ours, tt.send) // it need not be taken
		if tt.want == context.Canceled {
			stop()
		}
		for tick := time.Tick(time.Millisecond); server.gone.Load() == 0; {
			<-tick
		}
		stop()
		running.Wait()
		ours.Close()
		if len(server.ended) != 1 || !errors.Is(server.ended[0], tt.want) {
			t.Errorf("%s: ended for %v; want %v", tt.name, server.ended, tt.want)
		}
	}
}
