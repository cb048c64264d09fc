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

// Above the bound a connection waits, however long, until another ends; and
// the log says so, but not each time.
func TestServeFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, &Server{Handler: greet, MaxConnections: 2})
		first, last := s.dial(t), s.dial(t)
		for range 10 {
			begun := time.Now()
			go func() {
				<-time.After(time.Minute)
				first.send(helo("a"))
				first.want("INFO a")
				first.Close()
			}()
			c := s.dial(t)
			if got := time.Since(begun); got != time.Minute {
				t.Errorf("a third connection was accepted after %v; want %v", got, time.Minute)
			}
			first, last = last, c
		}
		for range 100 { // in no time
			synctest.Wait()
			go first.Close()
			first, last = last, s.dial(t)
		}
		last.send(helo("b"))
		last.want("INFO b")
		synctest.Wait()
		want := Stats{Open: 2, Accepted: 112, Full: 111, Requests: 11}
		if got := s.server.Stats(); got != want {
			t.Errorf("Stats() = %+v; want %+v", got, want)
		}
		log := s.stop(t)
		const line = `level=WARN msg="as many policy connections as allowed, new ones wait" max_connections=2`
		if got, want := strings.Count(log, line), 11; got != want || strings.Count(log, "\n") != want {
			t.Errorf("log = %s; want %d lines, all with %s", log, want, line)
		}
	})
}

// Each listener has a place, so that one without clients takes not the last
// from one that has them.
func TestServeFullListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listeners := []*pipes{newPipes(), newPipes(), newPipes()}
		s := &Server{Handler: greet, MaxConnections: 1}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, listeners[0], listeners[1], listeners[2]) }()
		for _, l := range listeners {
			c := l.dial(t)
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
		s := start(t, func(ctx context.Context, req *policy.Request) (string, func() string) {
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
