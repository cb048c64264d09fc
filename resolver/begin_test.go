package resolver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestBeginAddrs: a query that was begun is on its way, and its answer is there
// when it is wanted, though the caller has waited for others meanwhile.
func TestBeginAddrs(t *testing.T) {
	for _, test := range []struct {
		name     string
		deadline time.Duration // of the whole
		wait     time.Duration // until the answer is wanted
		over     bool          // the context is over before
		want     string
		took     time.Duration // from the beginning
		queried  int
	}{
		{name: "at once", deadline: 5 * time.Second, want: "found 192.0.2.1", took: time.Second, queried: 1},
		{name: "meanwhile", deadline: 5 * time.Second, wait: 700 * time.Millisecond, want: "found 192.0.2.1", took: time.Second, queried: 1},
		{name: "long before", deadline: 5 * time.Second, wait: 2 * time.Second, want: "found 192.0.2.1", took: 2 * time.Second, queried: 1},
		{name: "before the deadline, wanted after it", deadline: 2 * time.Second, wait: 3 * time.Second, want: "found 192.0.2.1", took: 3 * time.Second, queried: 1},
		{name: "not by the deadline", deadline: 500 * time.Millisecond, want: "temperror: deadline", took: 500 * time.Millisecond, queried: 1},
		{name: "not begun", deadline: 5 * time.Second, over: true, want: "temperror: cut short"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, slowZone)
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				if test.over {
					cancel()
				}
				a, wait := b.BeginAddrs(ctx, "ip4", "A.example.com.", Options{})
				if a.Outcome != NotQueried || wait == nil || time.Since(begin) != 0 {
					t.Fatalf("BeginAddrs() = %s, after %v; want to wait, at once", words(a), time.Since(begin))
				}
				time.Sleep(test.wait)
				if got := words(wait(ctx)); got != test.want {
					t.Errorf("%s; want %s", got, test.want)
				}
				if took := time.Since(begin); took != test.took || b.queried() != test.queried {
					t.Errorf("after %v and %d queries; want %v and %d", took, b.queried(), test.took, test.queried)
				}
			})
		})
	}
}

// TestBeginAddrsAtHand: what needs no query needs no wait either.
func TestBeginAddrsAtHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "a.example.com. A 192.0.2.1")
		b.lookup("A a.example.com", Options{})
		for _, test := range []struct{ network, name, want string }{
			{"ip4", "a.example.com", "cached: found 192.0.2.1"},
			{"ip4", "a..example.com", `temperror: "a..example.com" is no domain name`},
			{"ip5", "a.example.com", `temperror: network "ip5": want ip4 or ip6`},
		} {
			a, wait := b.BeginAddrs(t.Context(), test.network, test.name, Options{})
			if got := words(a); got != test.want || wait != nil {
				t.Errorf("BeginAddrs(%s, %s) = %s, to wait for: %v; want %s at once", test.network, test.name, got, wait != nil, test.want)
			}
		}
		if n := b.queried(); n != 1 {
			t.Errorf("%d queries; want the first alone", n)
		}
	})
}

// TestBeginAddrsStale: an answer past its TTL is given 1.8 seconds after the query
// was begun, whenever it is wanted.
func TestBeginAddrsStale(t *testing.T) {
	for _, wanted := range []time.Duration{0, time.Second, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{Stale: time.Hour}, "a.example.com. 60 A 192.0.2.1")
			b.lookup("A a.example.com", Options{})
			time.Sleep(2 * time.Minute)
			b.set("!delay * 1900ms")
			begin := time.Now()
			_, wait := b.BeginAddrs(t.Context(), "ip4", "a.example.com", Options{})
			time.Sleep(wanted)
			got, took := words(wait(t.Context())), time.Since(begin)
			want := "stale: found 192.0.2.1"
			if wanted > staleAfter {
				want = "none" // by then
			}
			if got != want || took != max(wanted, staleAfter) {
				t.Errorf("wanted after %v: %s after %v; want %s after %v", wanted, got, took, want, max(wanted, staleAfter))
			}
		})
	}
}
