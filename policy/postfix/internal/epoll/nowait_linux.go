package epoll

import (
	"fmt"
	"syscall"
	"unsafe"
)

// These calls never wait, and so the runtime is not told of them: to give the
// processor up for the time, and to get it back, takes longer than some of them.

// readNow is read(2) of a descriptor that does not block. b is not empty.
func readNow(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// writeNow is write(2) to a descriptor that does not block. b is not empty.
func writeNow(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// ready fills in the events that there are.
func (l *loop) ready() (n int, err error) {
	for {
		got, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.fd), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(got), nil
		case syscall.EINTR:
			continue
		}
		return 0, fmt.Errorf("epoll_pwait: %w", errno)
	}
}
