package transport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"policyd-rdns/resolver/internal/message"
)

// What a host is told of a datagram that it sent, such as that nobody listens at
// the port, is hearsay: whoever sends ICMP that fits the socket is believed, and a
// port is found by trying them all. So a server is not believed to be gone because
// one query was told so. One that is gone refuses every query, from whatever
// port; the time between is for a reply to come meanwhile.
const (
	// refusedTries is how many more queries have to be refused.
	refusedTries = 3
	// refusedTime is how soon each of them has to be: a server on this host, or in
	// its network. One further away that is gone is like one that is silent.
	refusedTime = 5 * time.Millisecond
	// refusedPause is the time for the reply, each time.
	refusedPause = 10 * time.Millisecond
	// maxHearsay bounds what is heard of one query, lest an error that stays
	// keeps a processor busy.
	maxHearsay = 256
)

// hearsay is what was heard of a query, and what has become of it.
type hearsay struct {
	heard   error // the first
	times   int   // how often there was any
	tries   int   // queries that were refused since
	cleared bool  // one was not refused
}

// disbelieves reports whether the end of a read was not the end: to go on reading.
func (t *talk) disbelieves(err error) bool {
	h := &t.hearsay
	if t.stream() {
		return false
	}
	if isHearsay(err) {
		h.times++
	}
	switch {
	case h.times > maxHearsay:
		return false
	case isHearsay(err) && h.heard == nil:
		h.heard = err
	case isHearsay(err): // go on: the reply, or the end of a pause, is to come
		return true
	case h.cleared || h.heard == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(t.end):
		return false
	case h.tries == refusedTries:
		return false
	}
	wait := t.end
	if t.refuses() {
		h.tries++
		wait = sooner(t.end, time.Now().Add(refusedPause))
	} else {
		h.cleared = true
	}
	return t.conn.SetReadDeadline(wait) == nil && t.cut.Err() == nil
}

// refuses puts the query once more, from another port, and reports whether it is
// refused. It is not put to be answered, and costs nobody but the server anything.
func (t *talk) refuses() bool {
	end := sooner(t.end, time.Now().Add(refusedTime))
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	conn, err := t.c.open(ctx, t.to)
	if err != nil {
		return isHearsay(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(end); err != nil {
		return false
	}
	if err := t.put(conn); err != nil {
		return isHearsay(err)
	}
	_, err = conn.Read(make([]byte, 1))
	return isHearsay(err)
}

// tell is why there was no reply: what was heard, if that was not denied; else
// err, with what was heard.
func (h *hearsay) tell(err error) error {
	switch {
	case h.heard == nil:
		return err
	case h.times <= maxHearsay && h.tries < refusedTries:
		return fmt.Errorf("%w: %w", &message.StrangeError{What: innermost(h.heard).Error()}, err)
	}
	return h.heard
}

// isHearsay reports whether a network error may be no more than what somebody else
// says: ICMP of all kinds.
func isHearsay(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && !isOwn(err)
}

// sooner is the one of two times that comes first.
func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
