package postfix

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
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

	"policyd-rdns/policy"
)

// strand is a loop that a test turns by hand, and a wire of it with its peer.
type strand struct {
	*loop
	wire *wire
	peer int // descriptor
}

func newStrand(t *testing.T, handler Handler) *strand {
	t.Helper()
	l, err := newLoop(t.Context(), (&Server{Handler: handler}).service(), new(sync.WaitGroup))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.finish)
	return l.strand(t)
}

// strand gives a loop one wire more.
func (l *loop) strand(t *testing.T) *strand {
	t.Helper()
	s := l.unmet(t)
	s.takeHanded()
	return s
}

// unmet is a wire that its loop has not looked at yet.
func (l *loop) unmet(t *testing.T) *strand {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &strand{loop: l, wire: &wire{fd: ends[0], fresh: true}, peer: ends[1]}
	t.Cleanup(func() {
		if s.wire.fd >= 0 {
			_ = syscall.Close(s.wire.fd)
		}
		_ = syscall.Close(s.peer)
	})
	s.places <- struct{}{}
	if !s.begin(s.wire) {
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
	s.happened(&syscall.EpollEvent{Events: events, Fd: int32(s.wire.fd)})
}

// Connections of the system are the loops', and others are not: what is tested of
// loops over sockets is not the way of one goroutine each.
func TestLoopAdopts(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	work := (&Server{Handler: greet}).service()
	ours, theirs := net.Pipe()
	defer ours.Close()
	if work.loops.adopt(ctx, work, &running, theirs) {
		t.Error("a pipe of the program was taken; want it left")
	}
	unwatchable, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer unwatchable.Close()
	work.places <- struct{}{}
	if work.loops.adopt(ctx, work, &running, connection{ours, unwatchable}) {
		t.Error("what epoll does not watch was taken; want it left")
	}
	if err := unwatchable.Sync(); err != nil {
		t.Errorf("%v; want what was left to be open", err)
	}
	for _, address := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "socket")} {
		l, err := Listen(address, 0o600, "")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		peer, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		work.places <- struct{}{}
		if !work.loops.adopt(ctx, work, &running, c) {
			t.Errorf("a connection to %s was left; want it taken", address)
		}
	}
	stop()
	running.Wait()
}

// connection is one whose descriptor is that of a file.
type connection struct {
	net.Conn
	file *os.File
}

func (c connection) SyscallConn() (syscall.RawConn, error) { return c.file.SyscallConn() }

// What happens to a wire before the loop has met it is not lost, whatever its
// descriptor.
func TestLoopBeforeMeeting(t *testing.T) {
	requests := 0
	s := newStrand(t, func(context.Context, *policy.Request) (Reply, func() Reply) {
		requests++
		return NewReply("DUNNO"), nil
	})
	later := s.unmet(t)
	later.send(t, helo("aa"))
	later.happens(syscall.EPOLLIN)
	if requests > 0 {
		t.Error("a request was answered of a wire that was not met; want it to wait")
	}
	if err := syscall.Shutdown(later.peer, syscall.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ready(); n == 0 || err != nil { // epoll has told of all
		t.Errorf("%d events, %v; want some", n, err)
	}
	s.takeHanded()
	s.sendDue()
	if requests != 1 || later.wire.fd >= 0 {
		t.Errorf("%d requests were answered, and the descriptor is %d; want 1, and it closed", requests, later.wire.fd)
	}
}

// A wire that waits for its next turn has one, whatever comes meanwhile.
func TestLoopTurn(t *testing.T) {
	requests := 0
	s := newStrand(t, func(context.Context, *policy.Request) (Reply, func() Reply) {
		requests++
		return NewReply("DUNNO"), nil
	})
	s.send(t, strings.Repeat(helo("aa"), 100))
	for range 5 {
		s.happens(syscall.EPOLLIN)
	}
	if requests != turn || len(s.later) != 1 {
		t.Errorf("%d requests were answered, and the wire waits for %d turns; want %d and 1", requests, len(s.later), turn)
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
	s := newStrand(t, func(_ context.Context, req *policy.Request) (Reply, func() Reply) {
		got = req.HELO
		return NewReply("DUNNO"), nil
	})
	const text = kind + "helo_name=aa\n\n"
	for _, part := range []string{text[:10], text[10:20], text[20:]} {
		if err := syscall.Sendmsg(s.peer, []byte(part), syscall.UnixRights(0), nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.happens(syscall.EPOLLIN)
	if got != "aa" {
		t.Error("the request has not been answered; want it to be")
	}
}

// An end that comes with a request is seen, though epoll will not tell of it again.
func TestLoopEnd(t *testing.T) {
	s := newStrand(t, greet)
	s.send(t, helo("aa"))
	if err := syscall.Shutdown(s.peer, syscall.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	s.happens(syscall.EPOLLIN | syscall.EPOLLRDHUP)
	if s.wire.fd >= 0 {
		t.Error("the connection is open; want it closed")
	}
	reply := make([]byte, 100)
	if n, err := syscall.Read(s.peer, reply); string(reply[:max(n, 0)]) != "action=INFO aa\n\n" {
		t.Errorf("reply = %q, %v; want INFO aa", reply[:max(n, 0)], err)
	}
}

// A peer that takes no replies is not read from until it does.
func TestLoopStuck(t *testing.T) {
	answered, sent := 0, 0
	s := newStrand(t, func(context.Context, *policy.Request) (Reply, func() Reply) {
		answered++
		return NewReply("INFO " + strings.Repeat("x", maxAction-5)), nil
	})
	for ; !s.wire.stuck; sent++ {
		s.send(t, helo("aa"))
		if s.rounds(0) {
			t.Fatal("an end; want none")
		}
	}
	s.send(t, strings.Repeat(helo("aa"), 10))
	s.rounds(0)
	if answered != sent {
		t.Errorf("%d requests were answered of a peer that takes no replies; want %d", answered, sent)
	}
	replies := 0
	for buf := make([]byte, 64<<10); replies < (sent+10)*len("action=\n\n")+(sent+10)*maxAction; {
		n, err := syscall.Read(s.peer, buf)
		if err == syscall.EAGAIN && s.wire.stuck {
			s.rounds(0)
			continue
		}
		if err != nil {
			t.Fatalf("%d bytes of replies, and then %v", replies, err)
		}
		replies += n
		s.rounds(0)
	}
	if answered != sent+10 || s.wire.stuck {
		t.Errorf("%d requests were answered in the end, stuck %t; want %d", answered, s.wire.stuck, sent+10)
	}
}

// The goroutine does not go to rest before what is ready, unless it will be woken
// up: the runtime was told of it once, and is not told again.
func TestLoopBreath(t *testing.T) {
	answered := 0
	first := newStrand(t, func(context.Context, *policy.Request) (Reply, func() Reply) {
		answered++
		work(20 * time.Microsecond)
		return NewReply("DUNNO"), nil
	})
	all := []*strand{first}
	for range descriptors(t, 600) / 2 {
		all = append(all, first.strand(t))
	}
	first.rounds(0) // epoll has nothing more to tell of how they came
	for _, s := range all {
		s.send(t, helo("aa"))
	}
	first.wake() // behind all of them
	if first.rounds(0) {
		t.Fatal("an end; want none")
	}
	if answered != len(all) {
		t.Errorf("%d requests were answered; want all %d", answered, len(all))
	}
}

// Among the wires of loops, too, the one gives way that has owed a request for
// longest, unless it has come meanwhile.
func TestLoopGiveWay(t *testing.T) {
	const ago = 20 * time.Second
	half := func(t *testing.T, s *strand) {
		s.send(t, "request=smtpd_")
		s.happens(syscall.EPOLLIN)
	}
	tests := []struct {
		what    string
		before  func(*testing.T, *strand) // ago, and
		between func(*testing.T, *strand) // just before it is asked
		ends    bool
	}{
		{"idle", nil, nil, true},
		{"half a request", half, nil, true},
		{"one byte more of it", half, func(t *testing.T, s *strand) { s.send(t, "a") }, true},
		{"the rest of it", half, func(t *testing.T, s *strand) { s.send(t, "access_policy\n\n") }, false},
		{"a request", nil, func(t *testing.T, s *strand) { s.send(t, helo("aa")) }, false},
		{"half a request, new", nil, func(t *testing.T, s *strand) { s.send(t, "request=") }, false},
		{"its end", nil, func(t *testing.T, s *strand) { _ = syscall.Shutdown(s.peer, syscall.SHUT_WR) }, true},
		{"a request being judged", func(t *testing.T, s *strand) {
			s.send(t, helo("a"))
			s.happens(syscall.EPOLLIN)
		}, nil, false},
	}
	for _, tt := range tests {
		enough := make(chan bool)
		s := newStrand(t, func(_ context.Context, req *policy.Request) (Reply, func() Reply) {
			if len(req.HELO)%2 == 0 {
				return NewReply("DUNNO"), nil
			}
			return Reply{}, func() Reply {
				<-enough
				return NewReply("DUNNO")
			}
		})
		s.seats.begun = s.seats.begun.Add(-time.Hour)
		other := s.strand(t)
		if tt.before != nil {
			tt.before(t, s)
		}
		for _, w := range []*wire{s.wire, other.wire} {
			if w.seat.state.Load() >= 0 {
				w.seat.stay(time.Hour - ago)
			}
		}
		other.wire.seat.stay(time.Hour) // for as long as the test takes
		if tt.between != nil {
			tt.between(t, s)
		}
		s.seats.makeRoom()
		s.takeHanded()
		s.sendDue()
		if ended := s.wire.fd < 0; ended != tt.ends || other.wire.fd < 0 {
			t.Errorf("%s: ended = %t, and the other %t; want %t and not", tt.what, ended, other.wire.fd < 0, tt.ends)
		}
		close(enough)
		for s.wire.place.Load() != home {
			s.takeHanded()
		}
	}
}

// A panic in serving a wire costs that one, wherever it is, and what it had
// charged is given back.
func TestLoopPanic(t *testing.T) {
	broken := func(s *strand) { s.wire.r = &Reader{memory: s.memory, buf: make([]byte, 4, smallBuffer), line: 99} }
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
			s.queue(s.wire)
			s.rounds(0)
		}},
		{"the reader, when it is asked to give way", func(t *testing.T, s *strand) {
			s.wire.seat.state.Store(seatLeaving)
			s.send(t, "x")
			broken(s)
			s.ask(s.wire)
			s.takeHanded()
		}},
		{"the reply", func(t *testing.T, s *strand) {
			s.due = append(s.due, due{s.wire, 99})
			s.sendDue()
		}},
	}
	for _, tt := range tests {
		var log strings.Builder
		s := newStrand(t, greet)
		s.service.log = slog.New(slog.NewTextHandler(&log, nil))
		other := s.strand(t)
		tt.fault(t, s)
		if s.wire.fd >= 0 {
			t.Errorf("%s: the connection is open; want it closed", tt.what)
		}
		other.send(t, helo("aa"))
		other.happens(syscall.EPOLLIN)
		other.sendDue()
		reply := make([]byte, 100)
		if n, err := syscall.Read(other.peer, reply); string(reply[:max(n, 0)]) != "action=INFO aa\n\n" {
			t.Errorf("%s: reply of another = %q, %v; want INFO aa", tt.what, reply[:max(n, 0)], err)
		}
		if got := s.count.panics.Load(); got != 1 || !strings.Contains(log.String(), closedByPanic) || !strings.Contains(log.String(), "postfix.(*") {
			t.Errorf("%s: %d panics were counted, log = %s; want one, with its stack", tt.what, got, log.String())
		}
	}
}

// An epoll that fails costs its connections, and not the program: what is being
// judged is answered, and who comes after it is served.
func TestLoopEpollFails(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	began, enough := make(chan bool), make(chan bool)
	var broken atomic.Pointer[loop]
	var log bytes.Buffer
	server := &Server{Log: slog.New(slog.NewTextHandler(&log, nil)), Handler: func(_ context.Context, req *policy.Request) (Reply, func() Reply) {
		switch req.HELO {
		case "busy":
			return Reply{}, func() Reply {
				began <- true
				<-enough
				return NewReply("INFO busy")
			}
		case "break":
			l := broken.Load()
			l.mu.Lock()
			l.fd = -1 // this is the loop's own goroutine
			l.mu.Unlock()
		}
		return NewReply("INFO " + req.HELO), nil
	}}
	l, err := Listen("unix:"+filepath.Join(t.TempDir(), "socket"), 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	work := server.service()
	var running sync.WaitGroup
	running.Go(func() { _ = work.accept(ctx, &running, l) })
	dial := func() *client {
		c, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		p := &client{t, c, bufio.NewReader(c)}
		p.patiently()
		return p
	}
	idle, busy, fatal := dial(), dial(), dial()
	idle.wantAnswer("first")
	busy.send(helo("busy"))
	<-began
	work.loops.mu.Lock()
	broken.Store(work.loops.all[0])
	work.loops.mu.Unlock()
	fatal.send(helo("break"))
	fatal.want("INFO break")
	fatal.wantEnd()
	idle.wantEnd()
	fresh := dial()
	fresh.wantAnswer("fresh")
	close(enough)
	busy.want("INFO busy")
	busy.wantEnd()
	cancel()
	fresh.wantEnd()
	l.Close()
	running.Wait()
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "epoll_pwait: bad file descriptor") {
		t.Errorf("log = %s; want one line of the error", got)
	}
	if got := server.Stats().Open; got != 0 {
		t.Errorf("%d connections are open; want none", got)
	}
}
