package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
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
	// headerSize is that of a DNS message, in bytes; RFC 1035 section 4.1.1.
	headerSize = 12
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
}

// failing is why one try at one server gave no answer.
type failing struct {
	err error
	// ill: the server is to blame, rather than the zone that was asked about.
	ill bool
	// silent: nothing came; the same server may do better the next time.
	silent bool
	// own: it is this host that is to blame, and neither of them (ErrOwn).
	own bool
}

func (f *failing) Error() string { return f.err.Error() }
func (f *failing) Unwrap() error { return f.err }

// exchange is one try at one server: the question over UDP, once more without
// EDNS if the server does not know that (RFC 6891 section 7), and over TCP if
// the reply was truncated (RFC 7766 section 5), all within timeout.
func (r *Resolver) exchange(l *leash, server netip.AddrPort, timeout time.Duration, q question, b *Budget) (*dns.Msg, error) {
	end := time.Now().Add(timeout)
	m := message{network: "udp", server: server, question: q, edns: true}
	for {
		reply, err := r.send(l, m, end, b)
		switch {
		case err != nil && l.err() != nil: // not the server's fault
			return nil, l.err()
		case err != nil && !time.Now().Before(end):
			return nil, &failing{err: fmt.Errorf("no reply from %v in %v%s", server, timeout, seen(err)), ill: true, silent: true}
		case err != nil:
			return nil, err
		case m.edns && (reply.Rcode == dns.RcodeFormatError || reply.Rcode == dns.RcodeNotImplemented):
			m.edns = false
		case reply.Truncated && m.network == "udp":
			m.network = "tcp"
		case reply.Truncated:
			return nil, &failing{err: fmt.Errorf("truncated over TCP from %v", server)}
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
func (r *Resolver) send(l *leash, m message, end time.Time, b *Budget) (*dns.Msg, error) {
	if err := b.spend(); err != nil {
		return nil, err
	}
	ask := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true},
		Question: []dns.Question{{Name: m.name, Qtype: m.qtype, Qclass: dns.ClassINET}},
	}
	if m.edns {
		ask.SetEdns0(ednsSize, false)
	}
	wire, err := ask.Pack()
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
	reply, err := converse(conn, m.network == "tcp", &ask, wire)
	if err != nil {
		return nil, broken(m.server, err)
	}
	answered = true
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
	dial := r.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if !l.tie(cancel) {
		return nil, l.err()
	}
	defer l.untie()
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

// broken is a network error in words for a log line, without the ports that
// net.OpError brings.
func broken(server netip.AddrPort, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return &failing{err: fmt.Errorf("%v: %w", server, err), ill: true, own: isOwn(err)}
}

// converse writes a question and reads until its reply comes. Everything else
// may have been sent by anyone, so it is passed over; what it was is told if
// the reply never comes.
func converse(conn net.Conn, stream bool, ask *dns.Msg, wire []byte) (*dns.Msg, error) {
	if stream {
		wire = append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
	}
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	var strange *strangeError
	buf := datagrams.Get().(*[datagramSize]byte)
	defer datagrams.Put(buf)
	for {
		packet, err := receive(conn, stream, buf[:])
		if err != nil && strange != nil {
			return nil, fmt.Errorf("%w: %w", strange, err)
		}
		if err != nil {
			return nil, err
		}
		reply, err := parse(packet, ask)
		if err == nil {
			return reply, nil
		}
		errors.As(err, &strange)
	}
}

// datagrams are buffers. What is read from a message is copied out of it.
var datagrams = sync.Pool{New: func() any { return new([datagramSize]byte) }}

// receive reads one message. A stream has a length before each, of two bytes
// and so at most 64 KiB; RFC 1035 section 4.2.2.
func receive(conn net.Conn, stream bool, buf []byte) ([]byte, error) {
	if !stream {
		n, err := conn.Read(buf)
		return buf[:n], err
	}
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(buf))
	_, err := io.ReadFull(conn, packet)
	return packet, err
}

// strangeError is a message that is no reply to our question.
type strangeError struct{ what string }

func (e *strangeError) Error() string { return e.what }

// parse reads a message that came in answer to ask, or says why it is none:
// RFC 5452 section 9.1. A truncated one need not be whole.
func parse(packet []byte, ask *dns.Msg) (*dns.Msg, error) {
	var m dns.Msg
	err := m.Unpack(packet)
	switch {
	case len(packet) < headerSize:
		return nil, &strangeError{"a mangled reply"}
	case m.Id != ask.Id:
		return nil, &strangeError{"a reply with another ID"}
	case !m.Response || m.Opcode != dns.OpcodeQuery:
		return nil, &strangeError{"a message that is no reply"}
	case !asked(&m, ask.Question[0]):
		if err != nil {
			return nil, &strangeError{"a mangled reply"}
		}
		return nil, &strangeError{"a reply to another question"}
	case m.Truncated, err == nil && (failed(&m) || whole(packet, &m)):
		return &m, nil
	}
	return nil, &strangeError{"a mangled reply"}
}

// failed says that a reply is an error, which may come as the bare header: it
// is never more than "don't know".
func failed(m *dns.Msg) bool {
	return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
}

// asked says that the question of a reply is q. An error need not repeat it:
// servers that refuse, or cannot read the question, may leave it out.
func asked(m *dns.Msg, q dns.Question) bool {
	if len(m.Question) == 0 {
		return failed(m)
	}
	return len(m.Question) == 1 && m.Question[0].Qtype == q.Qtype && m.Question[0].Qclass == q.Qclass &&
		strings.EqualFold(m.Question[0].Name, q.Name)
}

// whole says that the sections hold what the header promises. dns.Msg.Unpack
// takes a packet that was cut between two records for a complete one, and an
// answer without its records would read as "no".
func whole(packet []byte, m *dns.Msg) bool {
	for i, n := range []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)} {
		if int(binary.BigEndian.Uint16(packet[4+2*i:])) != n {
			return false
		}
	}
	return true
}
