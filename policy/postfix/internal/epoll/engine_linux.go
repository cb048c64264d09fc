package epoll

import (
	"context"
	"net"
	"runtime"
	"slices"
	"sync"
	"syscall"
)

// Engine shares the connections of a server among event loops, one for each processor. A
// goroutine for each connection would be simpler. But each has a stack, and where
// hundreds take turns no stack is in a processor's cache when its turn comes: with
// 2000 connections that was a third of what a request cost.
type Engine struct {
	ctx     context.Context // done: stop
	running *sync.WaitGroup
	server  Server
	config  Config

	mu     sync.Mutex
	all    []*loop
	failed bool // one has: no more are made, and without any nothing is taken over
}

// New makes an engine that serves until ctx is done and its last connection has ended.
// running has its goroutines.
func New(ctx context.Context, running *sync.WaitGroup, server Server, config Config) *Engine {
	return &Engine{ctx: ctx, running: running, server: server, config: config}
}

// Serve takes a connection over, if it is one of the system's, and reports whether it
// does. It closes it then, and keeps a descriptor of its own.
func (e *Engine) Serve(c net.Conn) bool {
	fd, ok := duplicate(c)
	if !ok {
		return false
	}
	l := e.idlest()
	if l == nil || !l.begin(&conn{fd: fd, peer: e.server.Peer(c), fresh: true}) {
		_ = syscall.Close(fd)
		return false
	}
	_ = c.Close() // the descriptor that is left is the loop's
	return true
}

// duplicate gives a descriptor of the connection that the runtime's poller does not
// know of.
func duplicate(c net.Conn) (fd int, ok bool) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, false
	}
	outer := raw.Control(func(its uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(its)); err == nil {
			syscall.CloseOnExec(fd)
		}
	})
	return fd, outer == nil && err == nil
}

// idlest is the loop with the fewest connections; nil: there can be none.
func (e *Engine) idlest() *loop {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.failed && len(e.all) < runtime.GOMAXPROCS(0) {
		l, err := newLoop(e)
		if err != nil {
			break // as many as there are
		}
		e.all = append(e.all, l)
		e.running.Go(l.run)
	}
	var least *loop
	for _, l := range e.all {
		if least == nil || l.conns.Load() < least.conns.Load() {
			least = l
		}
	}
	return least
}

// drop gives up a loop that has failed.
func (e *Engine) drop(l *loop) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = true
	e.all = slices.DeleteFunc(e.all, func(other *loop) bool { return other == l })
}
