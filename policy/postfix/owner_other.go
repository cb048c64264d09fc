//go:build !linux

package postfix

import "net"

// isOwner is known on Linux only.
func isOwner(net.Conn) bool { return false }
