package e2e

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/casenumber"
)

// helpZone has a client of each kind that is refused by its names. What it does not have
// is remembered for as short as may be.
const helpZone = `
$TTL 1
arpa.            SOA ns.example.net. admin.example.net. 1 60 60 60 1
example.net.     SOA ns.example.net. admin.example.net. 1 60 60 60 1
provider.example. SOA ns.example.net. admin.example.net. 1 60 60 60 1
61.113.0.203.in-addr.arpa. PTR gone.example.net.
62.113.0.203.in-addr.arpa. PTR moved.example.net.
moved.example.net. A 198.51.100.62
63.113.0.203.in-addr.arpa. PTR ip-203-0-113-63.provider.example.
ip-203-0-113-63.provider.example. A 203.0.113.63
64.113.0.203.in-addr.arpa. PTR localhost.
`

// mendedZone is the same with what the pages tell to set.
const mendedZone = `
60.113.0.203.in-addr.arpa. PTR mail60.example.net.
mail60.example.net. A 203.0.113.60
gone.example.net. A 203.0.113.61
moved.example.net. A 203.0.113.62
64.113.0.203.in-addr.arpa. PTR mail64.example.net.
mail64.example.net. A 203.0.113.64
`

// helped is a client who is refused, and how he is helped.
type helped struct {
	addr  string
	cause casenumber.Cause
	helo  string
	// record is among those that the page has ready to paste.
	record string
	// after is what the page says when the zone is mended.
	after string
	// mended is what the server says in HELO then.
	mended string
	// kept: what the DNS said before is kept for a minute, as anything that it has is.
	kept bool
}

// TestHelpPageInBrowser: a real Postfix refuses, the URL of the reply is opened in a
// browser, through a real nginx; the page tells cause and cure; when the zone is mended it
// says so, and the next mail is accepted.
func TestHelpPageInBrowser(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	server, world := testbed.StartWorld(t, helpZone)
	page := testbed.FreeAddrs(t, 1)[0]
	proxy := freePort(t)
	help := "http://" + proxy + "/rdns/"
	rdns := startProgram(t, fmt.Sprintf(`
[server]
listen = ["127.0.0.1:0"]
[resolver]
servers = [%q]
[helo]
own_names = ["mx.example.com"]
[reply]
contact = "hostmaster@example.com"
help = %q
listen = %q
`, server, help, page))
	startNginx(t, proxy, page)
	postfix := newPostfix(t)
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
	}})
	send := func(addr, helo string) (reply string) {
		client := mailClient{addr: addr, helo: helo}
		c := client.connect(t, postfix.addrs["smtp"])
		c.must(t, "MAIL FROM:<sender@example.net>")
		reply = c.say(t, "RCPT TO:<user@example.com>")
		if strings.HasPrefix(reply, "250 ") {
			c.send(t)
		}
		c.quit(t)
		return reply
	}
	clients := []helped{
		{addr: "203.0.113.60", cause: casenumber.NoPTR, helo: "mail60.example.net", record: "60.113.0.203.in-addr.arpa. IN PTR mail.example.com.", after: "Mail from 203.0.113.60 would be accepted now."},
		{addr: "203.0.113.61", cause: casenumber.Unresolved, helo: "gone.example.net", record: "gone.example.net. IN A 203.0.113.61", after: "Mail from 203.0.113.61 would be accepted now."},
		{addr: "203.0.113.62", cause: casenumber.Elsewhere, helo: "moved.example.net", record: "moved.example.net. IN A 203.0.113.62", after: "Mail from 203.0.113.62 would be accepted now.", kept: true},
		{addr: "203.0.113.63", cause: casenumber.Generic, helo: "moved.example.net", record: "mail.example.com. IN A 203.0.113.63", after: "Mail from 203.0.113.63 would be accepted now if your server says a name in HELO that resolves to 203.0.113.63.", mended: "mail63.example.net"},
		{addr: "203.0.113.64", cause: casenumber.MalformedPTR, helo: "mail64.example.net", record: "64.113.0.203.in-addr.arpa. IN PTR mail.example.com.", after: "Mail from 203.0.113.64 would be accepted now.", kept: true},
		{addr: "203.0.113.65", cause: casenumber.HELOBare, helo: "203.0.113.65", record: "smtp_helo_name = mail65.example.net", after: "The names of 203.0.113.65 are in order. What your server says in HELO we see when it connects the next time, and not before.", mended: "mail65.example.net"},
	}
	const atFirst = helpZone + "65.113.0.203.in-addr.arpa. PTR mail65.example.net.\nmail65.example.net. A 203.0.113.65\nmail63.example.net. A 203.0.113.63\n"
	if err := world.Set(atFirst); err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`\S+$`)
	var b *browser.Page
	links := map[string]string{}
	for _, c := range clients {
		reply := send(c.addr, c.helo)
		link := url.FindString(reply)
		if !strings.HasPrefix(reply, "550 ") || !strings.HasPrefix(link, help) {
			t.Fatalf("%s is told %q; want it rejected, with a URL below %s", c.addr, reply, help)
		}
		links[c.addr] = link
		if b == nil {
			b = browser.Open(t, link, browser.View{})
		} else {
			b.Go(t, link)
		}
		text := browser.Eval[string](t, b, "document.body.innerText")
		for _, want := range []string{c.addr, strings.TrimPrefix(link, help), c.record, "hostmaster@example.com"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page %s lacks %q:\n%s", c.addr, link, want, text)
			}
		}
		for _, never := range []string{"user@", "sender@", "mx.example.com", server, "no reverse name"} {
			if strings.Contains(text, never) {
				t.Errorf("%s: the page has %q:\n%s", c.addr, never, text)
			}
		}
		b.Shot(t, c.cause.String())
		for _, wrong := range b.Inaccessible(t) {
			t.Errorf("%s: %s", c.cause, wrong)
		}
	}
	gone := strings.NewReplacer("moved.example.net. A 198.51.100.62\n", "", "64.113.0.203.in-addr.arpa. PTR localhost.\n", "")
	if err := world.Set(gone.Replace(atFirst) + mendedZone); err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		b.Go(t, links[c.addr])
		b.Click(t, "button")
		b.See(t, "#now:target")
		if got := browser.Eval[string](t, b, "document.querySelector('[role=status] strong').innerText"); got != c.after {
			t.Errorf("%s: looked again: %q; want %q", c.addr, got, c.after)
		}
		b.Shot(t, c.cause.String()+"-mended")
		if c.kept {
			continue
		}
		helo := c.helo
		if c.mended != "" {
			helo = c.mended
		}
		deadline, reply := time.Now().Add(patience), ""
		for !strings.HasPrefix(reply, "250 ") { // our own cache forgets, too, within seconds here
			if time.Now().After(deadline) {
				t.Fatalf("%s is still told %q", c.addr, reply)
			}
			reply = send(c.addr, helo)
		}
	}
	b.Check(t)
	// Link previews and scanners: whatever is asked for, nothing is changed.
	before := len(rdns.decisions(t))
	for _, path := range []string{"", ".env", "wp-login.php", "../../etc/passwd", strings.Repeat("x", 3000)} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			_, body := testbed.Fetch(t, method, help+path, "")
			if strings.Contains(body, "203.0.113.") {
				t.Errorf("%s %s tells of an address:\n%s", method, path, body)
			}
		}
	}
	if after := len(rdns.decisions(t)); after != before {
		t.Errorf("%d decisions were made by way of the page", after-before)
	}
	rdns.process.signal(syscall.SIGTERM)
	if status := rdns.process.wait(t); status != 0 {
		t.Errorf("policyd-rdns ended with status %d; want 0", status)
	}
	if _, err := http.Get("http://" + page); err == nil {
		t.Error("the page is served after the end")
	}
}

// freePort is an address of the loopback that nobody listens on: with that of
// testbed.FreeAddrs a URL were longer than reply.help may be.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
