package resolver

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestClock: between two readings of the clocks, each in turn, time goes on by the
// greater of both.
func TestClock(t *testing.T) {
	const night = 8 * time.Hour
	type reading struct{ ran, passed, want time.Duration }
	for _, test := range []struct {
		name     string
		readings []reading
	}{
		{"both go on", []reading{{0, 0, 0}, {time.Minute, time.Minute, time.Minute}}},
		{"suspended", []reading{{time.Minute, time.Minute, time.Minute}, {time.Minute, time.Minute + night, time.Minute + night}}},
		{"suspended twice", []reading{{0, night, night}, {0, 2 * night, 2 * night}, {time.Second, 2*night + time.Second, 2*night + time.Second}}},
		{"set back", []reading{{time.Minute, time.Minute, time.Minute}, {2 * time.Minute, -night, 2 * time.Minute}}},
		{"set back, then suspended", []reading{{time.Minute, -night, time.Minute}, {time.Minute, 0, time.Minute + night}}},
		{"suspended, then set back", []reading{{0, night, night}, {time.Minute, 0, night + time.Minute}}},
		{"set forward by mistake", []reading{{time.Second, night, night}, {2 * time.Second, 2 * time.Second, night + time.Second}}},
		{"set back step by step", []reading{{1, -time.Minute, 0}, {time.Minute, -time.Hour, time.Minute}, {2 * time.Minute, -night, 2 * time.Minute}}},
		{"read one after the other", []reading{{time.Minute, time.Minute + 999*time.Millisecond, time.Minute}, {time.Minute, time.Minute - 999*time.Millisecond, time.Minute}}},
		{"ahead by and by", []reading{{time.Minute, time.Minute + 600*time.Millisecond, time.Minute}, {time.Minute, time.Minute + 1200*time.Millisecond, time.Minute + 1200*time.Millisecond}}},
	} {
		var r reading
		c := &clock{read: func() (ran, passed time.Duration) { return r.ran, r.passed }}
		for _, r = range test.readings {
			if got := time.Duration(c.now()) * time.Millisecond; got != r.want {
				t.Errorf("%s: after %v by the monotonic clock and %v by the wall clock: %v; want %v", test.name, r.ran, r.passed, got, r.want)
			}
		}
	}
}

// TestClockTogether: a step that many see at once counts once, whoever has read
// the clocks before it.
func TestClockTogether(t *testing.T) {
	const night = 8 * time.Hour
	var mu sync.Mutex
	var ahead time.Duration
	first := true
	c := &clock{}
	c.read = func() (ran, passed time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if first { // one that had to wait between reading and looking
			first = false
			defer func() { ahead = night }()
		}
		return time.Minute, time.Minute + ahead
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				c.now()
			}
		})
	}
	wg.Wait()
	if got := time.Duration(c.now()) * time.Millisecond; got != time.Minute+night {
		t.Errorf("the clock says %v; want %v", got, time.Minute+night)
	}
}

// sleepers has a resolver whose machine can be suspended, and whose wall clock can
// be set.
type sleepers struct {
	*bed
	wall time.Duration // that the wall clock has gone on more
}

func newSleepers(t *testing.T, c Config, texts ...string) *sleepers {
	s := &sleepers{bed: configured(t, c, texts...)}
	read := s.ages.read
	s.ages.read = func() (ran, passed time.Duration) {
		ran, passed = read()
		return ran, passed + s.wall
	}
	return s
}

// TestSuspended: a machine that was suspended for a night takes nothing for new
// that was so in the evening, and one whose clock was set back takes nothing for
// newer or older than it is.
func TestSuspended(t *testing.T) {
	const night = 8 * time.Hour
	const zone = `
1.2.0.192.in-addr.arpa. 43200 PTR a.example.com.
a.example.com. 3600 A 192.0.2.1`
	for _, test := range []struct {
		name string
		wall time.Duration
		ptr  string        // what the cache says after a minute
		age  time.Duration // of that
		addr string
		new  string // the same, if it may be a minute old
	}{
		{"neither", 0, "cached: found a.example.com", time.Minute, "cached: found 192.0.2.1", "cached: found a.example.com"},
		{"suspended", night, "cached: found a.example.com", night + time.Minute, "not asked", "not asked"},
		{"set back", -night, "cached: found a.example.com", time.Minute, "cached: found 192.0.2.1", "cached: found a.example.com"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSleepers(t, Config{}, zone)
			s.lookup("PTR 192.0.2.1", Options{})
			s.lookup("A a.example.com", Options{})
			s.wall = test.wall
			time.Sleep(time.Minute)
			a := s.lookup("PTR 192.0.2.1", Options{CacheOnly: true})
			if got := words(a); got != test.ptr || a.Age != test.age {
				t.Errorf("%s: PTR = %s of %v; want %s of %v", test.name, got, a.Age, test.ptr, test.age)
			}
			if got := words(s.lookup("A a.example.com", Options{CacheOnly: true})); got != test.addr {
				t.Errorf("%s: A, past its TTL, = %s; want %s", test.name, got, test.addr)
			}
			if got := words(s.lookup("PTR 192.0.2.1", Options{CacheOnly: true, MaxAge: time.Minute})); got != test.new {
				t.Errorf("%s: PTR, a minute old at most, = %s; want %s", test.name, got, test.new)
			}
		})
	}
}

// TestSuspendedFailures: zones that failed last night are no outage of the
// morning.
func TestSuspendedFailures(t *testing.T) {
	for _, test := range []struct {
		slept time.Duration
		want  bool
	}{{0, true}, {8 * time.Hour, false}, {-8 * time.Hour, true}} {
		synctest.Test(t, func(t *testing.T) {
			s := newSleepers(t, Config{}, silent)
			s.lookup("A a.example.com", Options{})
			s.lookup("A a.example.net", Options{})
			s.wall = test.slept
			s.lookup("A a.example.org", Options{})
			s.health.mu.Lock()
			got := s.health.suspect()
			s.health.mu.Unlock()
			if got != test.want {
				t.Errorf("an outage is thought of after %v between failures: %v; want %v", test.slept, got, test.want)
			}
		})
	}
}

// BenchmarkClock is what a reading costs, beside that of the monotonic clock alone.
func BenchmarkClock(b *testing.B) {
	now := time.Now
	start := now()
	c := newClock(now)
	b.Run("monotonic", func(b *testing.B) {
		for b.Loop() {
			_ = now().Sub(start)
		}
	})
	b.Run("clock", func(b *testing.B) {
		for b.Loop() {
			_ = c.now()
		}
	})
}
