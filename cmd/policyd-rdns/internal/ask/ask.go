// Package ask asks the running daemon over a policy socket: request=policyd_rdns, as
// package policyd-rdns/policy/postfix answers it. What comes back is believed no more
// than any other peer: it is bounded, in size and in time.
package ask

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"
)

// Bounds of an answer: in bytes, in lines.
const (
	maxAnswer = 16 << 10
	maxLines  = 64
)

// SocketPath is where the unit policyd-rdns.socket listens, which the Debian package has.
const SocketPath = "/var/spool/postfix/private/policyd-rdns"

var (
	// ErrNobody is that nobody listens.
	ErrNobody = errors.New("no daemon listens")
	// ErrRefused is that whoever asks may not: on a unix socket root and the daemon's own
	// user may.
	ErrRefused = errors.New("only root may ask the daemon")
)

// Query puts a query to the daemon at an address of server.listen. The answer is by name.
// The error is [ErrNobody] or [ErrRefused], wrapped, or says what else is the matter.
func Query(ctx context.Context, address, query string) (map[string]string, error) {
	network, target := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, target = "unix", path
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, target)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", address, ErrNobody)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: %w", address, ErrRefused)
	case err != nil:
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := io.WriteString(conn, "request=policyd_rdns\nquery="+query+"\n\n"); err != nil {
		return nil, err
	}
	answer, err := read(conn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return answer, nil
}

// read reads an answer.
func read(from io.Reader) (map[string]string, error) {
	lines := bufio.NewReader(io.LimitReader(from, maxAnswer))
	answer := map[string]string{}
	for range maxLines {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("the answer is cut off: %w", err)
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return whole(answer)
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("something else listens there; it says %.60q", line)
		}
		answer[name] = value
	}
	return nil, errors.New("the answer has no end")
}

// whole is an answer that is none of another service, and no error.
func whole(answer map[string]string) (map[string]string, error) {
	if action, ok := answer["action"]; ok {
		return nil, fmt.Errorf("another policy service listens there; it answers %.60q", action)
	}
	if why, ok := answer["error"]; ok {
		if strings.HasPrefix(why, "only root") {
			return nil, ErrRefused
		}
		return nil, fmt.Errorf("the daemon says %.200q", why)
	}
	return answer, nil
}

// hashTime bounds the question for the hash, of all addresses together.
const hashTime = time.Second

// Hash is that of the configuration in force, of the daemon that listens on one of some
// addresses of server.listen; of none, where systemd listens for the packaged daemon. It
// takes a second at most. The error is as [Query]'s.
func Hash(ctx context.Context, listen []string) (string, error) {
	if len(listen) == 0 {
		listen = []string{"unix:" + SocketPath}
	}
	ctx, cancel := context.WithTimeout(ctx, hashTime)
	defer cancel()
	var last error
	for _, address := range listen {
		answer, err := Query(ctx, address, "hash")
		if err == nil && answer["hash"] == "" {
			err = fmt.Errorf("%s: the answer has no hash", address)
		}
		if err == nil {
			return answer["hash"], nil
		}
		if last == nil || errors.Is(last, ErrNobody) {
			last = err
		}
	}
	return "", last
}
