package e2e

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// smtpClient is a client of one SMTP session. It says what it is told to, word
// by word, and has replies as they came but for their line ends: "\n" between
// lines, none at the end.
type smtpClient struct {
	conn   net.Conn
	lines  *bufio.Reader
	banner string
}

// dialSMTP connects and reads the greeting.
func dialSMTP(t *testing.T, addr string) *smtpClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &smtpClient{conn: conn, lines: bufio.NewReader(conn)}
	c.banner = c.reply(t)
	return c
}

// say sends a line and gives the reply.
func (c *smtpClient) say(t *testing.T, line string) string {
	t.Helper()
	c.tell(t, line)
	return c.reply(t)
}

// tell sends a line and does not wait for the reply.
func (c *smtpClient) tell(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
}

func (c *smtpClient) reply(t *testing.T) string {
	t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var reply []string
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", reply, err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		reply = append(reply, line)
		if len(line) < 4 || line[3] != '-' { // RFC 5321 section 4.2.1
			return strings.Join(reply, "\n")
		}
	}
}

// must sends a line that has to be accepted.
func (c *smtpClient) must(t *testing.T, line string) {
	t.Helper()
	if reply := c.say(t, line); reply[0] != '2' && reply[0] != '3' {
		t.Fatalf("%q was answered %q; want it accepted", line, reply)
	}
}

// send sends a message to the recipients that were accepted.
func (c *smtpClient) send(t *testing.T) {
	t.Helper()
	c.must(t, "DATA")
	c.must(t, "Subject: test\r\n\r\ntest\r\n.")
}

// quit ends the session, and returns when Postfix has closed the connection: the
// process that served it is then free for the next one.
func (c *smtpClient) quit(t *testing.T) {
	t.Helper()
	c.must(t, "QUIT")
	c.closed(t)
}

// closed reads the end of the connection.
func (c *smtpClient) closed(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(c.lines); err != nil || len(rest) > 0 {
		t.Errorf("after the last reply: %q, %v; want the end", rest, err)
	}
	c.conn.Close()
}
