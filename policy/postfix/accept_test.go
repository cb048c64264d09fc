package postfix

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
)

// occupied is a server whose places are all taken, and whose handler waits for
// release with names that begin with "busy".
func occupied(t *testing.T, places int) (s *running, release chan struct{}) {
	release = make(chan struct{})
	return startServer(t, &Server{MaxConnections: places, Handler: func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
		if !strings.HasPrefix(req.HELO, "busy") {
			return greet(ctx, req)
		}
		return Reply{}, func() Reply {
			<-release
			return NewReply("INFO " + req.HELO)
		}
	}}), release
}

// Above the bound a connection waits, however long, while requests of all others
// are being judged; and the log says so, but not each time.
func TestServeFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := occupied(t, 2)
		busy := []*client{s.dial(t), s.dial(t)}
		for _, c := range busy {
			c.send(helo("busy"))
			synctest.Wait() // who waits for release first is released first
		}
		begun := time.Now()
		for range 10 {
			c := s.dial(t)
			go func() {
				<-time.After(time.Minute)
				release <- struct{}{}
				busy[0].want("INFO busy")
				busy[0].Close()
			}()
			c.send(helo("busy"))
			synctest.Wait()
			busy = append(busy[1:], c)
		}
		if got, want := time.Since(begun), 10*time.Minute; got != want {
			t.Errorf("ten connections were served after %v; want %v", got, want)
		}
		want := Stats{Open: 2, Accepted: 12, Full: 10, Requests: 12}
		if got := s.server.Stats(); got != want {
			t.Errorf("Stats() = %+v; want %+v", got, want)
		}
		close(release)
		for _, c := range busy {
			c.want("INFO busy")
		}
		log := s.stop(t)
		const line = `level=WARN msg="as many policy connections as allowed: for a new one the longest idle gives way, or it waits" max_connections=2`
		if got, want := strings.Count(log, line), 10; got != want || strings.Count(log, "\n") != want {
			t.Errorf("log = %s; want %d lines, all with %s", log, want, line)
		}
	})
}

// With as many connections as places nobody gives way: nobody waits for it.
func TestServeFullOfIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, &Server{Handler: greet, MaxConnections: 3})
		all := []*client{s.dial(t), s.dial(t), s.dial(t)}
		<-time.After(10 * time.Minute)
		for _, c := range all {
			c.send(helo("a"))
			c.want("INFO a")
		}
		want := Stats{Open: 3, Accepted: 3, Requests: 3}
		if got := s.server.Stats(); got != want {
			t.Errorf("Stats() = %+v; want %+v", got, want)
		}
		s.wantQuiet(t)
	})
}

// The one that gives way is who has owed a request for longest, and not for less
// than ten seconds.
func TestServeGiveWay(t *testing.T) {
	const s = time.Second
	half := "request=smtpd_"
	tests := []struct {
		what  string
		first []string      // what each connection sends
		pause time.Duration // between that and a connection more
		ended int           // which connection is; -1: none
		after time.Duration // from the connection more on
	}{
		{"idle since they came", []string{"", ""}, 20 * s, 0, 0},
		{"not yet idle for long", []string{"", ""}, 3 * s, 0, 7 * s},
		{"the other has asked since", []string{helo("a"), ""}, 20 * s, 1, 0},
		{"the other has asked for something since", []string{half, ""}, 5 * s, 1, 5 * s},
		{"an old half of a request", []string{half, helo("busy")}, 20 * s, 0, 0},
		{"a new half of a request", []string{half, helo("busy")}, 0, 0, 10 * s},
		{"all are busy", []string{helo("busy"), helo("busy")}, time.Hour, -1, 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			srv, release := occupied(t, len(tt.first))
			var all []*client
			for range tt.first {
				all = append(all, srv.dial(t))
				<-time.After(time.Millisecond)
			}
			for i, c := range all {
				if tt.first[i] == "" {
					continue
				}
				c.send(tt.first[i])
				if tt.first[i] == helo("a") {
					c.want("INFO a")
				}
			}
			<-time.After(tt.pause)
			begun := time.Now()
			more := srv.dial(t)
			go func() { _, _ = more.Write([]byte(helo("more"))) }()
			wanted := Stats{Open: int64(len(all))}
			if tt.ended < 0 {
				<-time.After(time.Minute)
			} else {
				wanted.GaveWay = 1
				_, _ = all[tt.ended].replies.Peek(1) // waits for its end
				if got := time.Since(begun).Round(10 * time.Millisecond); got != tt.after {
					t.Errorf("%s: connection %d ended after %v; want %v", tt.what, tt.ended, got, tt.after)
				}
				more.want("INFO more")
			}
			synctest.Wait()
			if got := srv.server.Stats(); got.GaveWay != wanted.GaveWay || got.Open != wanted.Open {
				t.Errorf("%s: Stats() = %+v; want as many of Open and GaveWay as in %+v", tt.what, got, wanted)
			}
			close(release)
			for _, c := range append(all, more) {
				c.Close()
			}
			synctest.Wait()
			srv.stop(t)
		})
	}
}

// Who sends a byte every nine seconds does not keep its place by that.
func TestServeGiveWayTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, &Server{Handler: greet, MaxConnections: 1})
		slow := s.dial(t)
		go func() {
			for _, b := range []byte(helo("a")) {
				if _, err := slow.Write([]byte{b}); err != nil {
					return
				}
				<-time.After(9 * time.Second)
			}
		}()
		<-time.After(time.Second)
		begun := time.Now()
		c := s.dial(t)
		c.send(helo("a"))
		c.want("INFO a")
		if got, want := time.Since(begun), 9*time.Second; got != want {
			t.Errorf("a connection was served after %v; want %v", got, want)
		}
		slow.Close()
		<-time.After(10 * time.Second)
		s.stop(t)
	})
}

// A connection that waits for a place is closed at a stop.
func TestServeFullStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, &Server{Handler: greet, MaxConnections: 1})
		s.dial(t)
		waits := s.dial(t)
		synctest.Wait()
		s.cancel()
		waits.wantClosed(0)
		if err := <-s.ended; err != nil {
			t.Errorf("Serve() = %v; want nil", err)
		}
	})
}

// A listener without clients takes no place from one that has them.
func TestServeFullListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listeners := []*pipes{newPipes(), newPipes(), newPipes()}
		s := &Server{Handler: greet, MaxConnections: 3}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, listeners[0], listeners[1], listeners[2]) }()
		for range 3 {
			c := listeners[0].dial(t)
			c.send(helo("a"))
			c.want("INFO a")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v; want nil", err)
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := new(Server).Stats(); got != (Stats{}) {
			t.Errorf("Stats() of a new server = %+v; want none", got)
		}
		s := start(t, func(ctx context.Context, req *policy.Request) (Reply, func() Reply) {
			if req.HELO == "bad" {
				panic("boom")
			}
			return greet(ctx, req)
		})
		for range 3 {
			s.errs <- syscall.EMFILE
		}
		healthy, bad, slow := s.dial(t), s.dial(t), s.dial(t)
		for _, name := range []string{"a", "b", "c"} {
			healthy.send(helo(name))
			healthy.want("INFO " + name)
		}
		healthy.send(helo("bad"))
		healthy.want("DUNNO")
		go bad.send("\n")
		bad.wantClosed(0)
		slow.send("request=")
		slow.wantClosed(time.Minute)
		synctest.Wait()
		want := Stats{Open: 1, Accepted: 3, AcceptFailures: 3, Requests: 4, BadRequests: 2, Panics: 1}
		if got := s.server.Stats(); got != want {
			t.Errorf("Stats() = %+v; want %+v", got, want)
		}
		s.stop(t)
		want.Open = 0
		if got := s.server.Stats(); got != want {
			t.Errorf("Stats() after the stop = %+v; want %+v", got, want)
		}
	})
}

// Want of file descriptors ends nothing, costs no time to speak of, and does
// not fill the log.
func TestServeAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, greet)
		begun := time.Now()
		tries := 0
		for time.Since(begun) < time.Hour {
			s.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
			tries++
		}
		if tries < 3600 || tries > 3620 {
			t.Errorf("%d tries in an hour; want about one a second", tries)
		}
		c := s.dial(t)
		s.errs <- syscall.ENFILE // the pause is short again
		begun = time.Now()
		s.dial(t).Close()
		if got := time.Since(begun); got != minPause {
			t.Errorf("the pause after a connection = %v; want %v", got, minPause)
		}
		c.send(helo("a"))
		c.want("INFO a")
		s.errs <- syscall.ENFILE
		synctest.Wait()
		got := s.stop(t) // in the pause
		if n := strings.Count(got, "\n"); n < 110 || n > 121 {
			t.Errorf("%d lines in an hour; want one in 30 s", n)
		}
		if line, _, _ := strings.Cut(got, "\n"); !strings.Contains(line, "level=WARN") || !strings.Contains(line, "too many open files") {
			t.Errorf("log = %s; want a warning of too many open files", line)
		}
	})
}
