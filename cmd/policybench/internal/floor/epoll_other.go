//go:build !linux

package floor

import (
	"context"
	"errors"
	"net"
)

// ServeEpoll needs Linux.
func ServeEpoll(context.Context, net.Listener) error { return errors.New("epoll needs Linux") }
