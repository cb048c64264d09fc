package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// policyProxy stands between Postfix and the program and counts the connections
// that Postfix makes.
type policyProxy struct {
	addr  string
	count atomic.Int64
}

func startPolicyProxy(t *testing.T, target string) *policyProxy {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &policyProxy{addr: l.Addr().String()}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.count.Add(1)
			passing.Go(func() { pass(c, target) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		passing.Wait()
	})
	return p
}

// pass passes on what either side sends until one of them has had enough.
func pass(c net.Conn, target string) {
	defer c.Close()
	d, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer d.Close()
	go func() {
		_, _ = io.Copy(d, c)
		d.Close()
	}()
	_, _ = io.Copy(c, d)
}

// sessionConfig is the configuration of a program that listens on an address
// and asks Unbound.
func sessionConfig(listen string, u *unboundInstance, more string) string {
	return fmt.Sprintf("%s\n[server]\nlisten = [%q]\ndeadline = \"8s\"\n[resolver]\nservers = [%q]\n", more, listen, u.addr)
}

// TestPostfixKeepsItsConnection sends many messages in one session, with reloads
// among them: Postfix has no reason ever to connect anew. Trap 6: all recipients
// of a message are of one instance.
func TestPostfixKeepsItsConnection(t *testing.T) {
	t.Parallel()
	const messages = 40
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", unbound, ""))
	proxy := startPolicyProxy(t, rdns.tcp)
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+proxy.addr),
	}})

	client := mailClient{addr: "203.0.113.20", name: "mail.example.org", helo: "mail.example.org"}
	c := client.connect(t, postfix.addrs["smtp"])
	for i := range messages {
		if i%10 == 5 {
			rdns.process.signal(syscall.SIGHUP)
		}
		c.must(t, "MAIL FROM:<sender@example.net>")
		c.must(t, "RCPT TO:<user@example.com>")
		c.must(t, "RCPT TO:<other@example.com>")
		c.send(t)
	}
	rdns.reload(t, sessionConfig("127.0.0.1:0", unbound, `

[[rule]]
name = "new"
when = { client = "203.0.113.20", recipient = "user@" }
action = "reject"
text = "no more"
`))
	c.must(t, "MAIL FROM:<sender@example.net>")
	want := "550 5.7.1 <user@example.com>: Recipient address rejected: no more; contact postmaster@example.com"
	if reply := c.say(t, "RCPT TO:<user@example.com>"); reply != want {
		t.Errorf("after the reload: %s; want %s", reply, want)
	}
	c.must(t, "RCPT TO:<other@example.com>")
	c.send(t)
	c.quit(t)

	if n := postfix.accepted(t); n != messages+1 {
		t.Errorf("%d messages in the queue; want %d", n, messages+1)
	}
	if n := proxy.count.Load(); n != 1 {
		t.Errorf("Postfix made %d policy connections; want 1", n)
	}
	rdns.checkInstances(t, messages+1)
}

// checkInstances wants two decisions for each message.
func (d *rdnsInstance) checkInstances(t *testing.T, messages int) {
	t.Helper()
	recipients := map[string]int{}
	for _, r := range d.stopped(t) {
		recipients[r.Request.Instance]++
	}
	if len(recipients) != messages || recipients[""] > 0 {
		t.Errorf("%d instances in the log; want %d", len(recipients), messages)
	}
	for instance, n := range recipients {
		if n != 2 {
			t.Errorf("%d decisions about instance %s; want 2", n, instance)
		}
	}
}

// TestPostfixObserve shows that a program which only observes lets mail pass, and
// has Postfix log what would have become of it.
func TestPostfixObserve(t *testing.T) {
	t.Parallel()
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), "mode = \"observe\"\nobserve_reply = \"info\"\n"))
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
	}})
	client := mailClient{addr: "203.0.113.10", helo: "mail.example.org"}
	if !client.mail(t, postfix.addrs["smtp"], recipientList) {
		t.Error("the mail was not accepted")
	}
	postfix.process.await(t, "info: RCPT from unknown[203.0.113.10]: would reject (no reverse name): your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one;")
	records := rdns.stopped(t)
	if len(records) != 1 {
		t.Fatalf("%d decisions in the log; want 1", len(records))
	}
	d := records[0].Decision
	if d.Action != policy.Info || d.Decided != policy.Reject || d.Rule != "no reverse name" {
		t.Errorf("decision %s; want an info instead of a reject by rule \"no reverse name\"", summary(&d))
	}
}

// terminate has the program stop, and returns when it does: idle connections are
// closed at once.
func (d *rdnsInstance) terminate(t *testing.T) {
	t.Helper()
	idle, err := net.DialTimeout("tcp", d.tcp, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if err := idle.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	d.process.signal(syscall.SIGTERM)
	// A reset, if it had not been accepted yet.
	if _, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("an idle connection read %v; want its end", err)
	}
}

// TestPostfixStop stops the program while it is asked. It answers what it has
// begun; then Postfix does without it.
func TestPostfixStop(t *testing.T) {
	t.Parallel()
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", unbound, ""))
	postfix.start(t,
		smtpdService{name: "dunno", options: []string{
			"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
		}},
		smtpdService{name: "default", options: []string{
			"smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service inet:" + rdns.tcp,
		}})
	late := mailClient{addr: "203.0.113.55", helo: "mail.example.org"}
	c := late.connect(t, postfix.addrs["dunno"])
	c.must(t, "MAIL FROM:<sender@example.net>")
	c.tell(t, "RCPT TO:<user@example.com>")
	unbound.late.await(t)
	rdns.terminate(t)
	unbound.late.release()
	want := "550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.55] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com"
	if reply := c.reply(t); reply != want {
		t.Errorf("while stopping: %s; want %s", reply, want)
	}
	if records := rdns.ended(t); len(records) != 1 || records[0].Decision.Rule != "no reverse name" {
		t.Errorf("decisions in the log: %+v; want the one that was in progress", records)
	}

	// Without the program. Postfix tries twice, a second apart.
	c.must(t, "RCPT TO:<user@example.com>")
	c.send(t)
	d := late.connect(t, postfix.addrs["default"])
	d.must(t, "MAIL FROM:<sender@example.net>")
	want = "451 4.3.5 <user@example.com>: Recipient address rejected: Server configuration problem"
	if reply := d.say(t, "RCPT TO:<user@example.com>"); reply != want {
		t.Errorf("without default_action: %s; want %s", reply, want)
	}

	// With it again, in the same sessions.
	again := startProgram(t, sessionConfig(rdns.tcp, unbound, `
[[rule]]
name = "again"
when = { client = "0.0.0.0/0" }
action = "reject"
text = "{recipient}"
`))
	for _, c := range []*smtpClient{c, d} {
		c.must(t, "RSET")
		c.must(t, "MAIL FROM:<sender@example.net>")
		want := "550 5.7.1 <user@example.com>: Recipient address rejected: user@example.com; contact postmaster@example.com"
		if reply := c.say(t, "RCPT TO:<user@example.com>"); reply != want {
			t.Errorf("after the start: %s; want %s", reply, want)
		}
		c.quit(t)
	}
	again.stopped(t)
}
