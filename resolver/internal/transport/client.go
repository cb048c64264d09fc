// Package transport puts one query to one server and brings its reply: over UDP, from a
// port that no other query uses meanwhile, and over TCP where a reply was truncated. It
// does not believe what anybody can send: a reply has to repeat the query, the random
// case of its letters with it, and that a server is not there has to be said of several
// queries. It knows no other servers, no cache and no callers.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"policyd-rdns/resolver/internal/message"
)

// datagramSize is what is read at most of one datagram, in bytes. Some servers send
// more than they were told to.
const datagramSize = 4096

// Dial opens a connection for one query; network is "udp" or "tcp". A datagram is one
// Write and one Read.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Client sends queries. Its methods may be called from any number of goroutines.
type Client struct {
	dial    Dial // nil: the system's
	sockets sockets
	large   buffers
	folding folding
}

// New makes a client. If dial is nil it is that of net.Dialer, and UDP sockets are used
// several times.
func New(dial Dial) *Client { return &Client{dial: dial, large: newBuffers()} }

// Close closes the sockets that wait for a query. Those in use are closed when they come
// back.
func (c *Client) Close() { c.sockets.close() }

// try is one query on its way to one server.
type try struct {
	network string // "udp" or "tcp"
	server  netip.AddrPort
	query   message.Query
	edns    bool
	// cased: the reply has to repeat the case of the query, which is random.
	cased bool
}

// Exchange is one try at one server: the query over UDP, once more without
// EDNS if the server does not know that (RFC 6891 section 7), once more as it is if
// the server does not repeat its case, and over TCP if the reply was truncated (RFC
// 7766 section 5), all within timeout. Before each message it calls spend, and ends with
// its error. The error is otherwise a [Failure], or that of the cutoff.
func (c *Client) Exchange(cut *Cutoff, server netip.AddrPort, timeout time.Duration, q message.Query, spend func() error) (*message.Reply, error) {
	end := time.Now().Add(timeout)
	t := try{network: "udp", server: server, query: q, edns: true, cased: c.folding.keepsCase(server)}
	for {
		if err := spend(); err != nil {
			return nil, err
		}
		reply, err := c.send(cut, t, end)
		folded := errors.Is(err, message.ErrCase) && t.cased
		if folded { // though there may be no time left to query again
			c.folding.repeated(server, false)
		}
		switch {
		case err != nil && cut.Err() != nil: // not the server's fault
			return nil, cut.Err()
		case err != nil && !time.Now().Before(end):
			return nil, noReply(server, timeout, err)
		case folded:
			t.cased = false
		case err != nil:
			return nil, err
		case t.edns && reply.Misunderstood():
			t.edns = false
		case reply.Truncated && t.network == "udp":
			t.network, t.cased = "tcp", false // nobody gets in between who does not see what is sent
		case reply.Truncated:
			return nil, (&Failure{Err: errTruncated}).From(server)
		default:
			return reply, nil
		}
	}
}

// send puts one message to a server, with a fresh ID and from a port that is no
// other's meanwhile (RFC 5452 section 9.2), and waits for the reply until end.
func (c *Client) send(cut *Cutoff, t try, end time.Time) (*message.Reply, error) {
	sent, err := t.query.Pack(t.edns, t.cased)
	if err != nil {
		return nil, fmt.Errorf("%.60q: %w", t.query.Name, err)
	}
	end = cut.sooner(end)
	conn, err := c.connect(cut, t, end)
	if err != nil {
		return nil, broken(t.server, err)
	}
	answered := false
	defer func() { c.leave(conn, answered) }()
	reply, err := c.converse(cut, conn, t, sent, end)
	if err != nil {
		return nil, broken(t.server, err)
	}
	answered = true
	if sent.Cased && !reply.Failed() { // which may have no query in it
		c.folding.repeated(t.server, true)
	}
	return reply, nil
}

// converse puts one message on a connection, and waits for the reply until end.
func (c *Client) converse(cut *Cutoff, conn net.Conn, t try, sent message.Packet, end time.Time) (*message.Reply, error) {
	if err := conn.SetDeadline(end); err != nil {
		return nil, err
	}
	if !cut.tie(func() { conn.SetDeadline(time.Unix(1, 0)) }) {
		return nil, cut.Err()
	}
	defer cut.untie()
	talk := talk{c: c, cut: cut, conn: conn, to: t, sent: sent, end: end}
	return talk.converse()
}

// Once sends one packet to one server, over "udp" or "tcp", until ctx is over, which has a
// deadline; timeout is how long that is, for the error.
func (c *Client) Once(ctx context.Context, network string, server netip.AddrPort, timeout time.Duration, sent message.Packet) (*message.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := try{network: network, server: server}
	conn, err := c.open(ctx, t)
	if err != nil {
		return nil, broken(server, err)
	}
	defer conn.Close()
	var cut Cutoff
	defer context.AfterFunc(ctx, func() { cut.Cut(ctx.Err()) })()
	end, _ := ctx.Deadline()
	reply, err := c.converse(&cut, conn, t, sent, end)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, noReply(server, timeout, err)
	case err != nil:
		return nil, broken(server, err)
	}
	return reply, nil
}

// connect gives a connection to a server, for one query.
func (c *Client) connect(cut *Cutoff, t try, end time.Time) (net.Conn, error) {
	if c.dial == nil && t.network == "udp" {
		s, err := c.sockets.take(t.server)
		if err != nil {
			return nil, err // a nil *socket in a net.Conn would not be nil
		}
		return s, nil
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if !cut.tie(cancel) {
		return nil, cut.Err()
	}
	defer cut.untie()
	return c.open(ctx, t)
}

// open opens a connection to a server.
func (c *Client) open(ctx context.Context, t try) (net.Conn, error) {
	dial := c.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, t.network, t.server.String())
}

// leave takes a connection back.
func (c *Client) leave(conn net.Conn, answered bool) {
	if s, ok := conn.(*socket); ok && answered {
		c.sockets.put(s)
		return
	}
	_ = conn.Close() // nothing is lost with it
}
