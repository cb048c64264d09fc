package daemon

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestResting: memory is given back once after each load, when it is over.
func TestResting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		var decisions, released atomic.Uint64
		r := newResting()
		r.release = func() { released.Add(1) }
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.lookAfter(over, decisions.Load)
		}()
		time.Sleep(restTime / 2)
		for i, tt := range []struct{ more, released uint64 }{
			{0, 1}, {0, 1}, {atRest, 1}, {atRest + 1, 1}, {10 * atRest, 1}, {0, 2}, {1, 2}, {atRest + 1, 2}, {atRest, 3},
		} {
			decisions.Add(tt.more)
			time.Sleep(restTime)
			synctest.Wait()
			if got := released.Load(); got != tt.released {
				t.Errorf("minute %d, after %d decisions: memory was given back %d times; want %d", i, tt.more, got, tt.released)
			}
		}
		close(over)
		<-done
	})
}
