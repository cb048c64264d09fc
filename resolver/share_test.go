package resolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// v4 is a client of a network of its own for each 256.
func v4(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}) }

// TestOwnTrouble: what this host lacks is neither a server's nor a zone's fault,
// and nothing that is remembered.
func TestOwnTrouble(t *testing.T) {
	own := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "udp", Err: &net.OpError{Op: "socket", Err: errno}}
	}
	for _, test := range []struct {
		name    string
		err     [2]error // of each server
		network string   // that fails
		text    string
		want    string
		own     bool
		failing bool
		again   string // when all is well again
	}{
		{"descriptors", [2]error{own(syscall.EMFILE), own(syscall.EMFILE)}, "udp", "", "temperror: trouble of our own: 192.0.2.53:53: too many open files; 198.51.100.53:53: too many open files", true, false, "none"},
		{"the system's descriptors", [2]error{syscall.ENFILE, syscall.ENFILE}, "udp", "", "temperror: trouble of our own: 192.0.2.53:53: too many open files in system; 198.51.100.53:53: too many open files in system", true, false, "none"},
		{"buffers", [2]error{syscall.ENOBUFS, syscall.ENOBUFS}, "udp", "", "temperror: trouble of our own: 192.0.2.53:53: no buffer space available; 198.51.100.53:53: no buffer space available", true, false, "none"},
		{"ports", [2]error{syscall.EADDRNOTAVAIL, syscall.EADDRNOTAVAIL}, "udp", "", "temperror: trouble of our own: 192.0.2.53:53: cannot assign requested address; 198.51.100.53:53: cannot assign requested address", true, false, "none"},
		{"descriptors, for TCP", [2]error{syscall.EMFILE, syscall.EMFILE}, "tcp", "!truncate *", "temperror: trouble of our own: 192.0.2.53:53: too many open files; 198.51.100.53:53: too many open files", true, false, "none"},
		// An address family that this host has not got is no reason to give in.
		{"one server only", [2]error{syscall.EADDRNOTAVAIL, nil}, "udp", "", "none", false, false, "cached: none"},
		{"one server only, and the zone fails", [2]error{syscall.EADDRNOTAVAIL, nil}, "udp", "!servfail *", "temperror: 192.0.2.53:53: cannot assign requested address; SERVFAIL from 198.51.100.53:53", false, false, "cached: temperror: 192.0.2.53:53: cannot assign requested address; SERVFAIL from 198.51.100.53:53"},
		{"the network", [2]error{syscall.ENETUNREACH, syscall.ENETUNREACH}, "udp", "", "temperror: 192.0.2.53:53: network is unreachable; 198.51.100.53:53: network is unreachable", false, true, "cached: temperror: 192.0.2.53:53: network is unreachable; 198.51.100.53:53: network is unreachable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.text, test.text)
			inner := b.server
			b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
				for i, err := range test.err {
					if err != nil && network == test.network && address == serverAddrs[i] {
						return nil, err
					}
				}
				return inner(ctx, network, address)
			}
			a := b.lookup("A a.example.com", Options{})
			if got := words(a); got != test.want || errors.Is(a.Err, ErrOwn) != test.own {
				t.Errorf("%s: %s, own %v; want %s, %v", test.name, got, errors.Is(a.Err, ErrOwn), test.want, test.own)
			}
			if s := b.Stats().Servers[0]; s.Failing != test.failing {
				t.Errorf("%s: the server is failing: %v; want %v", test.name, s.Failing, test.failing)
			}
			test.err = [2]error{}
			b.set("")
			b.setServer(1, "")
			if got := b.say("A a.example.com", Options{}); got != test.again {
				t.Errorf("%s, then all well: %s; want %s", test.name, got, test.again)
			}
		})
	}
}

// TestPanic: nobody is left waiting, it is logged once, and the rest goes on.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := configured(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, "a.example.com. A 192.0.2.1\n!delay * 1s")
		inner := b.server
		broken := true
		b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
			if broken {
				time.Sleep(time.Second)
				panic("out of cheese")
			}
			return inner(ctx, network, address)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				a := b.lookup("A a.example.com", Options{Client: v4(1)})
				if got, want := words(a), "temperror: trouble of our own: panic"; got != want || !errors.Is(a.Err, ErrOwn) {
					t.Errorf("in a panic = %s; want %s", got, want)
				}
			})
		}
		wg.Wait()
		if s := b.Stats(); s.Panics != 1 || s.InFlight != 0 || b.charged() != 0 {
			t.Errorf("Stats() = %+v, %d networks charged; want one panic and nothing left", s, b.charged())
		}
		for _, want := range []string{"level=ERROR", "during=a.example.com.", `panic="out of cheese"`, "TestPanic"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log %q; want %q in it", log.String(), want)
			}
		}
		broken = false
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "cached: temperror: trouble of our own: panic"}, {5 * time.Second, "found 192.0.2.1"}} {
			time.Sleep(step.after)
			if got := b.say("A a.example.com", Options{}); got != step.want {
				t.Errorf("%v after a panic = %s; want %s", step.after, got, step.want)
			}
		}
	})
}

// TestPanicOfProbes: the watch over the servers survives its own panic, and one
// of whom it tells.
func TestPanicOfProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := 0
		b := configured(t, Config{OnOutage: func(Outage) { events++; panic("told") }}, silent)
		inner := b.server
		start := time.Now()
		b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
			if at := time.Since(start); at > 5*time.Second && at < 9*time.Second {
				panic("probing")
			}
			return inner(ctx, network, address)
		}
		b.play(start, []moment{{0, silent, zones}, {19 * time.Second, good, ""}})
		b.Close()
		if s := b.Stats(); b.Outage() || events != 2 || s.Panics < 3 {
			t.Errorf("outage %v, %d events, %d panics; want it over, 2, and some", b.Outage(), events, s.Panics)
		}
	})
}

// TestStats: what a few lookups count as.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := configured(t, Config{Stale: time.Hour}, "!servfail *", "a.example.com. 60 A 192.0.2.1\n!delay * 100ms")
		b.lookup("A a.example.com", Options{CacheOnly: true})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { b.lookup("A a.example.com", Options{}) })
		}
		wg.Wait()
		b.lookup("A a.example.com", Options{})
		time.Sleep(time.Minute)
		b.setServer(1, "!refused *")
		b.lookup("A a.example.com", Options{})
		s := b.Stats()
		got := fmt.Sprintf("hits %d misses %d stale %d coalesced %d entries %d in flight %d", s.Hits, s.Misses, s.Stale, s.Coalesced, s.Entries, s.InFlight)
		for _, v := range s.Servers {
			got += fmt.Sprintf("; %v failing %v answers %d failures %d took %v", v.Addr, v.Failing, v.Answers, v.Failures, v.Took)
		}
		const want = "hits 2 misses 3 stale 1 coalesced 2 entries 1 in flight 0" +
			"; 192.0.2.53:53 failing false answers 0 failures 2 took 0s; 198.51.100.53:53 failing true answers 1 failures 1 took 100ms"
		if got != want {
			t.Errorf("Stats(): %s; want %s", got, want)
		}
	})
}
