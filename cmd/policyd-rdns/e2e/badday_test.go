package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/resolver/world"
)

// killing is a Postfix whose policy service is killed again and again, and what
// has become of the messages.
type killing struct {
	postfix  *postfixInstance
	rdns     *rdnsInstance
	config   string          // of the next program
	down     time.Time       // since when there is none; zero: there is one
	sent     int             // messages begun
	accepted map[string]bool // by subject
	deferred []mailClient
}

// badDayServices is how many SMTP sessions go on at once.
const badDayServices = 10

// TestPostfixKilled kills the program three times for more than two seconds in
// the middle of 200 sessions: once between HELO and request, once with ten
// questions put, once between answer and message. Half of the services pass mail
// meanwhile (default_action), half put it off. Senders of what was put off come
// back.
func TestPostfixKilled(t *testing.T) {
	t.Parallel()
	const rounds = 20
	k := newKilling(t)
	points := map[int]string{3: "before the question", 9: "in question", 15: "after the answer"}
	for round := range rounds {
		k.round(t, points[round])
		if !k.down.IsZero() && time.Since(k.down) > 2*time.Second {
			k.rdns = startProgram(t, k.config)
			k.down = time.Time{}
		}
	}
	passed, deferred := len(k.accepted), len(k.deferred)
	for _, c := range k.deferred {
		m := k.begin(t, c, "0")
		m.c.tell(t, "RCPT TO:<user@example.com>")
		if m.answered(t, k, false) {
			m.deliver(t, k)
		}
		m.c.quit(t)
	}
	t.Logf("%d sessions: %d messages accepted, %d put off and sent again", k.sent-deferred, passed, deferred)
	if deferred == 0 {
		t.Error("no message was put off")
	}
	k.checkQueue(t)
	k.rdns.stopped(t)
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	k := &killing{postfix: newPostfix(t), accepted: map[string]bool{}}
	unbound := startUnbound(t)
	k.rdns = startProgram(t, sessionConfig("127.0.0.1:0", unbound, ""))
	k.config = sessionConfig(k.rdns.tcp, unbound, "")
	var services []smtpdService
	for i := range badDayServices {
		service := policyService("inet:" + k.rdns.tcp)
		if i%2 == 1 {
			service = "check_policy_service inet:" + k.rdns.tcp
		}
		services = append(services, smtpdService{name: fmt.Sprint(i), options: []string{
			"smtpd_recipient_restrictions = reject_unauth_destination, " + service,
		}})
	}
	k.postfix.start(t, services...)
	return k
}

// killAt leaves Postfix without the program if this is the point at which to.
func (k *killing) killAt(point, here string) {
	if point != here {
		return
	}
	k.rdns.process.signal(syscall.SIGKILL)
	<-k.rdns.process.done
	k.down = time.Now()
}

// mailing is one message on its way.
type mailing struct {
	client  mailClient
	subject string
	c       *smtpClient
}

// begin sends HELO and the sender.
func (k *killing) begin(t *testing.T, client mailClient, service string) *mailing {
	t.Helper()
	k.sent++
	m := &mailing{client: client, subject: fmt.Sprintf("<message %d>", k.sent), c: client.connect(t, k.postfix.addrs[service])}
	m.c.must(t, "MAIL FROM:<sender@example.net>")
	return m
}

// answered reads what becomes of the recipient. A good client reads nothing but
// success and, if the program was away, 4xx.
func (m *mailing) answered(t *testing.T, k *killing, away bool) bool {
	t.Helper()
	reply := m.c.reply(t)
	// default_action, or just before.
	if want := m.client.wants(recipientList); reply != want && !(away && strings.ContainsAny(reply[:1], "24")) {
		t.Errorf("%s read %q; want %q (program away: %t)", m.client.addr, reply, want, away)
	}
	if reply[0] == '4' {
		k.deferred = append(k.deferred, m.client)
	}
	return reply[0] == '2'
}

func (m *mailing) deliver(t *testing.T, k *killing) {
	t.Helper()
	m.c.must(t, "DATA")
	m.c.must(t, "Subject: "+m.subject+"\r\n\r\ntest\r\n.")
	k.accepted[m.subject] = true
}

// round is a session with each of the services, step by step all at once.
func (k *killing) round(t *testing.T, kill string) {
	t.Helper()
	good := mailClient{addr: "203.0.113.20", name: goodName, helo: goodName}
	bad := mailClient{addr: "203.0.113.10", helo: goodName, reply: "550 5.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com"}
	var mailings []*mailing
	for i := range badDayServices {
		client := good
		if i < 2 { // one of each kind of service
			client = bad
		}
		mailings = append(mailings, k.begin(t, client, fmt.Sprint(i)))
	}
	k.killAt(kill, "before the question")
	for _, m := range mailings {
		m.c.tell(t, "RCPT TO:<user@example.com>")
	}
	k.killAt(kill, "in question")
	away := !k.down.IsZero()
	var taken []*mailing
	for _, m := range mailings {
		if m.answered(t, k, away) {
			taken = append(taken, m)
		}
	}
	k.killAt(kill, "after the answer")
	for _, m := range taken {
		m.deliver(t, k)
	}
	for _, m := range mailings {
		m.c.quit(t)
	}
}

// checkQueue wants every message that was accepted in the queue, once, and no
// other.
func (k *killing) checkQueue(t *testing.T) {
	t.Helper()
	if got := k.postfix.accepted(t); got != len(k.accepted) {
		t.Errorf("%d messages in the queue; want the %d that were accepted", got, len(k.accepted))
	}
	files, err := filepath.Glob(k.postfix.path("queue", "incoming", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	for subject := range k.accepted {
		if n := bytes.Count(all, []byte(subject)); n != 1 {
			t.Errorf("%s is %d times in the queue; want once", subject, n)
		}
	}
}

// awayClients is how many there are.
const awayClients = 3 * 250

// awayClient is one of many: the clients are of three unrelated zones in turn,
// every tenth has no name. zone is what the DNS has about it.
func awayClient(n int) (_ mailClient, zone string) {
	addr := fmt.Sprintf([]string{"203.0.113.%d", "198.51.100.%d", "2001:db8::%d"}[n%3], n/3)
	name := fmt.Sprintf("mail%d.example.%s", n, []string{"com", "net", "org"}[n%3])
	c := mailClient{addr: addr, helo: name}
	record := "A"
	if n%3 == 2 {
		c.addr, record = "IPV6:"+addr, "AAAA"
	}
	if n%10 == 9 {
		c.reply = fmt.Sprintf("550 5.7.1 your server [%s] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", addr)
		return c, ""
	}
	reverse, _ := dns.ReverseAddr(addr) // which fails for what is no address
	return c, fmt.Sprintf("%s PTR %s.\n%[2]s. %s %s\n", reverse, name, record, addr)
}

// dnsAway is traffic of ever new clients, of which the DNS goes away.
type dnsAway struct {
	dns  *world.World
	zone string
	rdns *rdnsInstance
	addr string // of Postfix
	next int    // client
}

// How what a client reads begins.
const (
	right  = "" // as it should with the DNS
	putOff = "450 4.7.1 <user@example.com>: Recipient address rejected: temporary DNS failure: "
	passed = "250 2.1.5 Ok"
)

// TestPostfixDNSAway takes the DNS away and gives it back in the middle of
// traffic. A good client never reads a 5xx: what cannot be known is put off,
// passes once the outage is declared, and is known again afterwards.
func TestPostfixDNSAway(t *testing.T) {
	t.Parallel()
	a := newDNSAway(t)
	a.traffic(t, 20, right)
	a.setDNS(t, "!drop *\n"+a.zone)
	first, gone := a.next, time.Now()
	a.traffic(t, 1, putOff)
	a.trafficUntil(t, a.said("level=WARN msg=\"no DNS server answers"), putOff, passed)
	declared := time.Now()
	a.traffic(t, 10, passed)
	a.setDNS(t, a.zone)
	back := time.Now()
	a.trafficUntil(t, a.said("level=WARN msg=\"DNS servers answer again"), passed, right)
	late := time.Since(back)
	a.traffic(t, 20, right)
	t.Logf("declared after %v, ended %v after the DNS was back", declared.Sub(gone), late)
	if late > 5*time.Second {
		t.Error("the outage lasted for too long after that")
	}
	// The one that was put off comes back. Failures are remembered for 5 seconds.
	a.trafficUntil(t, func() bool { return a.reply(t, first, putOff, right) == passed }, right)
	a.rdns.stopped(t)
}

func newDNSAway(t *testing.T) *dnsAway {
	t.Helper()
	zone := ". NS ns.example.\n"
	for n := range awayClients {
		_, more := awayClient(n)
		zone += more
	}
	server, w := testbed.StartWorld(t, zone)
	a := &dnsAway{dns: w, zone: zone}
	postfix := newPostfix(t)
	a.rdns = startProgram(t, fmt.Sprintf("[server]\nlisten = [%q]\n[resolver]\nservers = [%q]\ntimeout = \"100ms\"\n", "127.0.0.1:0", server))
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+a.rdns.tcp),
	}})
	a.addr = postfix.addrs["smtp"]
	return a
}

func (a *dnsAway) setDNS(t *testing.T, zone string) {
	t.Helper()
	if err := a.dns.Set(zone); err != nil {
		t.Fatal(err)
	}
}

// said reports whether the program has logged a line.
func (a *dnsAway) said(line string) func() bool {
	return func() bool {
		text, _ := a.rdns.process.out.read()
		_, ok := findLine(text, []string{line})
		return ok
	}
}

// traffic is so many new clients.
func (a *dnsAway) traffic(t *testing.T, clients int, want ...string) {
	t.Helper()
	for range clients {
		a.reply(t, a.next, want...)
		a.next++
	}
}

// trafficUntil has new clients come until something is so.
func (a *dnsAway) trafficUntil(t *testing.T, so func() bool, want ...string) {
	t.Helper()
	for pace := time.Tick(20 * time.Millisecond); !so(); <-pace {
		if a.next == awayClients {
			t.Fatal("what was waited for has not come")
		}
		a.traffic(t, 1, want...)
	}
}

// reply is what becomes of a client's recipient, which has to begin with one of
// some texts.
func (a *dnsAway) reply(t *testing.T, client int, want ...string) string {
	t.Helper()
	c, _ := awayClient(client)
	s := c.connect(t, a.addr)
	defer s.quit(t)
	s.must(t, "MAIL FROM:<sender@example.net>")
	reply := s.say(t, "RCPT TO:<user@example.com>")
	if !slices.ContainsFunc(want, func(w string) bool {
		return w == right && reply == c.wants(recipientList) || w != right && strings.HasPrefix(reply, w)
	}) {
		t.Errorf("%s read %q; want one of %q, of which %q is %q", c.addr, reply, want, right, c.wants(recipientList))
	}
	return reply
}
