package machine

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// SlowAnswer is what the answer to a request that needs no DNS should stay well
// below.
const SlowAnswer = time.Second

// askTime bounds the request to the daemon, connecting included. Postfix would
// wait for longer.
const askTime = 10 * time.Second

// request is what the daemon is asked, as Postfix asks: about this host itself,
// which every sensible list of rules lets pass and no DNS is needed for. In the
// decision log it is known by its instance and addresses.
const request = `request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=127.0.0.1
client_name=localhost
reverse_client_name=localhost
helo_name=localhost
sender=doctor@policyd-rdns.invalid
recipient=doctor@policyd-rdns.invalid
instance=policyd-rdns-doctor

`

// maxReply bounds what is read of an answer, in bytes.
const maxReply = 4096

// ask puts the request to the daemon over one of its addresses, and again if the
// answer is slow: one pause of a busy machine says nothing.
func (s *System) ask(ctx context.Context, address string) Answer {
	a := s.askOnce(ctx, address)
	if a.Unread != "" || a.Took <= SlowAnswer {
		return a
	}
	if again := s.askOnce(ctx, address); again.Unread == "" && again.Took < a.Took {
		return again
	}
	return a
}

func (s *System) askOnce(ctx context.Context, address string) Answer {
	a := Answer{Address: address}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	network, target := "tcp", strings.TrimPrefix(maincf.EndpointOf(address, ""), "inet:")
	if file, ok := strings.CutPrefix(address, "unix:"); ok {
		network, target = "unix", file
	}
	begin := time.Now()
	conn, err := s.Dial(ctx, network, target)
	if err != nil {
		a.Unread = plainError(err)
		return a
	}
	defer conn.Close()
	_ = conn.SetDeadline(begin.Add(askTime)) // of a socket that is open
	if _, err := io.WriteString(conn, request); err != nil {
		a.Unread = plainError(err)
		return a
	}
	replies := bufio.NewReader(io.LimitReader(conn, maxReply))
	line, err := replies.ReadString('\n')
	if err == nil {
		_, err = replies.ReadString('\n') // the empty line
	}
	a.Took = time.Since(begin)
	action, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "action=")
	switch {
	case err != nil && line == "":
		a.Unread = plainError(err)
	case !ok:
		a.Unread = "something else listens there; it says " + plain.Text(line, 100)
	case err != nil:
		a.Unread = "the answer is cut off"
	default:
		a.Action = action
	}
	return a
}

// plainError is a network error without the addresses that net.OpError brings.
func plainError(err error) string {
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in " + askTime.String()
	case errors.Is(err, io.EOF):
		return "it closes the connection"
	}
	return err.Error()
}
