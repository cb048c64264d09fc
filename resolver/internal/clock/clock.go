// Package clock is the time by which evidence grows old.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// leastStep is by how much the wall clock must go on more than the monotonic one,
// or less, to be believed. They are read one after the other, and whoever reads
// them may have to wait between.
const leastStep = time.Second

// Clock is that by which evidence grows old. Between any two readings it goes on
// by the greater of what the wall clock and the monotonic clock do, and it never
// goes back: the monotonic clock of Linux stands still while the machine is
// suspended (clock_gettime(2), CLOCK_MONOTONIC), and the wall clock may be set
// back. So last night's answer is old in the morning, and no answer is younger for
// a clock that was wrong. That one was set forward by mistake costs queries only.
//
// CLOCK_BOOTTIME would tell the former alone, but not on every system, and at the
// price of a system call for each lookup in the cache; time.Now has read both
// clocks anyway.
type Clock struct {
	read func() (ran, passed time.Duration)
	// lead is by how much the wall clock had gone on more when that was last
	// believed, and missed is what the monotonic clock has missed, in
	// milliseconds.
	lead, missed atomic.Int64
	mu           sync.Mutex // held while they change
}

// New is a clock that reads now, which has both readings, or the wall clock's
// alone.
func New(now func() time.Time) *Clock {
	start := now()
	wall := start.Round(0)
	return Of(func() (ran, passed time.Duration) {
		t := now()
		return t.Sub(start), t.Round(0).Sub(wall)
	})
}

// Of is a clock that reads how long ago it was made, by the monotonic clock and by the
// wall clock.
func Of(read func() (ran, passed time.Duration)) *Clock { return &Clock{read: read} }

// Now is the time in milliseconds since the clock was made.
func (c *Clock) Now() int64 {
	ran, passed := c.read()
	if c.stepped(passed-ran) != 0 {
		ran = c.step()
	}
	return ran.Milliseconds() + c.missed.Load()
}

// stepped is by how much the lead of the wall clock is more than it was, or less; 0 if
// that is within what reading them takes.
func (c *Clock) stepped(lead time.Duration) time.Duration {
	d := lead - time.Duration(c.lead.Load())*time.Millisecond
	if -leastStep < d && d < leastStep {
		return 0
	}
	return d
}

// step takes note of a step. The clocks are read anew: the caller's reading may be
// of a time before one that somebody else has noted.
func (c *Clock) step() (ran time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ran, passed := c.read()
	if d := c.stepped(passed - ran); d != 0 {
		c.missed.Add(max(d, 0).Milliseconds())
		c.lead.Store((passed - ran).Milliseconds())
	}
	return ran
}
