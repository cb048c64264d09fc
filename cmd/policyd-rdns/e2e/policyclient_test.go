package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// ask is a question as Postfix puts it, of a client that XCLIENT need not present.
type ask struct {
	client, helo      string
	sender, recipient string // empty: sender@example.net, user@example.com
	login             string // of a user of ours
}

// said is the action that a daemon answers with, on a connection of its own. It is an
// error that there is none by the daemon's deadline.
func (a ask) said(tcp string) (action string, took time.Duration, err error) {
	begun := time.Now()
	conn, err := net.DialTimeout("tcp", tcp, deadline)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(begun.Add(deadline)); err != nil {
		return "", 0, err
	}
	or := func(text, other string) string {
		if text == "" {
			return other
		}
		return text
	}
	if _, err := fmt.Fprintf(conn, "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=%s\nhelo_name=%s\nsender=%s\nrecipient=%s\nsasl_username=%s\n\n",
		a.client, a.helo, or(a.sender, "sender@example.net"), or(a.recipient, "user@example.com"), a.login); err != nil {
		return "", 0, err
	}
	reply, err := bufio.NewReader(io.LimitReader(conn, 1024)).ReadString('\n')
	took = time.Since(begun)
	action, is := strings.CutPrefix(reply, "action=")
	if err != nil || !is || action == "\n" {
		return "", took, fmt.Errorf("%s is answered %q, %w", a.client, reply, err)
	}
	return strings.TrimSuffix(action, "\n"), took, nil
}

// action is that action, which there has to be.
func (a ask) action(t *testing.T, tcp string) string {
	t.Helper()
	action, _, err := a.said(tcp)
	if err != nil {
		t.Error(err)
	}
	return action
}

// lines are those of a process with all the parts.
func (p *process) lines(parts ...string) (found []string) {
	text, _ := p.out.read()
	for line := range strings.Lines(text) {
		if _, ok := findLine(line, parts); ok {
			found = append(found, line)
		}
	}
	return found
}
