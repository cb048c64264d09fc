package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
)

// mailClient is an SMTP client as XCLIENT presents it to Postfix, and what
// becomes of its mail under the built-in rules.
type mailClient struct {
	addr string // as in XCLIENT; empty: the test itself, from the loopback
	name string // that Postfix knows it by; empty: none
	helo string // empty: it gives none
	seen string // of the HELO, beyond Postfix, if not the same
	rcpt string // empty: user@example.com
	// more is what else XCLIENT says.
	more string

	reply string // code and text, without Postfix's own words; empty: accepted
	rule  string // that decided; empty: none held
	would string // the rules under observation that held, each with its action
	// unasked: Postfix accepts it without asking.
	unasked bool
}

// restriction is a list of Postfix's that calls a policy service.
type restriction string

const (
	clientList    restriction = "client"
	recipientList restriction = "recipient"
)

// preface is what Postfix says before the text of a refusal (smtpd_check.c).
func (r restriction) preface(c *mailClient) string {
	if r == clientList {
		return fmt.Sprintf("<%s[%s]>: Client host rejected: ", c.knownName(), c.knownAddr())
	}
	return fmt.Sprintf("<%s>: Recipient address rejected: ", c.recipient())
}

// serverAddr is the address that Postfix accepted on, as XCLIENT has it. To
// say it in HELO is to claim to be us.
const (
	serverAddr    = "203.0.113.1"
	serverLiteral = "[" + serverAddr + "]"
)

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
	addr := strings.TrimPrefix(c.addr, "IPV6:")
	return strings.TrimPrefix(addr, "::ffff:") // Postfix too has it as IPv4
}

// knownHELO is the HELO as Postfix hands it on from MAIL on: bytes that it
// does not like are question marks.
func (c *mailClient) knownHELO() string {
	if c.seen == "" {
		return c.helo
	}
	return c.seen
}

func (c *mailClient) recipient() string {
	if c.rcpt == "" {
		return "user@example.com"
	}
	return c.rcpt
}

// connect opens a session as this client, up to its HELO.
func (c *mailClient) connect(t *testing.T, addr string) *smtpClient {
	t.Helper()
	s := dialSMTP(t, addr)
	if c.addr != "" {
		name := c.name
		if name == "" {
			name = "[UNAVAILABLE]"
		}
		s.must(t, strings.TrimSpace(fmt.Sprintf("XCLIENT ADDR=%s NAME=%s REVERSE_NAME=%[2]s DESTADDR=%s DESTPORT=25 %s",
			c.addr, name, serverAddr, c.more)))
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
	return code + " " + enhanced + " " + r.preface(c) + text
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
	if temporary := strings.Contains(c.reply, "temporary DNS failure"); d.Downgraded != temporary {
		t.Errorf("downgraded %t; want %t (%s as %q)", d.Downgraded, temporary, c.addr, c.helo)
	}
	addr := q.ClientText
	if q.Client.IsValid() {
		addr = q.Client.String()
	}
	// Trap 9: what Postfix thinks is in the log, beside what we found.
	got := fmt.Sprintf("%s %s %s %q %s %s %s %t", addr, q.ClientName, q.ReverseClientName, q.HELO, q.Sender, q.Recipient, q.State, q.Authenticated)
	want := fmt.Sprintf("%s %s %[2]s %q sender@example.net %s RCPT %t",
		c.knownAddr(), c.knownName(), c.knownHELO(), c.recipient(), strings.Contains(c.more, "LOGIN="))
	if got != want {
		t.Errorf("logged %s; want %s", got, want)
	}
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

// explain holds what the command explain says the client would read against
// what it reads.
func (c *mailClient) explain(t *testing.T, config string, list restriction) {
	t.Helper()
	if c.more != "" || c.unasked || c.addr == "[UNAVAILABLE]" || c.helo == serverLiteral {
		return // of which explain knows nothing
	}
	cmd := program(t, "explain", c.knownAddr(), "--helo", c.knownHELO(), "--recipient", c.recipient(),
		"--stage", string(list), "--json", "-c", config)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output() // the status says whether the client would pass
	var said struct{ Reads string }
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v: %s%s", err, out, &stderr)
	}
	want := c.wants(list)
	if c.reply == "" {
		want = ""
	}
	if said.Reads != want {
		t.Errorf("explain %s --helo %q --stage %s: reads %q; want %q", c.addr, c.helo, list, said.Reads, want)
	}
}
