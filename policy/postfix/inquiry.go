package postfix

import (
	"context"

	"policyd-rdns/policy/postfix/internal/epoll"
)

// Inquiry is what a command of ours asks of the daemon, over a policy socket.
type Inquiry struct {
	// Query is what is asked: text of the peer, valid UTF-8 of at most 2048 bytes
	// without a newline or NUL byte.
	Query string
	Asker Asker
}

// Asker is who asks, as the system has it.
type Asker uint8

// Who may ask.
const (
	Stranger Asker = iota // another user of this host, or nobody can say who
	Network               // over TCP: whoever can connect
	Owner                 // root, or the user that this program runs as, on a unix socket
)

// Attribute is one line of an answer to an inquiry. The name is letters, digits and "_",
// and not "action". Of the value what is not printable ASCII is sent as "?", at most 400
// bytes, and no space around it.
type Attribute struct{ Name, Value string }

// Inquirer answers an inquiry. It may take its time; other connections are served
// meanwhile. The context has no deadline and survives the server's stop. It is called
// from many goroutines at once. If it panics, the connection goes on and the answer is
// an error.
type Inquirer func(ctx context.Context, q *Inquiry) []Attribute

// inquiry is the one that was read last.
func (r *Reader) inquiry(peer epoll.Peer) Inquiry {
	return Inquiry{Query: r.query, Asker: Asker(peer.Kind)}
}

// inform appends the answer to an inquiry.
func (s *service) inform(ctx context.Context, dst []byte, q *Inquiry, peer string) []byte {
	return appendAnswer(dst, s.informed(ctx, q, peer))
}

// informed calls the Inquirer.
func (s *service) informed(ctx context.Context, q *Inquiry, peer string) (answer []Attribute) {
	defer func() {
		if p := recover(); p != nil {
			answer = []Attribute{{"error", "the daemon failed over this; its log tells more"}}
			s.tellPanic("panic in answering a command", p, "peer", peer)
		}
	}()
	return s.inquire(ctx, q)
}

// appendAnswer appends an answer as lines, with the empty one that ends it.
func appendAnswer(dst []byte, answer []Attribute) []byte {
	for _, a := range answer {
		dst = append(append(dst, a.Name...), '=')
		dst = append(appendPrintable(dst, a.Value, maxAction), '\n')
	}
	return append(dst, '\n')
}
