package postfix

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// live is a server under test that listens on sockets of the system.
type live struct {
	t      *testing.T
	server *Server
	log    bytes.Buffer // to be read after stop
	cancel context.CancelFunc
	ended  chan error

	listeners []net.Listener // TCP, unix
}

// engines are what serves connections. Where the clock is a test's own, so are the
// connections, and goroutines serve them: no kernel tells epoll of these.
var engines = []struct {
	name string
	kind engineKind
}{{"loops", eventLoops}, {"goroutines", goroutineEach}}

// onEngines runs a test against each.
func onEngines(t *testing.T, test func(t *testing.T, on engineKind)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.kind) })
	}
}

// startLive starts a server, which listens on addresses more too.
func startLive(t *testing.T, on engineKind, s *Server, more ...string) *live {
	t.Helper()
	r := &live{t: t, server: s, ended: make(chan error, 1)}
	for _, address := range append([]string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "socket")}, more...) {
		l, err := Listen(address, 0o666, "")
		if err != nil {
			t.Fatal(err)
		}
		r.listeners = append(r.listeners, l)
	}
	s.engines = on
	s.Memory = NewMemory(1 << 20)
	s.Log = slog.New(slog.NewTextHandler(&r.log, nil))
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() { r.ended <- s.Serve(ctx, r.listeners...) }()
	return r
}

// dial connects over the network "tcp" or "unix".
func (r *live) dial(network string) *client {
	r.t.Helper()
	for _, l := range r.listeners {
		if l.Addr().Network() != network {
			continue
		}
		c, err := net.Dial(network, l.Addr().String())
		if err != nil {
			r.t.Fatal(err)
		}
		return r.over(c)
	}
	r.t.Fatal("nothing listens on " + network)
	return nil
}

// over is a client that has connected.
func (r *live) over(c net.Conn) *client {
	r.t.Cleanup(func() { c.Close() })
	p := &client{r.t, c, bufio.NewReader(c)}
	p.patiently()
	return p
}

// stop wants the server to end and owe nothing, and returns its log.
func (r *live) stop() string {
	r.t.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.t.Errorf("Serve() = %v; want nil", err)
	}
	if used := r.server.Memory.used.Load(); used != 0 {
		r.t.Errorf("%d bytes are still charged; want 0", used)
	}
	if open := r.server.Stats().Open; open != 0 {
		r.t.Errorf("%d connections are open; want none", open)
	}
	return r.log.String()
}

// wantEnd wants the server to close without a further reply.
func (c *client) wantEnd() {
	c.t.Helper()
	if got, err := io.ReadAll(c.replies); len(got) > 0 || err != nil {
		c.t.Errorf("reply = %q, %v; want none, and the end", got, err)
	}
}

var networks = []string{"tcp", "unix"}

// However the requests are cut into pieces, and whether the handler waits for all,
// some or none of them, each is answered, in order.
func TestLivePieces(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		var names []string
		var in strings.Builder
		for i := range 60 {
			name := strings.Repeat("n", 1+i*i%7) + ".example.com"
			if i%20 == 7 { // more than a small buffer
				fmt.Fprintf(&in, "%sa=%s\nhelo_name=%s\n\n", kind, strings.Repeat("x", 5000+i), name)
			} else {
				in.WriteString(helo(name))
			}
			names = append(names, name)
		}
		all := in.String()
		s := startLive(t, on, &Server{Handler: greet})
		var running sync.WaitGroup
		for _, network := range networks {
			for _, size := range []int{1, 7, 100, 1000, smallBuffer - 1, smallBuffer, smallBuffer + 1, len(all)} {
				c := s.dial(network)
				running.Go(func() {
					for rest := all; len(rest) > 0; {
						n := min(size, len(rest))
						c.send(rest[:n])
						rest = rest[n:]
					}
					_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
				})
				running.Go(func() {
					for _, name := range names {
						if c.want("INFO " + name); t.Failed() {
							t.Logf("%s, pieces of %d bytes", network, size)
							return
						}
					}
					c.wantEnd()
				})
			}
		}
		running.Wait()
		if log := s.stop(); log != "" {
			t.Errorf("log = %q; want none", log)
		}
	})
}

// What has come while the handler waited is not forgotten: neither what had been
// read, nor what filled the buffer to its end, nor what came meanwhile, nor that
// it was the last.
func TestLiveWhileWaiting(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		filling := func(name string) string { // a buffer
			head, tail := kind+"a=", "\nhelo_name="+name+"\n\n"
			return head + strings.Repeat("x", smallBuffer-len(head)-len(tail)) + tail
		}
		tests := []struct {
			name          string
			before, after string // sent before and after the handler has begun to wait for the first
			replies       int
		}{
			{"read", helo("a") + helo("a"), "", 2},
			{"read in part", helo("a") + "request=", "smtpd_access_policy\nhelo_name=a\n\n", 2},
			{"a full buffer", filling("a") + filling("a"), "", 2},
			{"meanwhile", helo("a"), helo("a"), 2},
			{"meanwhile, more", helo("a"), strings.Repeat(filling("a"), 20), 21},
			{"the end", helo("a"), "", 1},
		}
		for _, network := range networks {
			for _, tt := range tests {
				begun, enough := make(chan bool, 100), make(chan bool)
				s := startLive(t, on, &Server{Handler: func(_ context.Context, req *policy.Request) (Reply, func() Reply) {
					return Reply{}, func() Reply {
						begun <- true
						<-enough
						return NewReply("INFO " + req.HELO)
					}
				}})
				c := s.dial(network)
				c.send(tt.before)
				<-begun
				if tt.after != "" {
					c.send(tt.after)
				}
				half := c.Conn.(interface{ CloseWrite() error })
				if tt.name == "the end" {
					_ = half.CloseWrite()
				}
				close(enough)
				for range tt.replies {
					c.want("INFO a")
				}
				if t.Failed() {
					t.Fatalf("%s, %s", network, tt.name)
				}
				_ = half.CloseWrite()
				c.wantEnd()
				s.stop()
			}
		}
	})
}

// A peer has its time and no more.
func TestLiveTime(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		const span = 50 * time.Millisecond
		deaf := strings.Repeat(kind+"recipient=INFO "+strings.Repeat("x", maxAction)+"\n\n", 60_000) // more than both sides have buffers for
		tests := []struct {
			name                    string
			idle, unfinished, write time.Duration
			send                    string
			log                     string
		}{
			{"idle", span, 0, 0, "", ""},
			{"idle after a request", span, 0, 0, helo("aa"), ""},
			{"idle after waiting", span, 0, 0, helo("a"), ""},
			{"unfinished", 0, span, 0, "request=", "not whole after 50ms"},
			{"unfinished after a request", 0, span, 0, helo("aa") + "request=", "not whole after 50ms"},
			{"unfinished after waiting", 0, span, 0, helo("a") + "request=", "not whole after 50ms"},
			{"taking no replies", 0, 0, span, deaf, ""},
		}
		for _, network := range networks {
			for _, tt := range tests {
				server := &Server{Handler: echo, Idle: tt.idle, Unfinished: tt.unfinished, Write: tt.write}
				s := startLive(t, on, server)
				other := s.dial(network)
				begun := time.Now()
				c := s.dial(network)
				_, _ = io.WriteString(c, tt.send) // it need not be taken
				left := int64(1)
				if tt.idle == span {
					left = 0 // the other has its time, too
				}
				for tick := time.Tick(time.Millisecond); server.Stats().Accepted < 2 || server.Stats().Open > left; <-tick {
					if left > 0 {
						other.wantAnswer("other")
					}
					if time.Since(begun) > patience {
						t.Fatalf("%s, %s: still open after %v", network, tt.name, patience)
					}
				}
				if took, least := time.Since(begun), span-span/slack; took < least {
					t.Errorf("%s, %s: closed after %v; want at least %v", network, tt.name, took, least)
				}
				if log := s.stop(); !strings.Contains(log, tt.log) || tt.log == "" && log != "" {
					t.Errorf("%s, %s: log = %q; want %q", network, tt.name, log, tt.log)
				}
			}
		}
	})
}

// A stop ends what waits for nothing at once, and what waits for an answer when
// that has come.
func TestLiveStop(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		for _, late := range []string{"", helo("late")} {
			begun, enough := make(chan bool), make(chan bool)
			s := startLive(t, on, &Server{Handler: func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
				if req.HELO != "busy" {
					return greet(ctx, req)
				}
				return Reply{}, func() Reply {
					begun <- true
					<-enough
					return NewReply("INFO " + req.HELO)
				}
			}})
			var all, busy []*client
			for _, network := range networks {
				fresh, idle, half, waiting := s.dial(network), s.dial(network), s.dial(network), s.dial(network)
				idle.wantAnswer("aa")
				half.send(helo("a") + "request=") // the server reads both at once: none is lost, which a peer would be told of
				half.want("INFO a")
				waiting.send(helo("busy") + late)
				<-begun
				all = append(all, fresh, idle, half)
				busy = append(busy, waiting)
			}
			s.cancel()
			for _, c := range all {
				c.wantEnd()
			}
			select {
			case err := <-s.ended:
				t.Fatalf("Serve() = %v while a handler waits", err)
			default:
			}
			close(enough)
			for _, c := range busy {
				c.want("INFO busy")
				c.wantEnd()
			}
			if log := s.stop(); log != "" {
				t.Errorf("log = %q; want none", log)
			}
		}
	})
}

// One that sends without waiting for answers holds up no other, and has its own.
func TestLiveTurns(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		s := startLive(t, on, &Server{Handler: greet})
		hasty := s.dial("tcp")
		const requests = 20_000
		go hasty.send(strings.Repeat(helo("aa"), requests))
		other := s.dial("tcp")
		for i := range 50 {
			other.wantAnswer(fmt.Sprint(i))
		}
		for range requests {
			hasty.want("INFO aa")
			if t.Failed() {
				break
			}
		}
		if log := s.stop(); log != "" {
			t.Errorf("log = %q; want none", log)
		}
	})
}

// One that is never without a request for us is not idle.
func TestLiveBusy(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		const span, requests = 50 * time.Millisecond, 10_000
		s := startLive(t, on, &Server{Idle: span, Unfinished: span, Write: span, Handler: func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
			work(20 * time.Microsecond)
			return greet(ctx, req)
		}})
		for _, network := range networks {
			c := s.dial(network)
			go func() {
				c.send(strings.Repeat(helo("aa"), requests))
				_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			}()
			for range requests {
				if c.want("INFO aa"); t.Failed() {
					t.FailNow()
				}
			}
			c.wantEnd()
		}
		s.stop()
	})
}

// work keeps a processor busy.
func work(d time.Duration) {
	for begun := time.Now(); time.Since(begun) < d; {
	}
}

// Who comes while the server has more to do than it does in one go is served, and
// so is a stop.
func TestLiveCrowd(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		held, hold := make(chan bool), make(chan bool)
		s := startLive(t, on, &Server{Handler: func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
			if req.HELO == "hold" {
				held <- true
				<-hold // as no handler may
			}
			work(10 * time.Microsecond)
			return NewReply("INFO " + req.HELO), nil
		}})
		var all []*client
		for range descriptors(t, 800) / 2 {
			c := s.dial("unix")
			c.wantAnswer("first")
			all = append(all, c)
		}
		holder := s.dial("unix")
		holder.send(helo("hold"))
		<-held
		for _, c := range all {
			c.send(helo("second"))
		}
		fresh := s.dial("unix")
		fresh.send(helo("fresh"))
		for tick := time.Tick(time.Millisecond); s.server.Stats().Accepted < int64(len(all)+2); {
			<-tick
		}
		close(hold)
		for _, c := range all {
			if c.want("INFO second"); t.Failed() {
				t.FailNow()
			}
		}
		fresh.want("INFO fresh")
		holder.want("INFO hold")
		s.stop()
	})
}

// Who has seen the end of its connection finds it counted.
func TestLiveCountsBeforeClosing(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		r := startLive(t, on, &Server{Handler: greet})
		for n := int64(1); n <= 1000 && !t.Failed(); n++ {
			p := r.dial("unix")
			p.send("request=another\n\n")
			p.wantEnd()
			if got := r.server.Stats().BadRequests; got != n {
				t.Errorf("Stats().BadRequests = %d after %d connections have ended for theirs", got, n)
			}
			p.Close()
		}
		r.stop()
	})
}
