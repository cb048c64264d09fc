package postfix

import (
	"context"
	"fmt"
	"net"
	"sync"

	"policyd-rdns/policy/postfix/internal/epoll"
)

// engine serves connections.
type engine interface {
	// Serve takes a connection over until it ends, and reports whether it does.
	Serve(c net.Conn) bool
}

// engines are those of a service; what the first leaves is the next one's, and the last
// takes all. That is a goroutine for each connection: on other systems than Linux, in
// want of file descriptors or of what epoll watches, and for connections that are none of
// the system's.
func (s *service) engines(ctx context.Context, running *sync.WaitGroup, kind engineKind) []engine {
	each := &goroutines{service: s, ctx: ctx, running: running}
	if kind == goroutineEach {
		return []engine{each}
	}
	loops := epoll.New(ctx, running, looped{s, ctx}, epoll.Config{
		Idle: s.idle, Unfinished: s.unfinished, Write: s.write, Slack: slack, Turn: turn,
		ErrUnfinished: fmt.Errorf("%w: not whole after %v", ErrRequest, s.unfinished), ErrGaveWay: errGaveWay,
	})
	return []engine{loops, each}
}

// engineKind is which engines a server has.
type engineKind uint8

const (
	eventLoops    engineKind = iota // and a goroutine for each connection that these leave
	goroutineEach                   // for every connection
)

// goroutines serves each connection by one.
type goroutines struct {
	*service
	ctx     context.Context // done: stop
	running *sync.WaitGroup
}

// Serve takes any connection.
func (g *goroutines) Serve(c net.Conn) bool {
	g.running.Go(func() {
		defer g.givePlace()
		g.serve(g.ctx, c)
	})
	return true
}
