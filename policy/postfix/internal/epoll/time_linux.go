package epoll

import (
	"os"
	"time"
)

// allowNext gives a peer its time for a request, or for the rest of one.
func (l *loop) allowNext(c *conn, partial bool) {
	switch {
	case !partial:
		c.partial = false
		l.allow(c, l.config.Idle)
	case !c.partial:
		c.partial = true
		l.allow(c, l.config.Unfinished)
	}
}

// allow gives a peer time from now on.
func (l *loop) allow(c *conn, span time.Duration) {
	c.until = l.now.Add(span)
	c.session.Idle(l.now)
	if l.alert.IsZero() || c.until.Before(l.alert) {
		l.awake(c.until)
	}
}

// awake has the connections swept at a time.
func (l *loop) awake(at time.Time) {
	l.alert = at
	_ = l.epoll.SetReadDeadline(at) // fails only if closed
}

// sweep ends the connections that have had their time, and finds out when to do so next.
func (l *loop) sweep() {
	var next time.Time
	for _, c := range l.known {
		if c == nil {
			continue
		}
		until := l.now.Add(l.config.Idle) // at the earliest, if it is handed back now
		if c.state.Load() == looped {
			if !c.until.After(l.now) {
				l.expire(c)
				continue
			}
			until = c.until
		}
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	if soonest := l.now.Add(min(l.config.Idle, l.config.Unfinished, l.config.Write) / l.config.Slack); !next.IsZero() && next.Before(soonest) {
		next = soonest
	}
	l.awake(next)
}

// expire ends a connection that has had its time.
func (l *loop) expire(c *conn) {
	defer l.mishap(c)
	c.err = l.overdue(c)
	l.end(c)
}

func (l *loop) overdue(c *conn) error {
	if c.partial && len(c.rest) == 0 {
		return l.config.ErrUnfinished
	}
	return os.ErrDeadlineExceeded
}
