package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

const (
	// ednsSize is the largest UDP reply that we ask for, in bytes: what passes
	// every path unfragmented (DNS flag day 2020; RFC 9715 section 3.1).
	ednsSize = 1232
	// datagramSize is what we read at most of one datagram, in bytes. Some
	// servers send more than they were asked to.
	datagramSize = 4096
)

// question is what is put to a server. The class is always IN.
type question struct {
	name  string // absolute, lower case
	qtype uint16
}

// message is one question on its way to one server.
type message struct {
	network string // "udp" or "tcp"
	server  netip.AddrPort
	question
	edns bool
	// cased: the reply has to repeat the case of the question, which is random.
	cased bool
}

// failing is why one try at one server gave no answer.
type failing struct {
	err error // with the server
	// server is the one that was asked, why what it did, in a few words.
	server netip.AddrPort
	why    string
	// ill: the server is to blame, rather than the zone that was asked about.
	ill bool
	// silent: nothing came; the same server may do better the next time.
	silent bool
	// own: it is this host that is to blame, and neither of them (ErrOwn).
	own bool
}

func (f *failing) Error() string { return f.err.Error() }
func (f *failing) Unwrap() error { return f.err }

// reason is what the trouble was. If it was of this host, the server is not named.
func (f *failing) reason() Reason {
	if f.own {
		return Reason{Text: fmt.Sprintf("%v: %s", ErrOwn, f.why)}
	}
	return Reason{Server: f.server, Text: f.why}
}

// from names the server that a reply came from.
func (f *failing) from(server netip.AddrPort) *failing {
	f.server, f.why = server, f.err.Error()
	f.err = fmt.Errorf("%w from %v", f.err, server)
	return f
}

// exchange is one try at one server: the question over UDP, once more without
// EDNS if the server does not know that (RFC 6891 section 7), once more as it is if
// the server does not repeat its case, and over TCP if the reply was truncated (RFC
// 7766 section 5), all within timeout.
func (r *Resolver) exchange(l *leash, server netip.AddrPort, timeout time.Duration, q question, b *Budget) (*reply, error) {
	end := time.Now().Add(timeout)
	m := message{network: "udp", server: server, question: q, edns: true, cased: r.health.keepsCase(server)}
	for {
		reply, err := r.send(l, m, end, b)
		folded := errors.Is(err, errCase) && m.cased
		if folded { // though there may be no time left to ask again
			r.health.repeated(server, false)
		}
		switch {
		case err != nil && l.err() != nil: // not the server's fault
			return nil, l.err()
		case err != nil && !time.Now().Before(end):
			instead := seen(err)
			return nil, &failing{
				err:    fmt.Errorf("no reply from %v in %v%s", server, timeout, instead),
				server: server, why: "no reply" + instead, ill: true, silent: true,
			}
		case folded:
			m.cased = false
		case err != nil:
			return nil, err
		case m.edns && (reply.rcode == dns.RcodeFormatError || reply.rcode == dns.RcodeNotImplemented):
			m.edns = false
		case reply.truncated && m.network == "udp":
			m.network, m.cased = "tcp", false // nobody gets in between who does not see what is sent
		case reply.truncated:
			return nil, (&failing{err: errTruncated}).from(server)
		default:
			return reply, nil
		}
	}
}

// seen tells what came instead of a reply.
func seen(err error) string {
	var s *strangeError
	if !errors.As(err, &s) {
		return ""
	}
	return fmt.Sprintf(" (but %s)", s.what)
}

// send puts one message to a server, with a fresh ID and from a port that is no
// other's meanwhile (RFC 5452 section 9.2), and waits for the reply until end.
func (r *Resolver) send(l *leash, m message, end time.Time, b *Budget) (*reply, error) {
	if err := b.spend(); err != nil {
		return nil, err
	}
	ask, err := newQuery(m.question, m.edns, m.cased)
	if err != nil {
		return nil, fmt.Errorf("%.60q: %w", m.name, err)
	}
	end = l.sooner(end)
	conn, err := r.connect(l, m, end)
	if err != nil {
		return nil, broken(m.server, err)
	}
	answered := false
	defer func() { r.leave(conn, answered) }()
	if err := conn.SetDeadline(end); err != nil {
		return nil, broken(m.server, err)
	}
	if !l.tie(func() { conn.SetDeadline(time.Unix(1, 0)) }) {
		return nil, l.err()
	}
	defer l.untie()
	t := talk{r: r, l: l, conn: conn, to: m, ask: ask, end: end}
	reply, err := t.converse()
	if err != nil {
		return nil, broken(m.server, err)
	}
	answered = true
	if ask.cased && !reply.failed() { // which may have no question in it
		r.health.repeated(m.server, true)
	}
	return reply, nil
}

// connect gives a connection to a server, for one question.
func (r *Resolver) connect(l *leash, m message, end time.Time) (net.Conn, error) {
	if r.dial == nil && m.network == "udp" {
		s, err := r.sockets.take(m.server)
		if err != nil {
			return nil, err // a nil *socket in a net.Conn would not be nil
		}
		return s, nil
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if !l.tie(cancel) {
		return nil, l.err()
	}
	defer l.untie()
	return r.open(ctx, m)
}

// open opens a connection to a server.
func (r *Resolver) open(ctx context.Context, m message) (net.Conn, error) {
	dial := r.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, m.network, m.server.String())
}

// leave takes a connection back.
func (r *Resolver) leave(conn net.Conn, answered bool) {
	if s, ok := conn.(*socket); ok && answered {
		r.sockets.put(s)
		return
	}
	_ = conn.Close() // nothing is lost with it
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
	return &failing{err: fmt.Errorf("%v: %w", server, err), server: server, why: err.Error(), ill: true, own: isOwn(err)}
}
