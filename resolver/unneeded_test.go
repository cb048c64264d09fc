package resolver

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestUnneeded: a lookup that nobody needs any more ends, and nobody is lost who
// does need it.
func TestUnneeded(t *testing.T) {
	// A caller comes and leaves at a time. The answer is there after a second.
	type caller struct {
		at, leaves time.Duration // it leaves before the answer, or waits for it
		unneeded   bool          // it leaves for it does not need the answer
		want       string
	}
	const ms = time.Millisecond
	for _, test := range []struct {
		name    string
		callers []caller
		flying  []int // under way 100ms, 600ms and 1100ms after the beginning
		queried int
		cached  string // after two seconds
	}{
		{"the deadline", []caller{{0, 500 * ms, false, "temperror: deadline"}}, []int{1, 1, 0}, 1, "cached: found 192.0.2.1"},
		{"not needed", []caller{{0, 500 * ms, true, "temperror: deadline"}}, []int{1, 0, 0}, 1, "not queried"},
		{"not needed, but answered before", []caller{{0, 2000 * ms, true, "found 192.0.2.1"}}, []int{1, 1, 0}, 1, "cached: found 192.0.2.1"},
		{"another waits", []caller{{0, 500 * ms, true, "temperror: deadline"}, {50 * ms, 5000 * ms, false, "found 192.0.2.1"}}, []int{1, 1, 0}, 1, "cached: found 192.0.2.1"},
		{"who has joined does not need it", []caller{{0, 5000 * ms, false, "found 192.0.2.1"}, {50 * ms, 500 * ms, true, "temperror: deadline"}}, []int{1, 1, 0}, 1, "cached: found 192.0.2.1"},
		{"none of two needs it", []caller{{0, 500 * ms, true, "temperror: deadline"}, {50 * ms, 500 * ms, true, "temperror: deadline"}}, []int{1, 0, 0}, 1, "not queried"},
		{"another's deadline cut it short", []caller{{0, 500 * ms, true, "temperror: deadline"}, {50 * ms, 300 * ms, false, "temperror: deadline"}}, []int{1, 1, 0}, 1, "cached: found 192.0.2.1"},
		{"another comes when it has ended", []caller{{0, 500 * ms, true, "temperror: deadline"}, {501 * ms, 5000 * ms, false, "found 192.0.2.1"}}, []int{1, 1, 1}, 2, "cached: found 192.0.2.1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, slowZone)
			begin := time.Now()
			var wg sync.WaitGroup
			for _, c := range test.callers {
				wg.Go(func() {
					time.Sleep(c.at)
					var cause error
					if c.unneeded {
						cause = ErrUnneeded
					}
					ctx, cancel := context.WithTimeoutCause(t.Context(), c.leaves-c.at, cause)
					defer cancel()
					if got := words(b.lookupContext(ctx, "A a.example.com", Options{})); got != c.want {
						t.Errorf("%s: who came after %v = %s; want %s", test.name, c.at, got, c.want)
					}
				})
			}
			for i, want := range test.flying {
				time.Sleep(time.Until(begin.Add(time.Duration(100+500*i) * ms)))
				if got := b.Stats().InFlight; got != want {
					t.Errorf("%s: %d under way after %v; want %d", test.name, got, time.Since(begin), want)
				}
			}
			wg.Wait()
			time.Sleep(time.Until(begin.Add(2 * time.Second)))
			if got := b.say("A a.example.com", Options{CacheOnly: true}); got != test.cached || b.queried() != test.queried {
				t.Errorf("%s: afterwards = %s, %d queries; want %s, %d", test.name, got, b.queried(), test.cached, test.queried)
			}
			if b.charged() != 0 {
				t.Errorf("%s: %d networks and zones charged afterwards; want none", test.name, b.charged())
			}
		})
	}
}

// TestJoinsWhatEnds: who joins a lookup between its end for want of callers and its
// landing has it asked anew.
func TestJoinsWhatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		f, mine := b.hosts.board(hostKey{"a.example.com", 1}, Options{})
		synctest.Wait()
		if !mine {
			t.Fatal("joined a lookup; want it begun")
		}
		// All in one go of this goroutine: the lookup cannot land meanwhile.
		b.mu.Lock()
		f.wanted = 0
		f.cutoff.Cut(errUnwanted)
		joined := pending[hostKey, netip.Addr]{t: b.hosts, k: hostKey{"a.example.com", 1}, f: b.hosts.flights[hostKey{"a.example.com", 1}]}
		b.mu.Unlock()
		if got, want := words(b.addrs(joined.k, joined.wait(t.Context()), true)), "found 192.0.2.1"; got != want || joined.f == f || b.queried() != 2 {
			t.Errorf("who joined = %s, with %d queries; want %s, queried anew", got, b.queried(), want)
		}
	})
}

// TestSilentZone: a query about a zone that was silent a moment ago is put once
// to a server that is well.
func TestSilentZone(t *testing.T) {
	const first = "A a.example.com"
	for _, test := range []struct {
		name    string
		servers []string
		after   time.Duration // of the first failure
		second  string
		well    bool // the servers have answered something between
		queried []int
		took    time.Duration
	}{
		{"a moment ago", []string{silent}, 0, "A b.example.com", false, []int{1}, 2 * time.Second},
		{"a zone below", []string{silent}, 0, "A a.b.example.com", false, []int{1}, 2 * time.Second},
		{"a while ago", []string{silent}, silenceTime, "A b.example.com", false, []int{2}, 4 * time.Second},
		{"nearly", []string{silent}, silenceTime - 1, "A b.example.com", false, []int{1}, 2 * time.Second},
		{"another zone", []string{silent}, 0, "A a.example.net", false, []int{2}, 4 * time.Second},
		{"it has failed, not been silent", []string{"!servfail a.example.com\n!drop b.example.com"}, 0, "A b.example.com", false, []int{2}, 4 * time.Second},
		{"two servers, well", []string{"!drop *.example.com", "!drop *.example.com"}, 0, "A b.example.com", true, []int{1, 0}, 2 * time.Second},
		// What they do not say says nothing about the zone.
		{"two servers, both ill", []string{silent, silent}, 0, "A b.example.com", false, []int{1, 1}, 4 * time.Second},
		{"a failure before silence", []string{"!drop a.example.com\n!servfail b.example.com", "!drop *.example.com"}, 0, "A b.example.com", true, []int{1, 1}, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.servers...)
			b.lookup(first, Options{})
			time.Sleep(test.after)
			if test.well {
				for i := range b.worlds {
					b.health.answered(b.health.list[i].addr, KindA, Found, 0)
				}
			}
			begin := time.Now()
			b.lookup(test.second, Options{})
			took := time.Since(begin)
			queried := make([]int, len(b.worlds))
			for _, i := range b.heard(test.second) {
				queried[i]++
			}
			if !slices.Equal(queried, test.queried) || took != test.took {
				t.Errorf("%s: queried %v in %v; want %v in %v", test.name, queried, took, test.queried, test.took)
			}
		})
	}
}
