package main

import (
	"fmt"
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
)

// restriction is a list of Postfix's that calls a policy service.
type restriction struct {
	parameter string
	// wrapped is Postfix's own beginning of a refusal (smtpd_check.c).
	wrapped func(c *mailClient) string
}

func clientRestriction() restriction {
	return restriction{"smtpd_client_restrictions", func(c *mailClient) string {
		return fmt.Sprintf("<%s[%s]>: Client host rejected: ", c.knownName(), c.knownAddr())
	}}
}

func recipientRestriction() restriction {
	return restriction{"smtpd_recipient_restrictions", func(c *mailClient) string {
		return fmt.Sprintf("<%s>: Recipient address rejected: ", c.recipient())
	}}
}

// knownName is what Postfix calls the client.
func (c *mailClient) knownName() string {
	if c.name == "" {
		return "unknown"
	}
	return c.name
}

// knownAddr is the address as Postfix has it.
func (c *mailClient) knownAddr() string {
	switch c.addr {
	case "":
		return "127.0.0.1"
	case "[UNAVAILABLE]":
		return "unknown"
	}
	return strings.TrimPrefix(c.addr, "IPV6:")
}

func (c *mailClient) recipient() string {
	if c.rcpt == "" {
		return "user@example.com"
	}
	return c.rcpt
}

// connect opens a session as this client and greets.
func (c *mailClient) connect(t *testing.T, addr string) *smtpClient {
	t.Helper()
	s := dialSMTP(t, addr)
	if c.addr != "" {
		name := c.name
		if name == "" {
			name = "[UNAVAILABLE]"
		}
		// The address that Postfix accepted on is one of ours.
		s.must(t, strings.TrimSpace(fmt.Sprintf("XCLIENT ADDR=%s NAME=%s REVERSE_NAME=%[2]s DESTADDR=203.0.113.1 DESTPORT=25 %s", c.addr, name, c.more)))
	}
	if c.helo != "" {
		s.must(t, "EHLO "+c.helo)
	}
	return s
}

// wants is the reply that the client is to read.
func (c *mailClient) wants(r restriction) string {
	if c.reply == "" {
		return "250 2.1.5 Ok"
	}
	code, rest, _ := strings.Cut(c.reply, " ")
	enhanced, text, _ := strings.Cut(rest, " ")
	return code + " " + enhanced + " " + r.wrapped(c) + text
}

// check holds the log line of the decision about the client against it.
func (c *mailClient) check(t *testing.T, r *journal.Record) {
	t.Helper()
	d, q := &r.Decision, &r.Request
	var would []string
	for _, v := range d.Would {
		would = append(would, v.Action.String()+":"+v.Rule)
	}
	if d.Rule != c.rule || strings.Join(would, ",") != c.would {
		t.Errorf("decided by rule %q, would %q; want %q, %q (%s as %q: %s)",
			d.Rule, would, c.rule, c.would, c.addr, c.helo, d.Checks)
	}
	if temporary := strings.HasPrefix(c.reply, "4"); d.Downgraded != temporary {
		t.Errorf("downgraded %t; want %t (%s as %q)", d.Downgraded, temporary, c.addr, c.helo)
	}
	addr := q.ClientText
	if q.Client.IsValid() {
		addr = q.Client.String()
	}
	// Trap 9: what Postfix thinks is in the log, beside what we found.
	got := fmt.Sprint(addr, " ", q.ClientName, " ", q.ReverseClientName, " ", q.Recipient, " ", q.Sender, " ", q.State, " ", q.Authenticated)
	want := fmt.Sprint(c.knownAddr(), " ", c.knownName(), " ", c.knownName(), " ", c.recipient(), " sender@example.net RCPT ", strings.Contains(c.more, "LOGIN="))
	if got != want {
		t.Errorf("logged %s; want %s", got, want)
	}
}

// TestPostfix sends the mail of every client in the matrix through the two
// restriction lists that the documentation proposes, over TCP and over a unix
// socket. Postfix judges client restrictions too when a recipient comes.
func TestPostfix(t *testing.T) {
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, matrixConfig(postfix, unbound))
	tcp, unix := policyService("inet:"+rdns.tcp), policyService("unix:private/policyd-rdns")
	runs := []struct {
		name string
		list restriction
		smtpdService
	}{
		{"recipient/tcp", recipientRestriction(), smtpdService{options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, " + tcp}}},
		// Trap 14: a chroot needs the path of the socket to be relative.
		{"recipient/unix", recipientRestriction(), smtpdService{chroot: true, options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, " + unix}}},
		{"client/tcp", clientRestriction(), smtpdService{options: []string{"smtpd_client_restrictions = " + tcp}}},
		{"client/unix", clientRestriction(), smtpdService{options: []string{"smtpd_client_restrictions = " + unix}}},
	}
	var services []smtpdService
	for i := range runs {
		runs[i].smtpdService.name = runs[i].name
		services = append(services, runs[i].smtpdService)
	}
	postfix.start(t, services...)

	var asked []mailClient
	accepted := 0
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			for _, c := range matrix() {
				if c.mail(t, postfix.addrs[run.name], run.list) {
					accepted++
				}
				if !c.unasked {
					asked = append(asked, c)
				}
			}
		})
	}
	if n := postfix.accepted(t); n != accepted || n == 0 {
		t.Errorf("%d messages in the queue; want %d", n, accepted)
	}
	records := rdns.stopped(t)
	if len(records) != len(asked) {
		t.Fatalf("%d decisions in the log; want %d", len(records), len(asked))
	}
	for i := range asked {
		asked[i].check(t, &records[i])
	}
}

func matrixConfig(p *postfixInstance, u *unboundInstance) string {
	return fmt.Sprintf(`
[server]
listen = ["127.0.0.1:0", "unix:%s"]
socket_group = "postfix"
[resolver]
servers = [%q]
[helo]
own_names = ["mx.example.com"]
`, p.path("queue", "private", "policyd-rdns"), u.addr)
}

// mail sends a message as the client, if it may, and says whether it might.
func (c *mailClient) mail(t *testing.T, addr string, list restriction) bool {
	t.Helper()
	s := c.connect(t, addr)
	defer s.quit(t)
	s.must(t, "MAIL FROM:<sender@example.net>")
	reply := s.say(t, "RCPT TO:<"+c.recipient()+">")
	if want := c.wants(list); reply != want {
		t.Errorf("%s as %q to <%s> read\n\t%s; want\n\t%s", c.addr, c.helo, c.recipient(), reply, want)
	}
	if reply[0] != '2' {
		return false
	}
	s.send(t)
	return true
}
