package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal"
)

// wholeMaster is what a Postfix needs beside postfixMaster to come to the end of a
// message: all mail is delivered, and thrown away.
const wholeMaster = `
qmgr unix n - n 300 1 qmgr
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
`

const wholeMain = `
local_transport = discard
default_transport = discard
smtpd_recipient_restrictions = reject_unauth_destination,
  check_recipient_access inline:{ { unwanted@example.com = REJECT no such thing }, { later@example.com = DEFER not now },
    { watched@example.com = INFO seen }, { held@example.com = HOLD kept }, { gone@example.com = DISCARD away } }
smtpd_log_access_permit_actions =
header_checks = regexp:{ { /^Subject: refuse/ REJECT bad subject }, { /^X-Watch:/ WARN seen } }
`

// startWhole starts a Postfix that delivers what it accepts, and gives the address
// of its SMTP server.
func startWhole(t *testing.T) (p *postfixInstance, addr string) {
	t.Helper()
	p = newPostfix(t)
	main, err := os.ReadFile(p.path("etc", "main.cf"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(main), "smtpd_recipient_restrictions = reject_unauth_destination\n", wholeMain, 1)
	testbed.WriteFile(t, p.path("etc", "main.cf"), text)
	testbed.Age(t, p.path("etc", "main.cf"))
	addr = testbed.FreeAddrs(t, 1)[0]
	s := smtpdService{name: "smtpd"}
	testbed.WriteFile(t, p.path("etc", "master.cf"), postfixMaster+wholeMaster+s.entry(addr))
	if out, err := exec.Command(testbed.NeedProgram(t, "postfix", "postfix"), "-c", p.path("etc"), "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v\n%s", err, out)
	}
	daemons, err := exec.Command(testbed.NeedProgram(t, "postconf", "postfix"), "-c", p.path("etc"), "-h", "daemon_directory").Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(strings.TrimSpace(string(daemons)), "master")
	p.process = startProcess(t, "postfix", exec.Command("timeout", "-k", "10", "600", program, "-c", p.path("etc"), "-s"))
	p.process.await(t, "daemon started")
	return p, addr
}

// realMail is a transaction with the real Postfix, and what its log has to tell.
type realMail struct {
	client  mailClient
	from    string
	to      []string
	subject string
	want    []string // an outcome, HELO, sender and recipient each
}

func realMails() []realMail {
	good := mailClient{addr: "203.0.113.20", name: "mail.example.org", helo: "mail.example.org"}
	nobody := mailClient{addr: "203.0.113.10", helo: "ylmf-pc"}
	v6 := mailClient{addr: "IPV6:2001:db8::20", name: "mail6.example.org", helo: "[IPv6:2001:db8::20]"}
	user := mailClient{addr: "203.0.113.50", helo: "laptop", more: "LOGIN=user"}
	forger := mailClient{addr: "203.0.113.66", helo: "x>; from=<a@example.org> to=<b@example.com> proto=SMTP helo=<mail.example.org"}
	const cleaned = "x???from=?a?example.org??to=?b?example.com??proto=SMTP?helo=?mail.example.org"
	const odd = `"> to=<x@example.com> proto=ESMTP helo=<mail.example.org"@evil.example`
	return []realMail{
		{good, "a@example.net", []string{"one@example.com", "two@example.com"}, "", []string{"accepted ? a@example.net one@example.com", "accepted ? a@example.net two@example.com"}},
		{v6, "", []string{"one@example.com"}, "", []string{"accepted ?  one@example.com"}},
		{user, "user@example.com", []string{"one@example.com"}, "", []string{"accepted authenticated ? user@example.com one@example.com"}},
		{good, "a@example.net", []string{"unwanted@example.com", "one@example.com"}, "", []string{
			"refused mail.example.org a@example.net unwanted@example.com", "accepted mail.example.org a@example.net one@example.com",
		}},
		{nobody, "a@example.net", []string{"one@example.com", "later@example.com"}, "", []string{
			"deferred ylmf-pc a@example.net later@example.com", "accepted ylmf-pc a@example.net one@example.com",
		}},
		{nobody, "a@example.net", []string{"x@elsewhere.example"}, "", []string{"refused ylmf-pc a@example.net x@elsewhere.example"}},
		{good, "a@example.net", []string{"watched@example.com"}, "", []string{"accepted mail.example.org a@example.net watched@example.com"}},
		{good, "a@example.net", []string{"held@example.com"}, "", []string{"held mail.example.org ? ?"}},
		{good, "a@example.net", []string{"gone@example.com"}, "", []string{"discarded mail.example.org ? ?"}},
		{good, "a@example.net", []string{"one@example.com"}, "refuse", []string{"refused mail.example.org a@example.net one@example.com"}},
		{good, "a@example.net", []string{"one@example.com"}, "x\r\nX-Watch: y", []string{"accepted mail.example.org a@example.net one@example.com"}},
		{forger, odd, []string{"unwanted@example.com"}, "", []string{"refused " + cleaned + " " + odd + " unwanted@example.com"}},
		{forger, odd, []string{`"a> to=<b"@example.com`}, "", []string{"accepted ? " + odd + ` "a> to=<b"@example.com`}},
	}
}

// TestReadRealMailLog sends mail of many clients to a real Postfix and reads what it
// logs.
func TestReadRealMailLog(t *testing.T) {
	t.Parallel()
	p, addr := startWhole(t)
	mails := realMails()
	var want []string
	for i := range mails {
		m := &mails[i]
		m.send(t, addr)
		for _, w := range m.want {
			outcome, rest, _ := strings.Cut(w, " ")
			want = append(want, fmt.Sprintf("%s %s %s", outcome, m.client.knownAddr(), rest))
		}
	}
	last := mailClient{addr: "203.0.113.99", helo: "last"}
	s := last.connect(t, addr)
	s.quit(t)
	p.process.await(t, "disconnect from unknown[203.0.113.99]")
	got := p.awaitAttempts(t, len(want))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		text, _ := p.process.out.read()
		t.Errorf("read\n%s\nwant\n%s\nof\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), text)
	}
}

func (m *realMail) send(t *testing.T, addr string) {
	t.Helper()
	s := m.client.connect(t, addr)
	defer s.quit(t)
	s.must(t, "MAIL FROM:<"+m.from+">")
	taken := false
	for _, to := range m.to {
		taken = s.say(t, "RCPT TO:<"+to+">")[0] == '2' || taken
	}
	if !taken {
		s.must(t, "RSET")
		return
	}
	s.must(t, "DATA")
	s.say(t, "Subject: "+m.subject+"\r\n\r\ntest\r\n.")
}

// awaitAttempts reads the log until all of its messages have come to their end.
func (p *postfixInstance) awaitAttempts(t *testing.T, n int) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		text, more := p.process.out.read()
		got, open := readReal(t, text)
		if len(got) == n && !open {
			return got
		}
		select {
		case <-more:
		case <-deadline:
			return got
		}
	}
}

// readReal gives what a log tells, a line each, and whether a message has not come
// to its end.
func readReal(t *testing.T, text string) (got []string, open bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mail.log")
	testbed.WriteFile(t, path, text)
	log := maillog.Input{Input: journal.Input{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}, Modified: time.Now()}
	fact := func(f maillog.Fact) string {
		if !f.Known {
			return "?"
		}
		return f.Text
	}
	r := &maillog.Reader{Inputs: []maillog.Input{log}, OnDamage: func(d journal.Damage) { t.Errorf("damaged: %v", d) }}
	_, err := maillog.Read(t.Context(), r, func(a *maillog.Attempt) error {
		client := a.Client.String()
		if a.Authenticated {
			client += " authenticated"
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %s", a.Outcome, client, fact(a.HELO), fact(a.Sender), fact(a.Recipient)))
		open = open || a.Outcome == maillog.Unfinished || a.Outcome == maillog.Accepted && !a.Recipient.Known
		if age := time.Since(a.Time); age < -time.Minute || age > time.Hour {
			t.Errorf("time %v; want about now", a.Time)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, open
}
