package resolver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const slowZone = "a.example.com. A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR a.example.com.\n!delay * 1s\n"

// TestAskedOnce: the same query in flight is asked once, and that is no
// cached answer.
func TestAskedOnce(t *testing.T) {
	for _, test := range []struct {
		queries []string // 100 callers each
		queried int
		want    string
	}{
		{[]string{"A a.example.com"}, 1, "found 192.0.2.1"},
		{[]string{"A a.example.com", "A A.Example.COM."}, 1, "found 192.0.2.1"},
		{[]string{"PTR 192.0.2.1", "PTR ::ffff:192.0.2.1"}, 1, "found a.example.com"},
		{[]string{"AAAA a.example.com", "A b.example.com"}, 2, "none"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, slowZone)
			var wg sync.WaitGroup
			for _, q := range test.queries {
				for range 100 {
					wg.Go(func() {
						if got := b.say(q, Options{}); got != test.want {
							t.Errorf("%s = %s; want %s", q, got, test.want)
						}
					})
				}
			}
			wg.Wait()
			if got := b.queried(); got != test.queried {
				t.Errorf("%q: %d queries; want %d", test.queries, got, test.queried)
			}
		})
	}
}

// TestCutShort: a caller leaves when it must, the lookup goes on and fills the
// cache, and the deadline is never the answer to somebody else.
func TestCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if got, want := words(b.lookupContext(ctx, "A a.example.com", Options{})), "temperror: deadline"; got != want {
			t.Errorf("at the deadline = %s; want %s", got, want)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel)
		if got, want := words(b.lookupContext(ctx, "A a.example.com", Options{})), "temperror: cut short"; got != want {
			t.Errorf("when cancelled = %s; want %s", got, want)
		}
		if got, want := time.Since(start), 500*time.Millisecond; got != want {
			t.Errorf("both waited %v; want %v", got, want)
		}
		if got, want := b.say("A a.example.com", Options{}), "found 192.0.2.1"; got != want {
			t.Errorf("without a deadline = %s; want %s", got, want)
		}
		if got, want := time.Since(start), time.Second; got != want || b.queried() != 1 {
			t.Errorf("the answer came after %v and %d queries; want %v and 1", got, b.queried(), want)
		}
		if got, want := words(b.lookupContext(ctx, "A a.example.com", Options{})), "cached: found 192.0.2.1"; got != want {
			t.Errorf("from the cache, too late = %s; want %s", got, want)
		}
		if got, want := words(b.lookupContext(ctx, "A b.example.com", Options{})), "temperror: cut short"; got != want || b.queried() != 1 {
			t.Errorf("not from the cache, too late = %s, %d queries; want %s and 1", got, b.queried(), want)
		}
	})
}

func TestRunsOnBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		b.lookupContext(ctx, "A a.example.com", Options{})
		time.Sleep(699 * time.Millisecond)
		if got, want := b.say("A a.example.com", Options{CacheOnly: true}), "not queried"; got != want {
			t.Errorf("before the reply = %s; want %s", got, want)
		}
		time.Sleep(2 * time.Millisecond)
		if got, want := b.say("A a.example.com", Options{CacheOnly: true}), "cached: found 192.0.2.1"; got != want {
			t.Errorf("after the reply = %s; want %s", got, want)
		}
	})
}

// TestFlightTime: a lookup that makes progress all the time ends all the same.
func TestFlightTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, chainOf(8)+"!nochase *\n!delay * 4s")
		b.health.timeout = 5 * time.Second
		start := time.Now()
		if got, want := b.say("A c0.example.com", Options{}), "temperror: no answer in 20s"; got != want || time.Since(start) != flightTime {
			t.Errorf("= %s after %v; want %s after %v", got, time.Since(start), want, flightTime)
		}
		if got, want := b.say("A c0.example.com", Options{}), "cached: temperror: no answer in 20s"; got != want {
			t.Errorf("at once again = %s; want %s", got, want)
		}
	})
}

func TestBudget(t *testing.T) {
	for _, test := range []struct {
		text string
		size int
		want string
		sent int
	}{
		{"", 0, "temperror: more than 0 queries for one decision", 0},
		{"", 1, "found 192.0.2.1", 1},
		{"!truncate *", 1, "temperror: more than 1 queries for one decision", 1},
		{"!truncate *", 2, "found 192.0.2.1", 2},
		{"!noedns *", 1, "temperror: more than 1 queries for one decision", 1},
		{"!drop *", 1, "temperror: more than 1 queries for one decision", 1},
		{"!drop *", 3, "temperror: no reply from 192.0.2.53:53 in 2s", 2},
		{"!nochase *", 2, "temperror: more than 2 queries for one decision", 2},
		{"!nochase *", 3, "found 192.0.2.1", 3},
		{"!nochase *", 20, "found 192.0.2.1", 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, chainOf(2)+test.text)
			budget := NewBudget(test.size)
			if got := b.say("A c0.example.com", Options{Budget: budget}); got != test.want || budget.Sent() != test.sent || b.queried() != test.sent {
				t.Errorf("%q with %d queries = %s, %d sent, %d queried; want %s, %d", test.text, test.size, got, budget.Sent(), b.queried(), test.want, test.sent)
			}
			if !strings.Contains(test.want, "more than") {
				return
			}
			// That the budget is used up is neither an answer for others nor
			// one for later.
			b.set(chainOf(2))
			if got, want := b.say("A c0.example.com", Options{}), "found 192.0.2.1"; got != want {
				t.Errorf("%q, then with no bound = %s; want %s", test.text, got, want)
			}
			if got, want := b.say("A c0.example.com", Options{Budget: budget}), "cached: found 192.0.2.1"; got != want {
				t.Errorf("%q, then from the cache = %s; want %s", test.text, got, want)
			}
		})
	}
}

// TestBudgetOfOthers: who joins a flight pays nothing, and does not suffer from
// the poverty of who started it.
func TestBudgetOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, chainOf(2)+"!nochase *\n!delay * 1s")
		poor, rich, idle := NewBudget(2), NewBudget(20), NewBudget(0)
		var wg sync.WaitGroup
		for _, caller := range []struct {
			budget *Budget
			want   string
		}{
			{poor, "temperror: more than 2 queries for one decision"},
			{rich, "found 192.0.2.1"},
			{nil, "found 192.0.2.1"},
		} {
			wg.Go(func() {
				if got := b.say("A c0.example.com", Options{Budget: caller.budget}); got != caller.want {
					t.Errorf("with a budget of %+v = %s; want %s", caller.budget, got, caller.want)
				}
			})
			synctest.Wait()
		}
		time.Sleep(3 * time.Second) // the second flight is under way
		if got, want := b.say("A c0.example.com", Options{Budget: idle}), "found 192.0.2.1"; got != want {
			t.Errorf("joined with nothing = %s; want %s", got, want)
		}
		wg.Wait()
		if sent := poor.Sent() + rich.Sent(); poor.Sent() != 2 || sent > 5 || b.queried() != 5 || idle.Sent() != 0 {
			t.Errorf("sent %d, %d, %d, queried %d; want 2, 3 or 0, 0, 5", poor.Sent(), rich.Sent(), idle.Sent(), b.queried())
		}
	})
}

func TestNilBudget(t *testing.T) {
	var b *Budget
	if got := b.Sent(); got != 0 {
		t.Errorf("Sent() of nil = %d; want 0", got)
	}
}

// TestMaxInFlight: those that run on behind count, joining and the cache do not.
func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		b.lookup("PTR 192.0.2.1", Options{})
		b.limiter.Most = 2
		ctx, cancel := context.WithTimeout(t.Context(), ripeAfter/2)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { b.lookupContext(ctx, fmt.Sprintf("A behind%d.example", i), Options{}) })
		}
		wg.Wait() // both callers are gone, the lookups are not
		const busy = "temperror: too many lookups under way"
		for _, step := range []struct{ query, want string }{
			{"A a.example.com", busy},
			{"PTR 192.0.2.2", busy},
			{"PTR 192.0.2.1", "cached: found a.example.com"},
			{"A behind0.example", "none"}, // joins
			{"A a.example.com", "found 192.0.2.1"},
		} {
			if got := b.say(step.query, Options{}); got != step.want {
				t.Errorf("%s = %s; want %s", step.query, got, step.want)
			}
		}
	})
}

// TestRefreshBehind: while an answer is asked again for one caller, the others
// have it.
func TestRefreshBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		b.lookup("A a.example.com", Options{})
		time.Sleep(2 * time.Minute)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if got, want := b.say("A a.example.com", Options{MaxAge: time.Minute}), "found 192.0.2.1"; got != want {
					t.Errorf("queried again = %s; want %s", got, want)
				}
			})
		}
		synctest.Wait()
		if got, want := b.say("A a.example.com", Options{}), "cached: found 192.0.2.1"; got != want {
			t.Errorf("meanwhile = %s; want %s", got, want)
		}
		wg.Wait()
		if b.queried() != 2 {
			t.Errorf("%d queries; want 2", b.queried())
		}
	})
}

// TestClose: nobody is left waiting, nothing is left running (synctest would
// say so), and the cache still answers.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, slowZone)
		b.lookup("A a.example.com", Options{})
		var answers []string
		var wg sync.WaitGroup
		for _, q := range []string{"A b.example.com", "PTR 192.0.2.9"} {
			wg.Go(func() {
				got := b.say(q, Options{})
				b.mu.Lock()
				answers = append(answers, got)
				b.mu.Unlock()
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		b.lookupContext(ctx, "A behind.example.com", Options{})
		start := time.Now()
		b.Close()
		wg.Wait()
		const closed = "temperror: the resolver is closed"
		if want := []string{closed, closed}; !slices.Equal(answers, want) || time.Since(start) != 0 {
			t.Errorf("those who waited got %q after %v; want %q at once", answers, time.Since(start), want)
		}
		for _, step := range []struct{ query, want string }{
			{"A a.example.com", "cached: found 192.0.2.1"},
			{"A b.example.com", closed},
			{"PTR 192.0.2.9", closed},
		} {
			if got := b.say(step.query, Options{}); got != step.want {
				t.Errorf("%s = %s; want %s", step.query, got, step.want)
			}
		}
		b.Close() // once more does no harm
	})
}
