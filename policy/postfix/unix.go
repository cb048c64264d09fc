package postfix

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// backlog is how many clients may wait to be accepted. The kernel bounds it
// again (net.core.somaxconn, 4096).
const backlog = 4096

// probeTime bounds the question whether somebody listens on a socket file.
const probeTime = time.Second

// unixListener removes its socket file when it is closed.
type unixListener struct {
	net.Listener
	close func() error
}

// Close may be called more than once.
func (l *unixListener) Close() error { return l.close() }

func listenUnix(path string, mode fs.FileMode, group string) (net.Listener, error) {
	gid, err := groupID(group)
	if err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	socket, err := bind(path)
	if err != nil {
		return nil, err
	}
	defer socket.Close() // the listener has a descriptor of its own
	made, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	l, err := open(socket, path, mode, gid)
	if err != nil {
		return nil, errors.Join(err, removeSame(path, made))
	}
	return &unixListener{Listener: l, close: sync.OnceValue(func() error {
		// In this order: once the socket is closed, its inode number may be
		// that of another file.
		return errors.Join(removeSame(path, made), l.Close())
	})}, nil
}

// groupID is -1, which changes nothing, for no group.
func groupID(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("no group %.60q: %w", group, err)
	}
	return strconv.Atoi(g.Gid)
}

// removeStale removes a socket file that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is not a socket")
	}
	c, err := net.DialTimeout("unix", path, probeTime)
	if err == nil {
		c.Close()
		return errors.New("another server is listening there")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("the socket exists and may be in use: %w", err)
	}
	return removeSame(path, info)
}

// removeSame removes the file at path if it is the one that info is of.
func removeSame(path string, info fs.FileInfo) error {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !os.SameFile(now, info) {
		return nil
	}
	return os.Remove(path)
}

// bind makes a socket file that refuses connections yet. Package net would
// bind and listen at once, and leave a moment in which anybody whom the umask
// lets may connect.
func bind(path string) (*os.File, error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// open lets in those whom mode and gid let, and nobody before.
func open(socket *os.File, path string, mode fs.FileMode, gid int) (net.Listener, error) {
	if gid >= 0 { // else a sandbox that forbids it would keep us from listening
		if err := os.Lchown(path, -1, gid); err != nil {
			return nil, fmt.Errorf("setting group %d: %w", gid, err)
		}
	}
	if err := os.Chmod(path, mode.Perm()); err != nil {
		return nil, err
	}
	if err := syscall.Listen(int(socket.Fd()), backlog); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	return net.FileListener(socket)
}
