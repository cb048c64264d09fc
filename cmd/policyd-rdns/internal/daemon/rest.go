package daemon

import (
	"runtime/debug"
	"time"
)

// Where there were at most so many decisions in that time the daemon is at rest.
const (
	restTime = time.Minute
	atRest   = 600
)

// resting gives memory back to the system that the daemon needs under load alone: the
// collector lets garbage lie until there is as much as of everything else, and of gcRest.
type resting struct {
	decisions uint64 // at the last look
	busy      bool   // there was more to do since memory was given back
	release   func()
}

// newResting takes the start for load: to read a long list takes memory, too.
func newResting() *resting { return &resting{busy: true, release: debug.FreeOSMemory} }

// lookAfter looks until it is over.
func (r *resting) lookAfter(over <-chan struct{}, decisions func() uint64) {
	tick := time.NewTicker(restTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.look(decisions())
		case <-over:
			return
		}
	}
}

// look is told how many decisions there were, ever. To give memory back takes a collection, so
// that it is done once after each load.
func (r *resting) look(decisions uint64) {
	some := decisions - r.decisions
	r.decisions = decisions
	switch {
	case some > atRest:
		r.busy = true
	case r.busy:
		r.busy = false
		r.release()
	}
}
