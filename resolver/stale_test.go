package resolver

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// act is one lookup in the life of an answer that may be kept for a day after
// its TTL: after some time the world is that of a text, and it takes some time.
type act struct {
	after  time.Duration
	text   string
	maxAge time.Duration
	want   string
	took   time.Duration
}

func TestStale(t *testing.T) {
	const (
		zone    = "a.example.com. 3600 A 192.0.2.1\n"
		moved   = "a.example.com. 3600 A 192.0.2.2\n"
		soa     = "example.com. 60 SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 60\n"
		stale   = "stale: found 192.0.2.1"
		failed  = "temperror: SERVFAIL from 192.0.2.53:53"
		silence = "temperror: no reply from 192.0.2.53:53 in 2s"
	)
	first := act{0, zone, 0, "found 192.0.2.1", 0}
	for _, test := range []struct {
		name string
		acts []act
	}{
		{"servers well", []act{
			first,
			{time.Hour - time.Millisecond, moved, 0, "cached: found 192.0.2.1", 0},
			{time.Millisecond, moved, 0, "found 192.0.2.2", 0},
		}},
		{"servers fail, and are left alone for 30s", []act{
			first,
			{time.Hour, "!servfail *", 0, stale, 0},
			{30*time.Second - time.Millisecond, moved, 0, stale, 0},
			{time.Millisecond, moved, 0, "found 192.0.2.2", 0},
		}},
		{"servers fail again and again", []act{
			first,
			{time.Hour, "!servfail *", 0, stale, 0},
			{30 * time.Second, "!servfail *", 0, stale, 0},
			{30*time.Second - time.Millisecond, moved, 0, stale, 0},
			{time.Millisecond, "!servfail *", 0, stale, 0},
			{30 * time.Second, moved, 0, "found 192.0.2.2", 0},
		}},
		{"servers are slow: 1.8s, and the new answer comes behind", []act{
			first,
			{time.Hour, moved + "!delay * 1801ms", 0, stale, 1800 * time.Millisecond},
			{2 * time.Millisecond, "", 0, "cached: found 192.0.2.2", 0},
		}},
		{"servers are nearly slow", []act{
			first,
			{time.Hour, moved + "!delay * 1799ms", 0, "found 192.0.2.2", 1799 * time.Millisecond},
		}},
		{"servers are silent", []act{
			first,
			{time.Hour, silent, 0, stale, 1800 * time.Millisecond},
			{0, "", 0, stale, 1800 * time.Millisecond},
			{0, "", 0, stale, 400 * time.Millisecond}, // both tries are over
			{30*time.Second - time.Millisecond, moved, 0, stale, 0},
			{time.Millisecond, moved, 0, "found 192.0.2.2", 0},
		}},
		{"for a day after its TTL", []act{
			first,
			{25*time.Hour - time.Millisecond, "!servfail *", 0, stale, 0},
			{time.Millisecond, "!servfail *", 0, "cached: " + failed, 0},
			{4999 * time.Millisecond, moved, 0, "found 192.0.2.2", 0}, // 5s after it failed
		}},
		{"and no longer", []act{
			first,
			{25 * time.Hour, "!servfail *", 0, failed, 0},
			{5*time.Second - time.Millisecond, zone, 0, "cached: " + failed, 0},
			{time.Millisecond, zone, 0, "found 192.0.2.1", 0},
		}},
		{"never to support a reject", []act{
			first,
			{time.Hour, "!servfail *", time.Minute, failed, 0},
			{time.Second, "", 0, stale, 0}, // not queried: it failed just now
			{0, moved, time.Minute, "cached: " + failed, 0},
			{59*time.Second - time.Millisecond, moved, time.Minute, "cached: " + failed, 0},
			{time.Millisecond, moved, time.Minute, "found 192.0.2.2", 0},
		}},
		{"nor with a great age", []act{
			first,
			{time.Hour, silent, 24 * time.Hour, silence, 4 * time.Second},
			{0, "", 0, stale, 0},
		}},
		{"a failure to ask a fresh answer again", []act{
			first,
			{time.Hour - 10*time.Second, "!servfail *", time.Minute, failed, 0},
			{0, "", 0, "cached: found 192.0.2.1", 0},
			{10 * time.Second, moved, 0, stale, 0},
			{20*time.Second - time.Millisecond, moved, 0, stale, 0},
			{time.Millisecond, moved, 0, "found 192.0.2.2", 0},
		}},
		{"a no", []act{
			{0, soa, 0, "none", 0},
			{time.Minute, "!servfail *", 0, "stale: none", 0},
			{30 * time.Second, zone, 0, "found 192.0.2.1", 0},
		}},
		{"it is gone", []act{
			first,
			{time.Hour, "!servfail *", 0, stale, 0},
			{30 * time.Second, soa, 0, "none", 0},
			{0, "!servfail *", 0, "cached: none", 0},
			{time.Minute, "!servfail *", 0, "stale: none", 0},
		}},
		{"a failure is never stale", []act{
			{0, "!servfail *", 0, failed, 0},
			{5 * time.Second, silent, 0, silence, 4 * time.Second},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{Stale: 24 * time.Hour}, "")
			for i, s := range test.acts {
				time.Sleep(s.after)
				if s.text != "" {
					b.set(s.text)
				}
				begin := time.Now()
				got := b.say("A a.example.com", Options{MaxAge: s.maxAge})
				if took := time.Since(begin); got != s.want || took != s.took {
					t.Errorf("%s: act %d = %s in %v; want %s in %v", test.name, i, got, took, s.want, s.took)
				}
			}
		})
	}
}

// TestStaleForWhoCannotAsk: every other reason that a lookup fails for.
func TestStaleForWhoCannotAsk(t *testing.T) {
	const stale = "stale: found 192.0.2.1"
	for _, test := range []struct {
		name    string
		prepare func(*bed)
		o       Options
		timeout time.Duration // of the caller
		want    string
		took    time.Duration
		queried int
	}{
		{"only the cache", func(*bed) {}, Options{CacheOnly: true}, time.Minute, "not queried", 0, 0},
		{"only the cache, after a failure", func(b *bed) {
			b.set("!servfail *")
			b.lookup("A a.example.com", Options{})
		}, Options{CacheOnly: true}, time.Minute, stale, 0, 1},
		{"only the cache, with an age", func(b *bed) {
			b.set("!servfail *")
			b.lookup("A a.example.com", Options{})
		}, Options{CacheOnly: true, MaxAge: time.Hour}, time.Minute, "cached: temperror: SERVFAIL from 192.0.2.53:53", 0, 1},
		{"the caller's deadline", func(b *bed) { b.set(silent) }, Options{}, 300 * time.Millisecond, stale, 300 * time.Millisecond, 1},
		{"the caller is late already", func(*bed) {}, Options{}, -1, stale, 0, 0},
		{"no budget", func(*bed) {}, Options{Budget: NewBudget(0)}, time.Minute, stale, 0, 0},
		{"too many lookups", func(b *bed) { b.fly(100, Options{}) }, Options{}, time.Minute, stale, 0, 75},
		{"too many of the network", func(b *bed) { b.fly(50, Options{Client: v4(1)}) }, Options{Client: v4(2)}, time.Minute, stale, 0, 50},
		{"closed", func(b *bed) { b.Close() }, Options{}, time.Minute, stale, 0, 0},
		{"an outage", func(b *bed) {
			b.play(time.Now(), []moment{{0, silent, zones}})
		}, Options{}, time.Minute, stale, 0, 6},
		{"an outage, with an age", func(b *bed) {
			b.play(time.Now(), []moment{{0, silent, zones}})
		}, Options{MaxAge: time.Hour}, time.Minute, "temperror: no reply from 192.0.2.53:53 in 2s", 4 * time.Second, 8},
		{"stale answers are switched off", func(b *bed) { b.SetStale(0); b.set("!servfail *") }, Options{}, time.Minute, "temperror: SERVFAIL from 192.0.2.53:53", 0, 1},
		{"stale answers are switched off by mistake", func(b *bed) { b.SetStale(-1); b.SetStale(maxStale + 1); b.set("!servfail *") }, Options{}, time.Minute, stale, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{Stale: 24 * time.Hour}, "a.example.com. 3600 A 192.0.2.1")
			b.lookup("A a.example.com", Options{})
			time.Sleep(2 * time.Hour)
			test.prepare(b)
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			begin := time.Now()
			got := words(b.lookupContext(ctx, "A a.example.com", test.o))
			if took, queried := time.Since(begin), b.queried()-1; got != test.want || took != test.took || queried != test.queried {
				t.Errorf("%s: %s in %v, %d queries; want %s in %v, %d", test.name, got, took, queried, test.want, test.took, test.queried)
			}
		})
	}
}

// fly has n lookups under way, each in a zone of its own, which nobody waits for.
func (b *bed) fly(n int, o Options) {
	b.set("!delay * 10s\na.example.com. A 192.0.2.1")
	b.health.timeout = 20 * time.Second
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { b.lookupContext(ctx, fmt.Sprintf("A %dof%d.example", i, n), o) })
	}
	wg.Wait()
}

// TestPrefetch: an answer that is asked for often is asked again before it expires.
func TestPrefetch(t *testing.T) {
	const zone = "a.example.com. 3600 A 192.0.2.1\n"
	for _, test := range []struct {
		name string
		text string    // from the first answer on
		hits []float64 // in seconds after the first answer
		o    Options
		want []int // how many queries were asked after each
	}{
		{"three times", zone, []float64{1, 2, 3241}, Options{}, []int{1, 1, 2}},
		{"twice", zone, []float64{1, 3241}, Options{}, []int{1, 1}},
		{"three times, all late", zone, []float64{3590, 3591, 3592, 3593}, Options{}, []int{1, 1, 2, 2}},
		{"three times, all early", zone, []float64{1, 2, 3239}, Options{}, []int{1, 1, 1}},
		{"the last tenth begins", zone, []float64{1, 2, 3, 3239, 3240}, Options{}, []int{1, 1, 1, 1, 2}},
		{"it begins again", zone, []float64{1, 2, 3241, 3600, 3601, 6480, 6482}, Options{}, []int{1, 1, 2, 2, 2, 2, 3}},
		{"nobody asks any more", zone, []float64{1, 2, 3, 3600}, Options{}, []int{1, 1, 1, 2}},
		{"by a look into the cache", zone, []float64{1, 2, 3241}, Options{CacheOnly: true}, []int{1, 1, 2}},
		{"by one that wants it young", zone, []float64{1, 2, 3241}, Options{MaxAge: time.Hour}, []int{1, 1, 2}},
		{"without a budget", zone, []float64{1, 2, 3241}, Options{Budget: NewBudget(0)}, []int{1, 1, 2}},
		{"slowly", zone + "!delay * 1500ms", []float64{1, 2, 3241, 3242, 3243, 3600}, Options{}, []int{1, 1, 2, 2, 2, 2}},
		{"in vain, and again after 30s", "!servfail *", []float64{1, 2, 3241, 3242, 3243, 3244, 3270, 3271, 3272}, Options{}, []int{1, 1, 2, 2, 2, 2, 2, 3, 3}},
		{"it has become a failure", "!servfail *", []float64{3600, 3600, 3601, 3602, 3604.75}, Options{}, []int{2, 2, 2, 2, 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, zone)
			b.lookup("A a.example.com", Options{})
			start := time.Now()
			b.set(test.text)
			for i, at := range test.hits {
				time.Sleep(time.Until(start.Add(time.Duration(at*1000) * time.Millisecond)))
				begin := time.Now()
				got := b.say("A a.example.com", test.o)
				if at < 3600 && (got != "cached: found 192.0.2.1" || time.Since(begin) != 0) {
					t.Errorf("%s: hit %d = %s in %v; want it cached, at once", test.name, i, got, time.Since(begin))
				}
				synctest.Wait()
				if got := b.queried(); got != test.want[i] {
					t.Errorf("%s: %d queries after hit %d; want %d", test.name, got, i, test.want[i])
				}
			}
		})
	}
}

// TestPrefetchCoalesces: an answer that is being queried again is not prefetched.
func TestPrefetchCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "a.example.com. 3600 A 192.0.2.1")
		b.lookup("A a.example.com", Options{})
		time.Sleep(3500 * time.Second)
		b.set("a.example.com. 3600 A 192.0.2.2\n!delay * 1s")
		var wg sync.WaitGroup
		wg.Go(func() { b.lookup("A a.example.com", Options{MaxAge: time.Minute}) })
		synctest.Wait()
		for range 2 * PrefetchHits {
			b.lookup("A a.example.com", Options{})
		}
		wg.Wait()
		if got := b.queried(); got != 2 || b.Stats().Prefetched != 0 {
			t.Errorf("%d queries, %d of them prefetched; want 2, 0", got, b.Stats().Prefetched)
		}
	})
}

// TestPrefetchIsBounded: nothing is asked for nobody while half of all that may be
// under way is in use.
func TestPrefetchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := configured(t, Config{MaxInFlight: 20}, "$GENERATE 1-15 a$.example.com. 60 A 192.0.2.1\n$GENERATE 1-15 $.2.0.192.in-addr.arpa. 60 PTR a$.example.com.")
		all := func() {
			for i := 1; i <= 15; i++ {
				b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
				b.lookup(fmt.Sprintf("PTR 192.0.2.%d", i), Options{})
			}
		}
		for range 4 {
			all()
		}
		time.Sleep(55 * time.Second)
		b.set("!delay * 1s")
		all()
		if s := b.Stats(); s.Prefetched != 10 || s.InFlight != 10 {
			t.Errorf("%d answers prefetched, %d under way; want 10", s.Prefetched, s.InFlight)
		}
		time.Sleep(time.Second + time.Millisecond)
		if s := b.Stats(); s.InFlight != 0 || b.charged() != 0 {
			t.Errorf("%d under way, %d networks charged; want none", s.InFlight, b.charged())
		}
	})
}
