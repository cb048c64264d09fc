// Package epoll serves connections of the system by event loops, on Linux. It knows
// descriptors, bytes and time, and nothing of what is said: that is a [Session]'s.
package epoll

import (
	"net"
	"time"
)

// Config is how long peers may take, and what they are told of that. All is to be set.
type Config struct {
	// Idle is how long a peer may be without a request, Unfinished how long the rest
	// of one may take, and Write how long it may take to accept a reply.
	Idle, Unfinished, Write time.Duration
	// Slack is the part of these times, one in so many, by which a loop may be late.
	Slack time.Duration
	// Turn is how many requests of one connection are answered before the others have
	// their turn.
	Turn int
	// ErrUnfinished ends a connection after Unfinished, ErrGaveWay one that was asked
	// to give way to another.
	ErrUnfinished, ErrGaveWay error
}

// Server is whom a loop serves for. Its methods are called from many goroutines at once.
type Server interface {
	// Worker is asked for by each loop.
	Worker() Worker
	// Peer says who is at the other end.
	Peer(c net.Conn) Peer
	// Panicked is told of a panic that was contained, with what to log of it.
	Panicked(what string, p any, more ...any)
	// Failed is told that a loop gives its connections up: the system fails it.
	Failed(connections int64, err error)
}

// Worker is the server's part in one loop.
type Worker interface {
	// Session is one connection's, which may be asked to give way to another by leave.
	Session(peer Peer, leave func()) Session
}

// Peer is who is at the other end of a connection.
type Peer struct {
	Name string // for the log
	Kind uint8  // as the server tells peers apart
}

// Session is the server's part in one connection. Its methods are called by one goroutine
// at a time. Between Resume and Park no other session of the same Worker is resumed.
type Session interface {
	// Begin is called once before any other method.
	Begin()
	// Resume is called before, and Park after Unread, Next, Room, Came and EOF. Park
	// reports whether a part of a request has come.
	Resume()
	Park() (partial bool)
	// Unread reports whether anything has come that Next has not taken.
	Unread() bool
	// Next takes the next request, if it has come whole. The reply is appended to dst;
	// or, if wait is not nil, it is what wait returns, which another goroutine calls
	// after Park.
	Next(dst []byte) (replies []byte, wait func() []byte, whole bool, err error)
	// Room is where the next bytes go, at least one, and Came takes so many of them.
	Room() ([]byte, error)
	Came(n int)
	// EOF is the error of the end of what comes.
	EOF() error
	// Idle is told when the peer owes a request from now on, Busy when it waits for a
	// reply. Leaving reports whether neither was said since it was asked to give way.
	Idle(now time.Time)
	Busy()
	Leaving() bool
	// End is called once, before the connection is closed, and Gone after that, by
	// another goroutine.
	End(err error)
	Gone(err error)
}

// ClosedByPanic is what is logged of a connection that a panic has come over.
const ClosedByPanic = "panic in serving a policy connection, which is closed"
