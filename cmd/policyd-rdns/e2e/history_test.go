package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
)

// historyZone is the world of the tests of history: 203.0.113.20 and .21 are well
// set up, 203.0.113.13 has a generic name, all others have none.
const historyZone = `
$TTL 3600
. SOA ns.example. hostmaster.example. 1 3600 600 86400 3600
20.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.20
13.113.0.203.in-addr.arpa. PTR ip-203-0-113-13.provider.example.
ip-203-0-113-13.provider.example. A 203.0.113.13
21.113.0.203.in-addr.arpa. PTR smtp.example.org.
smtp.example.org. A 203.0.113.21
mail.example.net. A 198.51.100.1
`

// historySettings are those of a daemon on 127.0.0.1 and a unix socket in a folder, with
// a history in which a return is as quick as settings can have it. store is history.store,
// followed by more settings of [history].
func historySettings(listen, socket, dns, store string) string {
	return fmt.Sprintf(`defer_for = "4h"
[server]
listen = [%q, "unix:%s/socket"]
deadline = %q
[resolver]
servers = [%q]
[history]
delay = "1s"
store = %s
`, listen, socket, deadline, dns, store)
}

// deadline is server.deadline.
const deadline = 5 * time.Second

// within waits until something is so, for patience at most.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	begun := time.Now()
	for pace := time.Tick(20 * time.Millisecond); !so(); <-pace {
		if time.Since(begun) > patience {
			t.Fatalf("after %v: not %s", patience, what)
		}
	}
}

// rcptOf is what RCPT is answered in a session of its own.
func (c *mailClient) rcptOf(t *testing.T, addr, sender, recipient string) string {
	t.Helper()
	s := c.connect(t, addr)
	defer s.quit(t)
	s.must(t, "MAIL FROM:<"+sender+">")
	return s.say(t, "RCPT TO:<"+recipient+">")
}

// TestPostfixHistory: a client without a name is deferred by defer_for, one with a poor
// HELO by greylisting until it comes back; then it may send what it likes, after a restart
// too, and until it is forgotten.
func TestPostfixHistory(t *testing.T) {
	t.Parallel()
	const accepted = "250 2.1.5 Ok"
	postfix := newPostfix(t)
	dns, _ := testbed.StartWorld(t, historyZone)
	dir := testbed.WorkFolder(t)
	config := historySettings(testbed.FreeAddrs(t, 1)[0], dir, dns, fmt.Sprintf("%q", filepath.Join(dir, "history.sqlite")))
	rdns := startProgram(t, config)
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
	}})
	addr := postfix.addrs["smtp"]

	nameless := mailClient{
		addr: "203.0.113.10", helo: goodName, rule: "no reverse name",
		reply: "450 4.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com",
	}
	nameless.mail(t, addr, recipientList)
	poor := mailClient{
		addr: "203.0.113.20", helo: "ubuntu", rule: "HELO is no host name",
		reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO ubuntu is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com",
	}
	poor.mail(t, addr, recipientList)
	if reply := poor.rcptOf(t, addr, "sender@example.org", "user@example.com"); reply == accepted {
		t.Error("another message of a client that has not come back yet is accepted")
	}
	within(t, "accepted after the delay", func() bool {
		return poor.rcptOf(t, addr, "sender@example.net", "user@example.com") == accepted
	})
	poor.reply = ""
	poor.rcpt = "other@example.com"
	poor.mail(t, addr, recipientList)
	for _, r := range rdns.stopped(t) {
		if r.Request.HELO == nameless.helo && (r.Decision.Waiting < 3*3600 || r.Decision.Action != policy.Defer || r.Decision.Downgraded) {
			t.Errorf("the decision about a client without a name is %s, waiting %d s; want a defer for 4 h", summary(&r.Decision), r.Decision.Waiting)
		}
	}

	rdns = startProgram(t, config)
	// Each time another message: only what the file has makes it accepted.
	n := 0
	within(t, "accepted after a restart", func() bool {
		n++
		return poor.rcptOf(t, addr, "again@example.net", fmt.Sprintf("user%d@example.com", n)) == accepted
	})
	out, _ := command(t, "history", "203.0.113.20", "-c", rdns.config)
	if !strings.Contains(out, "203.0.113.20") || !strings.Contains(out, "came back") {
		t.Errorf("history says %q; want that it came back", out)
	}
	if out, _ = command(t, "history", "203.0.113.20", "--forget", "-c", rdns.config); !strings.Contains(out, "203.0.113.20") {
		t.Errorf("history --forget says %q", out)
	}
	if reply := poor.rcptOf(t, addr, "last@example.net", "user@example.com"); !strings.HasPrefix(reply, "450 4.7.1 ") {
		t.Errorf("after it was forgotten it reads %s; want 450 4.7.1", reply)
	}
	nameless.mail(t, addr, recipientList)
	rdns.stopped(t)
}
