//go:build !linux

package epoll

import (
	"context"
	"net"
	"sync"
)

// Engine takes no connection over: there is no epoll.
type Engine struct{}

// New makes one.
func New(context.Context, *sync.WaitGroup, Server, Config) *Engine { return new(Engine) }

// Serve reports that the connection is left.
func (*Engine) Serve(net.Conn) bool { return false }
