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

	mu   sync.Mutex
	why  error  // it was pulled; nil: it was not
	wake func() // ends what is waited for now
}

// pull ends the work, for the resolver is closed.
func (l *leash) pull() { l.cut(errClosed) }

// cut ends the work. The first reason is the one that counts.
func (l *leash) cut(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		l.why = why
	}
	if l.wake != nil {
		l.wake()
	}
}

// cause is why the work was cut, nil if it was not.
func (l *leash) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// tie has a pull call wake, until untie. It is not ok if the leash was pulled
// already.
func (l *leash) tie(wake func()) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != nil {
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
	case l.why != nil:
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
