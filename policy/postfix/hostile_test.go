package postfix

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hostile is what many peers do, each on a connection of its own.
type hostile struct {
	name   string
	peers  int
	rounds int
	// attack is one round of one peer. It returns in bounded time, whatever
	// the server does; errors are of no interest.
	attack func(c *net.TCPConn, peer, round int)
}

// Bounds of what the process may do to others, whatever its peers do to it.
const (
	answerTime = 2 * time.Second // that a well-behaved client waits
	maxMemory  = 128 << 20       // bytes, at the highest
)

// Whatever other peers do, a well-behaved client is answered, on a connection
// that it has and on a new one. Memory is bounded, and nothing is left of the
// peers when they have gone.
func TestServeHostile(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		noise := make([]byte, 64<<10)
		rand.NewChaCha8([32]byte{}).Read(noise)
		line := bytes.Repeat([]byte("x"), 1<<20)
		hasty := strings.Repeat(kind+"recipient=INFO "+strings.Repeat("x", maxAction)+"\n\n", 100)
		lines := strings.Repeat("a="+strings.Repeat("x", 1000)+"\n", 30) // half of what a request may have
		flood := descriptors(t, 5000)
		tests := []hostile{
			{"slow loris", 200, 50, func(c *net.TCPConn, _, round int) {
				_, _ = io.WriteString(c, full[round:round+1])
			}},
			{"half closed", 200, 1, func(c *net.TCPConn, _, _ int) {
				_, _ = io.WriteString(c, helo("half")+"request=")
				_ = c.CloseWrite()
				if got, err := io.ReadAll(c); string(got) != "action=INFO half\n\n" {
					t.Errorf("half closed: reply = %q, %v; want INFO half", got, err)
				}
			}},
			{"10 MB line", 20, 10, func(c *net.TCPConn, _, _ int) {
				_, _ = c.Write(line)
			}},
			{"binary", 200, 4, func(c *net.TCPConn, _, round int) {
				_, _ = c.Write(noise[round<<14 : (round+1)<<14])
			}},
			{"no blank line", 2500, 2, func(c *net.TCPConn, _, _ int) {
				_, _ = io.WriteString(c, lines)
			}},
			{"reset in mid-reply", 1000, 1, func(c *net.TCPConn, _, _ int) {
				_, _ = io.WriteString(c, hasty)
				_, _ = c.Read(make([]byte, 10))
				_ = c.SetLinger(0)
				_ = c.Close()
			}},
			{"hasty", 200, 2, func(c *net.TCPConn, _, _ int) {
				_, _ = io.WriteString(c, hasty)
				_, _ = io.CopyN(io.Discard, c, 100*int64(len("action=\n\n")+maxAction))
			}},
			{"readers that never read", 50, 2, func(c *net.TCPConn, _, _ int) {
				_ = c.SetReadBuffer(4 << 10)
				_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
				for range 100 {
					_, _ = io.WriteString(c, hasty)
				}
			}},
			{"many, and some big", flood, 1, func(c *net.TCPConn, peer, _ int) {
				size := smallBuffer - 1
				if peer%16 == 0 {
					size = maxRequest - 1
				}
				_, _ = io.WriteString(c, sized(size + 1)[:size])
			}},
		}
		p := startProcess(t, settings{Engines: on, MaxConnections: 2 * flood, Write: time.Second})
		client := &asker{process: p, kept: p.dial()}
		for _, tt := range tests {
			tt.peers = min(tt.peers, flood)
			for try := 1; !client.outlasts(tt); try++ {
				if try == 3 {
					t.Errorf("%s: a client was answered after %v; want %v", tt.name, client.slowest, answerTime)
					break
				}
			}
		}
		client.kept.Close()
		a := p.settled(0)
		if a.Stats.Panics > 0 || a.Stats.AcceptFailures > 0 {
			t.Errorf("Stats() = %+v; want no panics, no failures", a.Stats)
		}
		if a.Memory > maxMemory && !underRace() {
			t.Errorf("memory = %d MiB; want at most %d", a.Memory>>20, maxMemory>>20)
		}
		p.stop()
	})
}

// Connections above the bound wait, those below it are served, and when they
// have gone new ones are.
func TestServeFlood(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		conns := make([]net.Conn, descriptors(t, 5000))
		if len(conns) < defaultConnections {
			t.Skip("too few file descriptors")
		}
		p := startProcess(t, settings{Engines: on})
		kept := p.dial()
		kept.wantAnswer("kept")
		inParallel(len(conns), 50, func(i int) {
			c, err := net.DialTimeout("tcp", p.port, answerTime)
			if err != nil { // the backlog is shorter than 4096 here (net.core.somaxconn)
				t.Log(err)
				return
			}
			conns[i] = c
		})
		for i := range 100 {
			kept.wantAnswer(fmt.Sprintf("kept.%d", i))
		}
		p.settled(defaultConnections)
		for _, c := range conns {
			if c != nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
		}
		fresh := p.dial()
		fresh.wantAnswer("fresh")
		fresh.Close()
		kept.wantAnswer("kept")
		kept.Close()
		p.settled(0)
		p.stop()
		if n := strings.Count(p.log.String(), "as many policy connections as allowed"); n != 1 {
			t.Errorf("the log says %d times that new connections wait; want 1: %s", n, p.tail())
		}
	})
}

// asker is a well-behaved client of a process.
type asker struct {
	process *process
	kept    *client // a connection
	asked   int
	slowest time.Duration
}

// outlasts asks while the process suffers, and reports whether each answer came
// in time. It may not if the machine is busy with something else; of a server
// that makes others wait it is true each time.
func (a *asker) outlasts(h hostile) bool {
	a.process.t.Helper()
	a.asked, a.slowest = 0, 0
	begun := time.Now()
	a.process.suffer(h, a.ask)
	elapsed := time.Since(begun)
	a.process.t.Logf("%-24s in %v: %d answers in at most %v, memory up to %d MiB", h.name, elapsed.Round(time.Millisecond),
		a.asked, a.slowest.Round(time.Millisecond), a.process.settled(1).Memory>>20)
	return a.slowest <= answerTime
}

// ask asks on the connection that there is, and on a new one.
func (a *asker) ask() {
	a.process.t.Helper()
	begun := time.Now()
	a.kept.wantAnswer(fmt.Sprintf("kept.%d", a.asked))
	a.slowest = max(a.slowest, time.Since(begun))

	begun = time.Now()
	fresh := a.process.dial()
	fresh.wantAnswer(fmt.Sprintf("fresh.%d", a.asked))
	a.slowest = max(a.slowest, time.Since(begun))
	fresh.Close()
	a.asked += 2
}

// suffer has the peers connect, attack and go, and calls meanwhile as long as
// that takes.
func (p *process) suffer(h hostile, meanwhile func()) {
	p.t.Helper()
	conns := make([]*net.TCPConn, h.peers)
	done := make(chan struct{})
	defer func() {
		<-done // also where the test ends early
		for _, c := range conns {
			if c != nil {
				_ = c.SetLinger(0) // the port is free at once
				_ = c.Close()
			}
		}
	}()
	go func() {
		defer close(done)
		inParallel(h.peers, 50, func(i int) {
			c, err := net.DialTimeout("tcp", p.port, patience)
			if err != nil {
				p.t.Errorf("%s: %v", h.name, err)
				return
			}
			conns[i] = c.(*net.TCPConn)
		})
		for round := range h.rounds {
			inParallel(h.peers, 200, func(i int) {
				if conns[i] != nil {
					h.attack(conns[i], i, round)
				}
			})
		}
	}()
	// More connections in a second would use up the ports of the loopback.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		meanwhile()
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// inParallel calls f for 0 to n-1, at most so many at once.
func inParallel(n, atOnce int, f func(i int)) {
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		running.Go(func() {
			f(i)
			<-places
		})
	}
	running.Wait()
}

// settled waits until nothing is left of the clients that have gone: until only
// so many connections are open, and each has one goroutine.
func (p *process) settled(open int) account {
	p.t.Helper()
	const ownGoroutines = 10 // about: of the test, of the server, and one for each listener
	deadline := time.Now().Add(patience)
	for tick := time.Tick(10 * time.Millisecond); ; <-tick {
		a := p.account()
		if a.Stats.Open == int64(open) && a.Goroutines <= ownGoroutines+open {
			return a
		}
		if time.Now().After(deadline) {
			p.t.Errorf("%d connections are open and %d goroutines run; want %d connections", a.Stats.Open, a.Goroutines, open)
			return a
		}
	}
}

// descriptors is how many connections a test can have of those that it wants.
func descriptors(t *testing.T, want int) int {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if uint64(limit.Cur) > uint64(want+others) { // int64 on FreeBSD
		return want
	}
	t.Logf("%d connections instead of %d, for want of file descriptors", limit.Cur-others, want)
	return int(limit.Cur) - others
}

// underRace reports whether this is run under the race detector, which takes
// memory of its own for all that the program has.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
