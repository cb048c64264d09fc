package postfix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix/internal/epoll"
)

// say HELO has to wait for names of an odd length.
func greet(_ context.Context, req *policy.Request) (reply Reply, wait func() Reply) {
	if len(req.HELO)%2 == 0 {
		return NewReply("INFO " + req.HELO), nil
	}
	return Reply{}, func() Reply {
		runtime.Gosched()
		return NewReply("INFO " + req.HELO)
	}
}

// waiting is a handler that has to wait for everything.
func waiting(f func(context.Context, *policy.Request) Reply) Handler {
	return func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
		return Reply{}, func() Reply { return f(ctx, req) }
	}
}

func helo(name string) string { return kind + "helo_name=" + name + "\n\n" }

func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		a, b := s.dial(t), s.dial(t)
		for i := range 100 {
			name := fmt.Sprintf("%d.example.com", i)
			a.send(kind + "helo_name=")
			b.send(helo("b." + name))
			b.want("INFO b." + name)
			a.send(name + "\n\n")
			a.want("INFO " + name)
		}
		a.Close()
		s.wantQuiet(t)
		b.wantClosed(0)
	})
}

func TestServePipelined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		c := s.dial(t)
		go c.send(helo("a") + helo("b") + helo("c") + "request=")
		c.want("INFO a")
		c.want("INFO b")
		c.want("INFO c")
		c.wantClosed(60 * time.Second) // what came with the others has begun
		s.wantLine(t, "not whole")
	})
}

// Postfix closes after 1000 s at the latest, and we after that.
func TestServeIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		fresh, used := s.dial(t), s.dial(t)
		for range 3 {
			<-time.After(1100*time.Second - 1)
			used.send(helo("a"))
			used.want("INFO a")
		}
		fresh.wantClosed(0) // long since
		used.wantClosed(1100 * time.Second)
		s.wantQuiet(t)
	})
}

func TestServeUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		slow, dribbling := s.dial(t), s.dial(t)
		<-time.After(1000 * time.Second) // idle time does not count
		slow.send(kind)
		<-time.After(60*time.Second - 1)
		slow.send("\n")
		slow.want("INFO")

		dribbling.send("r")
		for range 59 {
			<-time.After(time.Second)
			dribbling.send("r") // gains no time
		}
		dribbling.wantClosed(time.Second)
		s.wantLine(t, "level=WARN", "peer=pipe", `error="bad policy request: not whole after 1m0s"`)
	})
}

func TestServeWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		c := s.dial(t)
		c.send(helo("a"))
		<-time.After(10*time.Second - 1)
		c.want("INFO a") // just in time
		c.send(helo("a"))
		<-time.After(10 * time.Second)
		synctest.Wait()
		c.wantClosed(0)
		s.wantQuiet(t)
	})
}

func TestServeBadRequest(t *testing.T) {
	tests := []struct{ in, want string }{
		{"GET / HTTP/1.1\r\n", `error="bad policy request: line \"GET / HTTP/1.1\\r\" has no \"=\""`},
		{"request=junk\n\n", "request=\\\"junk\\\""},
		{helo("a\x00"), "NUL byte"},
		{strings.Repeat("x", maxLine+1), "line of more than 16384 bytes"},
		{sized(maxRequest + 1), "more than 65536 bytes"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, greet)
			c, other := s.dial(t), s.dial(t)
			go io.WriteString(c, tt.in) // the server need not take it all
			c.wantClosed(0)
			other.send(helo("other"))
			other.want("INFO other")
			s.wantLine(t, "level=WARN", `msg="policy connection closed"`, "peer=pipe", tt.want)
		})
	}
}

// A client that goes, even in the midst of a request, is not worth a line.
func TestServeEOF(t *testing.T) {
	for _, in := range []string{"", "request=", helo("a") + "r"} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, greet)
			c := s.dial(t)
			go func() {
				c.send(in)
				c.Close()
			}()
			_, _ = io.Copy(io.Discard, c.replies)
			synctest.Wait()
			s.wantQuiet(t)
		})
	}
}

func TestServeStopInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, waiting(func(ctx context.Context, _ *policy.Request) Reply {
			select {
			case <-ctx.Done():
				return NewReply("INFO cut short")
			case <-time.After(5 * time.Second):
				return NewReply(fmt.Sprintf("INFO %v", ctx.Value(key{})))
			}
		}))
		busy, idle, begun := s.dial(t), s.dial(t), s.dial(t)
		busy.send(helo("a"))
		begun.send(kind)
		<-time.After(2 * time.Second)

		s.cancel()
		stopped := time.Now()
		idle.wantClosed(0)
		begun.wantClosed(0)
		synctest.Wait()
		select {
		case err := <-s.ended:
			t.Fatalf("Serve() = %v while a handler runs", err)
		default:
		}
		busy.want("INFO kept")
		busy.wantClosed(0)
		if err := <-s.ended; err != nil {
			t.Errorf("Serve() = %v; want nil", err)
		}
		if got, want := time.Since(stopped), 3*time.Second; got != want {
			t.Errorf("Serve() returned %v after the stop; want %v", got, want)
		}
		if s.log.Len() > 0 {
			t.Errorf("log = %q; want none", s.log.String())
		}
	})
}

// A stop that comes between the decision to wait and the wait is not lost.
func TestServeStopRace(t *testing.T) {
	for n := range 4 { // deadlines of two requests in one read, and so not known to be whole: idle, unfinished, idle, unfinished
		synctest.Test(t, func(t *testing.T) {
			s := start(t, greet)
			ours, theirs := net.Pipe()
			s.conns <- &racing{Conn: theirs, left: n, stop: s.cancel, stopped: make(chan struct{})}
			go io.WriteString(ours, helo("a")+"r")
			begun := time.Now()
			_, _ = io.Copy(io.Discard, ours)
			if got := time.Since(begun); got != 0 {
				t.Errorf("stopped at deadline %d: closed after %v; want no time", n, got)
			}
			s.wantQuiet(t)
		})
	}
}

// What has come of further requests is given up at a stop, and its memory back.
func TestServeStopPipelined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, waiting(func(context.Context, *policy.Request) Reply {
			<-time.After(time.Second)
			return NewReply("DUNNO")
		}))
		c := s.dial(t)
		go io.WriteString(c, sized(9<<10)+sized(30<<10))
		synctest.Wait()
		s.cancel()
		c.want("DUNNO")
		c.wantClosed(0)
		s.wantQuiet(t)
	})
}

func TestServePanic(t *testing.T) {
	bad := func() Reply { panic("boom") }
	for _, handler := range []Handler{
		func(context.Context, *policy.Request) (Reply, func() Reply) { return bad(), nil },
		func(context.Context, *policy.Request) (Reply, func() Reply) { return Reply{}, bad },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
				if req.HELO == "bad\x1b" {
					return handler(ctx, req)
				}
				return greet(ctx, req)
			})
			c, other := s.dial(t), s.dial(t)
			c.send(helo("bad\x1b"))
			c.want("DUNNO")
			c.send(helo("good"))
			c.want("INFO good")
			other.send(helo("other"))
			other.want("INFO other")
			s.wantLine(t, "level=ERROR", "panic=boom", "peer=pipe", `HELO:bad\x1b`, "postfix.TestServePanic")
		})
	}
}

// wild is a connection that panics.
type wild struct {
	net.Conn
	in string
}

func (w wild) Read(b []byte) (int, error) {
	if w.in == "Read" {
		panic("boom")
	}
	return w.Conn.Read(b)
}

func (w wild) Write(b []byte) (int, error) {
	if w.in == "Write" {
		panic("boom")
	}
	return w.Conn.Write(b)
}

func (w wild) RemoteAddr() net.Addr {
	if w.in == "RemoteAddr" {
		panic("boom")
	}
	return w.Conn.RemoteAddr()
}

func (w wild) Close() error {
	defer w.Conn.Close()
	if w.in == "Close" {
		panic("boom")
	}
	return nil
}

// A panic that is not the handler's costs its connection, and no other.
func TestServePanicOutsideHandler(t *testing.T) {
	for _, where := range []string{"Read", "Write", "RemoteAddr", "Close"} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, greet)
			other := s.dial(t)
			ours, theirs := net.Pipe()
			s.conns <- wild{theirs, where}
			go func() {
				_, _ = io.WriteString(ours, helo("a")) // it need not be taken
				_, _ = ours.Read(make([]byte, 100))
				ours.Close()
			}()
			synctest.Wait()
			other.send(helo("other"))
			other.want("INFO other")
			synctest.Wait()
			if got := s.server.Stats(); got.Open != 1 || got.Panics != 1 {
				t.Errorf("%s panics: Stats() = %+v; want one panic, and one connection", where, got)
			}
			s.wantLine(t, "level=ERROR", epoll.ClosedByPanic, "panic=boom", "postfix.wild")
		})
	}
}

// Whatever the peer sent and the panic says, the log has one line more, which
// can be read on a terminal, and not all of it.
func TestServePanicLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hostile := strings.Repeat("\x1b\r\\\"", maxValue/4)
		s := start(t, func(context.Context, *policy.Request) (Reply, func() Reply) {
			deep(10_000, errors.New(strings.Repeat(hostile, 1000)))
			return NewReply("unreachable"), nil
		})
		c := s.dial(t)
		in := kind
		for _, name := range []string{
			"client_address", "client_name", "reverse_client_name", "helo_name", "protocol_state", "sender",
			"recipient", "instance", "queue_id", "policy_context",
		} {
			in += name + "=" + hostile + "\n"
		}
		c.send(in + "policy_context=end\n\n")
		c.want("DUNNO")
		log := s.stop(t)
		if n := strings.Count(log, "\n"); n != 1 || len(log) > 40<<10 {
			t.Errorf("log has %d lines and %d bytes; want 1 and at most 40 KiB", n, len(log))
		}
		for _, want := range []string{"level=ERROR", "panic=", "request=", "Context:end", "postfix.deep", "frames elided"} {
			if !strings.Contains(log, want) {
				t.Errorf("log = %.60q…; want it to hold %q", log, want)
			}
		}
		for _, r := range strings.TrimSuffix(log, "\n") {
			if !unicode.IsPrint(r) {
				t.Errorf("log holds %q", r)
				break
			}
		}
	})
}

// deep panics with err, n calls away.
func deep(n int, err error) {
	if n == 0 {
		panic(err)
	}
	deep(n-1, err)
}

func TestServeListenerLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		c := s.dial(t)
		s.Close()
		c.wantClosed(0)
		err := <-s.ended
		if want := "accepting on /test: use of closed network connection"; err == nil || err.Error() != want {
			t.Errorf("Serve() = %v; want %s", err, want)
		}
		s.cancel()
	})
}

func TestServeCloseError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		s.fault = errors.New("cannot remove")
		s.wantLine(t, "level=WARN", "address=/test", `error="cannot remove"`)
	})
}

// A connection may be gone at any point, and a server has a default for all.
func TestServeConnectionGone(t *testing.T) {
	const reply = "action=INFO a\n\n"
	tests := []struct {
		in        string
		deadlines int // that can be set
		want      string
	}{
		{helo("a"), 0, ""},  // idle
		{helo("a"), 1, ""},  // write
		{"request=", 1, ""}, // unfinished
		{helo("a") + "r", 2, ""},
		{helo("a") + "r", 4, reply},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := (&Server{Handler: greet}).service()
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = io.WriteString(ours, tt.in) // the server need not take it
			}()
			go s.serve(t.Context(), &failing{Conn: theirs, left: tt.deadlines})
			if got, err := io.ReadAll(ours); string(got) != tt.want || err != nil {
				t.Errorf("%q with %d deadlines: reply = %q, %v; want %q", tt.in, tt.deadlines, got, err, tt.want)
			}
		})
	}
}

// addressed is a connection with a peer.
type addressed struct {
	net.Conn
	addr net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.addr }

func TestPeer(t *testing.T) {
	tests := []struct {
		addr net.Addr
		want string
		who  Asker
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}, "192.0.2.1:25", Network},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 25}, "[2001:db8::1]:25", Network},
		{&net.UnixAddr{Name: "", Net: "unix"}, "unix", Stranger}, // no socket of the system's
		{&net.IPAddr{}, "", Stranger},
		{nil, "unknown", Stranger},
	}
	for _, tt := range tests {
		if got := peer(addressed{addr: tt.addr}); got.Name != tt.want || Asker(got.Kind) != tt.who {
			t.Errorf("peer(%#v) = %+v; want %q, %d", tt.addr, got, tt.want, tt.who)
		}
	}
}
