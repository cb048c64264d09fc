package resolver

import (
	"context"
	"sync"
	"time"
)

// leash bounds work that waits for the network: by its end, and by what it is tied
// to, which can be pulled. It does what a context with a deadline does, without
// the memory and the timers of one; of those there would be three for every
// question.
type leash struct {
	end time.Time // zero: none

	mu     sync.Mutex
	pulled bool
	wake   func() // ends what is waited for now
}

// pull ends the work.
func (l *leash) pull() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pulled = true
	if l.wake != nil {
		l.wake()
	}
}

// tie has a pull call wake, until untie. It is not ok if the leash was pulled
// already.
func (l *leash) tie(wake func()) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pulled {
		return false
	}
	l.wake = wake
	return true
}

func (l *leash) untie() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake = nil
}

// err is why there is no time left, in the words of a context: Canceled or
// DeadlineExceeded; nil if there is.
func (l *leash) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.pulled:
		return context.Canceled
	case !l.end.IsZero() && !time.Now().Before(l.end):
		return context.DeadlineExceeded
	}
	return nil
}

// sooner is t, or the end if that comes before.
func (l *leash) sooner(t time.Time) time.Time {
	if !l.end.IsZero() && l.end.Before(t) {
		return l.end
	}
	return t
}
