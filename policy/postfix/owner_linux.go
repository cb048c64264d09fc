package postfix

import (
	"net"
	"os"
	"syscall"
)

// nobody is whom the kernel names for a user that is not known in our user namespace
// (overflowuid in user_namespaces(7), systemd's PrivateUsers=): anyone.
const nobody = 65534

// isOwner reports whether the peer of a unix socket was root, or the user that this
// program runs as, when it connected (SO_PEERCRED in unix(7)).
func isOwner(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	var peer *syscall.Ucred
	outer := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if outer != nil || err != nil {
		return false
	}
	return owns(peer.Uid, os.Geteuid())
}

// owns reports whether a user may ask what the user may that runs this program.
func owns(peer uint32, own int) bool {
	return peer == 0 || peer != nobody && int(peer) == own
}
