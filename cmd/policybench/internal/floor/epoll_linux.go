package floor

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// epoll is a do-nothing server of one thread.
type epoll struct {
	fd    int
	wake  [2]int // a pipe: to end it
	mu    sync.Mutex
	conns map[int]*epollConn // by descriptor
	buf   [16 << 10]byte
}

// epollConn is a connection. begun: a line has, so that the next end of line ends it.
type epollConn struct{ begun bool }

// ServeEpoll does what [Serve] does with one thread and epoll(7), which is how a server is
// written that has to be quick: nothing is between it and the kernel but Go's system calls.
func ServeEpoll(ctx context.Context, l net.Listener) error {
	e := &epoll{conns: map[int]*epollConn{}}
	var err error
	if e.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	defer syscall.Close(e.fd)
	if err := syscall.Pipe2(e.wake[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	defer syscall.Close(e.wake[0])
	defer syscall.Close(e.wake[1])
	if err := e.watch(e.wake[0]); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(serving, func() {
		l.Close()
		_, _ = syscall.Write(e.wake[1], []byte{0})
	})()
	var failed error
	wg.Go(func() {
		defer stop()
		failed = e.accept(l)
	})
	err = e.run(serving)
	stop()
	wg.Wait()
	for fd := range e.conns {
		_ = syscall.Close(fd)
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, failed)
}

func (e *epoll) watch(fd int) error {
	err := syscall.EpollCtl(e.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

// accept takes connections until the listener fails.
func (e *epoll) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		if err := e.take(conn); err != nil {
			return err
		}
	}
}

// take takes a connection away from the runtime, which would wait for it as well.
func (e *epoll) take(conn net.Conn) error {
	defer conn.Close()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var dupErr error
	err = raw.Control(func(theirs uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		var fd int
		if fd, dupErr = syscall.Dup(int(theirs)); dupErr != nil {
			return
		}
		syscall.CloseOnExec(fd)
		e.mu.Lock()
		e.conns[fd] = &epollConn{}
		e.mu.Unlock()
		dupErr = e.watch(fd)
	})
	return errors.Join(err, dupErr)
}

// run serves until ctx is done.
func (e *epoll) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var events [128]syscall.EpollEvent
	for ctx.Err() == nil {
		n, err := syscall.EpollWait(e.fd, events[:], -1)
		if err != nil && err != syscall.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for i := range max(n, 0) {
			if fd := int(events[i].Fd); fd != e.wake[0] {
				e.serve(fd)
			}
		}
	}
	return nil
}

// serve answers what has come over a connection.
func (e *epoll) serve(fd int) {
	e.mu.Lock()
	c := e.conns[fd]
	e.mu.Unlock()
	n, err := syscall.Read(fd, e.buf[:])
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	for range c.requests(e.buf[:max(n, 0)]) {
		if _, err = syscall.Write(fd, answer); err != nil {
			break
		}
	}
	if n <= 0 || err != nil {
		e.mu.Lock()
		delete(e.conns, fd)
		e.mu.Unlock()
		_ = syscall.Close(fd)
	}
}

// requests is how many requests end in what has come: each at an empty line.
func (c *epollConn) requests(b []byte) (n int) {
	if len(b) == 0 {
		return 0
	}
	if b[0] == '\n' && !c.begun {
		n++
	}
	c.begun = b[len(b)-1] != '\n'
	for {
		i := bytes.Index(b, []byte("\n\n"))
		if i < 0 {
			return n
		}
		n++
		b = b[i+1:]
	}
}
