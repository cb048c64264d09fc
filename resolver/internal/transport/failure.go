package transport

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"policyd-rdns/resolver/internal/message"
)

var errTruncated = errors.New("truncated over TCP")

// Failure is why one try at one server gave no answer.
type Failure struct {
	Err error // with the server
	// Server is the one that was queried, Why what it did, in a few words.
	Server netip.AddrPort
	Why    string
	// AtFault: the server is to blame, rather than the zone that was queried.
	AtFault bool
	// Silent: nothing came; the same server may do better the next time.
	Silent bool
	// Own: it is this host that is to blame, and neither of them.
	Own bool
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// From names the server that a reply came from.
func (f *Failure) From(server netip.AddrPort) *Failure {
	f.Server, f.Why = server, f.Err.Error()
	f.Err = fmt.Errorf("%w from %v", f.Err, server)
	return f
}

// noReply is silence, with what came instead of a reply.
func noReply(server netip.AddrPort, timeout time.Duration, err error) *Failure {
	instead := ""
	var s *message.StrangeError
	if errors.As(err, &s) {
		instead = fmt.Sprintf(" (but %s)", s.What)
	}
	return &Failure{
		Err:    fmt.Errorf("no reply from %v in %v%s", server, timeout, instead),
		Server: server, Why: "no reply" + instead, AtFault: true, Silent: true,
	}
}

// innermost is a network error without the words around it.
func innermost(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// broken is a network error in words for a log line, without the ports that
// net.OpError brings.
func broken(server netip.AddrPort, err error) error {
	err = innermost(err)
	return &Failure{Err: fmt.Errorf("%v: %w", server, err), Server: server, Why: err.Error(), AtFault: true, Own: isOwn(err)}
}

// isOwn reports whether a network error is one of this host.
func isOwn(err error) bool {
	for _, own := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}
