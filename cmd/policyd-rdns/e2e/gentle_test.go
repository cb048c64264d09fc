package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// gentleRules tag two clients and hold the mail of one. One recipient is refused.
const gentleRules = `
[[rule]]
name = "generic name and HELO"
off = true
[[rule]]
name = "gone"
when = { recipient = "gone@" }
action = "reject"
text = "nobody of that name"
[[rule]]
name = "odd; client"
when = { client = ["203.0.113.20", "203.0.113.13"] }
action = "tag"
[[rule]]
name = "generic"
when = { name = "generic", helo = "!own" }
action = "tag"
[[rule]]
name = "watched"
when = { client = "203.0.113.20" }
action = "tag"
mode = "observe"
[[rule]]
name = "seen"
when = { client = "203.0.113.23" }
action = "tag"
[[rule]]
name = "look at it"
when = { client = "203.0.113.23" }
action = "hold"
text = "what is this, [{client}]?"
[[rule]]
name = "for us alone"
when = { client = "203.0.113.24", recipient = "user@" }
action = "hold"
`

// gentle is one message, and what becomes of it.
type gentle struct {
	name    string
	options []string // of the service
	as      string   // address of the client
	// to are the recipients, and the first digit of the reply to each.
	to []string
	// headers are those of ours in the message.
	headers []string
	held    bool
}

// taggedBy20 is the header of 203.0.113.20.
const taggedBy20 = "X-Policyd-Rdns: rule=odd, client; name=proper; fcrdns=pass; helo=match"

func gentleMessages() []gentle {
	const thenRefused = "smtpd_recipient_restrictions = reject_unauth_destination, POLICY, check_recipient_access inline:{late@example.com=REJECT}"
	return []gentle{
		{name: "one recipient", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"user 2"}, headers: []string{taggedBy20}},
		{name: "several", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"user 2", "other 2", "third 2"}, headers: []string{taggedBy20}},
		{name: "first refused", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"gone 5", "user 2", "gone 5", "other 2"}, headers: []string{taggedBy20}},
		{name: "last refused", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"user 2", "gone 5"}, headers: []string{taggedBy20}},
		{ // Postmaster is exempt, and so is no reason for a tag.
			name: "postmaster first", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"postmaster 2", "user 2"}, headers: []string{taggedBy20},
		},
		{name: "postmaster alone", options: []string{atRecipient}, as: "203.0.113.20", to: []string{"postmaster 2", "abuse 2"}},
		{ // Postfix keeps the header of a recipient that another restriction refuses.
			name: "refused by another", options: []string{thenRefused}, as: "203.0.113.20", to: []string{"late 5", "user 2"}, headers: []string{taggedBy20},
		},
		{
			name: "two rules", options: []string{atRecipient}, as: "203.0.113.13", to: []string{"user 2", "other 2"},
			headers: []string{"X-Policyd-Rdns: rule=odd, client, generic; name=generic; fcrdns=pass; helo=match"},
		},
		{name: "at DATA", options: []string{"smtpd_data_restrictions = POLICY"}, as: "203.0.113.20", to: []string{"user 2", "other 2"}, headers: []string{taggedBy20}},
		{name: "at recipients and DATA", options: []string{atRecipient, "smtpd_data_restrictions = POLICY"}, as: "203.0.113.20", to: []string{"user 2", "other 2"}, headers: []string{taggedBy20}},
		{name: "at the end", options: []string{"smtpd_end_of_data_restrictions = POLICY"}, as: "203.0.113.20", to: []string{"user 2"}},
		{name: "at recipients and the end", options: []string{atRecipient, "smtpd_end_of_data_restrictions = POLICY"}, as: "203.0.113.20", to: []string{"user 2"}, headers: []string{taggedBy20}},
		{
			name: "from every list", as: "203.0.113.20", to: []string{"gone 5", "user 2", "other 2"}, headers: []string{taggedBy20},
			options: []string{
				"smtpd_client_restrictions = POLICY", "smtpd_helo_restrictions = POLICY", "smtpd_sender_restrictions = POLICY",
				atRecipient, "smtpd_data_restrictions = POLICY", "smtpd_end_of_data_restrictions = POLICY",
			},
		},
		{
			name: "early stages", as: "203.0.113.20", to: []string{"user 2"},
			options: []string{"smtpd_delay_reject = no", "smtpd_client_restrictions = POLICY", "smtpd_helo_restrictions = POLICY", "smtpd_sender_restrictions = POLICY"},
		},
		{name: "nothing odd", options: []string{atRecipient}, as: "203.0.113.22", to: []string{"user 2"}},
		// One reply cannot do both, and who holds a message looks at it.
		{name: "held", options: []string{atRecipient}, as: "203.0.113.23", to: []string{"user 2", "other 2"}, held: true},
		{name: "held, some refused", options: []string{atRecipient}, as: "203.0.113.23", to: []string{"gone 5", "user 2", "gone 5"}, held: true},
		{name: "held for one recipient", options: []string{atRecipient}, as: "203.0.113.24", to: []string{"other 2", "user 2"}, held: true},
		{name: "not held for the other", options: []string{atRecipient}, as: "203.0.113.24", to: []string{"other 2"}},
	}
}

// TestPostfixTagAndHold has real messages tagged, once each, and held.
func TestPostfixTagAndHold(t *testing.T) {
	t.Parallel()
	postcat := testbed.NeedProgram(t, "postcat", "postfix")
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), gentleRules))
	messages := gentleMessages()
	var services []smtpdService
	for _, m := range messages {
		s := smtpdService{name: m.name}
		for _, option := range m.options {
			s.options = append(s.options, strings.ReplaceAll(option, "POLICY", policyService("inet:"+rdns.tcp)))
		}
		services = append(services, s)
	}
	postfix.start(t, services...)
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			client := mailClient{addr: m.as, helo: gentleHELO(m.as)}
			c := client.connect(t, postfix.addrs[m.name])
			for range 2 { // messages of one session, each on its own
				id := m.send(t, c)
				m.check(t, postfix, postcat, id)
			}
			c.quit(t)
		})
	}
	for _, text := range []string{
		"hold: RCPT from unknown[203.0.113.23]: <user@example.com>: Recipient address what is this, [203.0.113.23]?; from=<sender@example.net>",
		"hold: RCPT from unknown[203.0.113.24]: <user@example.com>: Recipient address for us alone, [203.0.113.24]; from=<sender@example.net>",
	} {
		postfix.process.await(t, text)
	}
	if text, _ := postfix.process.out.read(); strings.Contains(text, "warning: access") || strings.Contains(text, "PREPEND") {
		t.Errorf("Postfix does not like what it was told:\n%s", text)
	}
	for _, r := range rdns.stopped(t) {
		if r.Request.State == "END-OF-MESSAGE" && r.Reply != "" {
			t.Errorf("at END-OF-MESSAGE the reply was %q; want DUNNO", r.Reply)
		}
	}
}

// gentleHELO is the client's own name, but for one.
func gentleHELO(addr string) string {
	return map[string]string{
		"203.0.113.20": goodName, "203.0.113.13": "ip-203-0-113-13.provider.example", "203.0.113.22": "back.several.example",
		"203.0.113.23": "mail23.example.org", "203.0.113.24": "mail24.example.org",
	}[addr]
}

// send sends the message, and gives its queue ID.
func (m *gentle) send(t *testing.T, c *smtpClient) string {
	t.Helper()
	c.must(t, "MAIL FROM:<sender@example.net>")
	for _, to := range m.to {
		user, digit, _ := strings.Cut(to, " ")
		if reply := c.say(t, "RCPT TO:<"+user+"@example.com>"); reply[:1] != digit {
			t.Fatalf("RCPT TO:<%s@example.com> was answered %s; want %s…", user, reply, digit)
		}
	}
	c.must(t, "DATA")
	reply := c.say(t, "Subject: test\r\n\r\ntest\r\n.")
	_, id, ok := strings.Cut(reply, "queued as ")
	if !ok {
		t.Fatalf("the message was answered %s; want it queued", reply)
	}
	return id
}

// check looks at the message in the queue.
func (m *gentle) check(t *testing.T, p *postfixInstance, postcat, id string) {
	t.Helper()
	folder, other := "incoming", "hold"
	if m.held {
		folder, other = other, folder
	}
	if _, err := os.Stat(p.path("queue", other, id)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the message is in the folder %s; want it in %s alone (%v)", other, folder, err)
	}
	out, err := exec.Command(postcat, "-c", p.path("etc"), "-h", p.path("queue", folder, id)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var headers []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "X-Policyd-Rdns:") {
			headers = append(headers, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(headers, m.headers) {
		t.Errorf("the message has the headers %q; want %q", headers, m.headers)
	}
}
