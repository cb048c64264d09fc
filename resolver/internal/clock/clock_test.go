package clock

import (
	"sync"
	"testing"
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
		c := Of(func() (ran, passed time.Duration) { return r.ran, r.passed })
		for _, r = range test.readings {
			if got := time.Duration(c.Now()) * time.Millisecond; got != r.want {
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
	c := &Clock{}
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
				c.Now()
			}
		})
	}
	wg.Wait()
	if got := time.Duration(c.Now()) * time.Millisecond; got != time.Minute+night {
		t.Errorf("the clock says %v; want %v", got, time.Minute+night)
	}
}

// BenchmarkClock is what a reading costs, beside that of the monotonic clock alone.
func BenchmarkClock(b *testing.B) {
	now := time.Now
	start := now()
	c := New(now)
	b.Run("monotonic", func(b *testing.B) {
		for b.Loop() {
			_ = now().Sub(start)
		}
	})
	b.Run("clock", func(b *testing.B) {
		for b.Loop() {
			_ = c.Now()
		}
	})
}
