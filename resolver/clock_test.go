package resolver

import (
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/resolver/internal/clock"
)

// sleepers has a resolver whose machine can be suspended, and whose wall clock can
// be set.
type sleepers struct {
	*bed
	wall time.Duration // that the wall clock has gone on more
}

func newSleepers(t *testing.T, c Config, texts ...string) *sleepers {
	s := &sleepers{bed: configured(t, c, texts...)}
	start := time.Now()
	s.clock = clock.Of(func() (ran, passed time.Duration) {
		ran = time.Since(start)
		return ran, ran + s.wall
	})
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
		{"suspended", night, "cached: found a.example.com", night + time.Minute, "not queried", "not queried"},
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
