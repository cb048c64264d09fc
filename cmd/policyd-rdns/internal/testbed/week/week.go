// Package week is a week's mail, as the daemon decided and logged it: the log that
// tests of all that reads logs share. It is for tests alone.
package week

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/resolver/world"
)

// Config is the configuration that the recorded week was made under.
const Config = `
default_rules = true

[server]
networks = ["198.51.100.192/28"]

[resolver]
servers = ["192.0.2.53", "192.0.2.54"]

[helo]
own_names = ["mx.example.net", ".mail.example.net"]

[[rule]]
name   = "partners with bad DNS"
when   = { client = "203.0.113.40/30", until = 2026-11-30 }
action = "dunno"

[[rule]]
name   = "the old archive"
when   = { ptr_name = "archive.example.org" }
action = "dunno"

[[rule]]
name   = "spam host"
when   = { ptr_name = ".pool.spamhost.example" }
action = "reject"
code   = "554 5.7.1"
text   = "no mail from your pool, {name}"

[[rule]]
name   = "no name on IPv6"
when   = { client = "2001:db8::/32", ptr = "none" }
action = "defer"

[[rule]]
name    = "generic, tried on half of the clients"
when    = { name = "generic", strength = "full" }
unless  = [{ helo = "match" }, { authenticated = true }]
action  = "reject"
mode    = "observe"
percent = 50
`

// Begins is a Monday.
var Begins = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// Record is the decision log of a week: some 2,700 decisions of the daemon
// about the clients of crowds under Config. It is the same every time.
func Record(t *testing.T) []byte {
	t.Helper()
	return RecordUnder(t, Config)
}

// RecordUnder is the decision log that the daemon writes under a configuration,
// of that week. Time is that of a bubble of synctest, and the DNS is in memory:
// the rest, from the protocol to the log, is the daemon's own.
func RecordUnder(t *testing.T, text string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(Begins))
		all, zone := Clients()
		dns, err := world.Parse(zone)
		if err != nil {
			t.Fatal(err)
		}
		d := startInMemory(t, conf, dns, &log)
		defer d.stop(t)
		w := week{daemon: d, dns: dns, zone: zone, random: rand.New(rand.NewPCG(5, 7))}
		w.plan(all)
		w.play(t)
	})
	return log.Bytes()
}

// inMemory is a daemon that is asked without sockets.
type inMemory struct {
	*daemon.Daemon
	decisions *logwriter.Writer
	listener  *testbed.Pipes
	ended     chan error
	end       context.CancelFunc
}

func startInMemory(t *testing.T, conf *config.Config, dns *world.World, log io.Writer) *inMemory {
	t.Helper()
	conf.Resolver.Stale = 0
	decisions := logwriter.New(log, nil)
	own, err := daemon.New(conf, daemon.Options{
		Log:       slog.New(slog.DiscardHandler),
		Decisions: decisions,
		Host:      config.Host{Names: []string{"mx.example.net"}, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.25")}},
		FirstID:   1 << 40,
		Dial:      dns.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d := &inMemory{Daemon: own, decisions: decisions, listener: testbed.NewPipes(), ended: make(chan error, 1), end: cancel}
	go func() { d.ended <- d.Run(ctx, []net.Listener{d.listener}, nil) }()
	return d
}

func (d *inMemory) stop(t *testing.T) {
	t.Helper()
	d.end()
	if err := <-d.ended; err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	d.Close()
	if err := d.decisions.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// policyConn is Postfix's end of a connection to the daemon.
type policyConn struct {
	net.Conn
	replies *bufio.Reader
	used    time.Time
}

func (d *inMemory) dial() *policyConn {
	ours := d.listener.Dial()
	return &policyConn{Conn: ours, replies: bufio.NewReader(ours)}
}

// maxIdle is after which time Postfix closes a connection
// (smtpd_policy_service_max_idle in postconf(5)).
const maxIdle = 300 * time.Second

// week is a week's mail.
type week struct {
	daemon *inMemory
	dns    *world.World
	zone   string
	random *rand.Rand
	events []event // to come, the earliest first
	sent   int     // messages
}

// event is one recipient of one message, or a change in the world.
type event struct {
	at      time.Time
	message *message
	rcpt    string
	last    bool   // of the message
	zone    string // the DNS from now on
}

// message is a message that a client tries to send.
type message struct {
	client   *Client
	helo     string
	from     string
	instance string
	to       []string
	tries    int
	deferred bool
}

// plan plans what each client sends, in working hours if it is a decent one.
func (w *week) plan(all []Client) {
	for i := range all {
		c := &all[i]
		for range (c.Messages+2)/4 + w.random.IntN(c.Messages/2+1) {
			day, hour := w.random.IntN(7), w.random.IntN(24)
			if c.Retries {
				day, hour = w.random.IntN(5), 8+w.random.IntN(10)
			}
			at := Begins.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(w.random.IntN(3600_000))*time.Millisecond)
			w.send(at, &message{client: c, helo: Pick(w.random, c.HELOs), from: w.sender(c), to: w.recipients(c)})
		}
	}
	w.add(event{at: Begins.Add(60 * time.Hour), zone: w.zone + repair})
	// The night to Friday both servers are silent for ten minutes.
	w.add(event{at: Begins.Add(99 * time.Hour), zone: "!drop *\n"})
	w.add(event{at: Begins.Add(99*time.Hour + 10*time.Minute), zone: w.zone + repair})
	for i := range 12 {
		c := &all[w.random.IntN(len(all))]
		at := Begins.Add(99*time.Hour + time.Minute + time.Duration(i)*40*time.Second)
		w.send(at, &message{client: c, helo: c.HELOs[0], from: w.sender(c), to: w.recipients(c)[:1]})
	}
}

// Pick is any of the texts.
func Pick(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

func (w *week) sender(c *Client) string {
	domain := Pick(w.random, c.Froms)
	if domain == "<>" {
		return ""
	}
	return Pick(w.random, []string{"info", "office", "anna.example", "no-reply", "Bob"}) + "@" + domain
}

func (w *week) recipients(c *Client) []string {
	users := []string{"user", "anna", "bob", "sales", "info", "postmaster", "webmaster", "hr", "carol"}
	w.random.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	var to []string
	for _, u := range users[:1+w.random.IntN(c.Recipients)] {
		to = append(to, u+"@"+Pick(w.random, []string{"example.com", "example.com", "example.net"}))
	}
	return to
}

// send plans one try to send a message, a recipient after the other.
func (w *week) send(at time.Time, m *message) {
	w.sent++
	m.instance = fmt.Sprintf("%x.%x.0", 4000+w.sent%97, 0x66000000+w.sent)
	m.tries++
	m.deferred = false
	for i, rcpt := range m.to {
		w.add(event{at: at, message: m, rcpt: rcpt, last: i == len(m.to)-1})
		at = at.Add(time.Duration(20+w.random.IntN(400)) * time.Millisecond)
	}
}

// add keeps the events in order, no two at once.
func (w *week) add(e event) {
	for {
		i, taken := slices.BinarySearchFunc(w.events, e, func(a, b event) int { return cmp.Compare(a.at.UnixMilli(), b.at.UnixMilli()) })
		if !taken {
			w.events = slices.Insert(w.events, i, e)
			return
		}
		e.at = e.at.Add(time.Millisecond)
	}
}

// play lets the week pass.
func (w *week) play(t *testing.T) {
	conn := w.daemon.dial()
	defer func() { conn.Close() }()
	for len(w.events) > 0 {
		e := w.events[0]
		w.events = w.events[1:]
		time.Sleep(time.Until(e.at))
		if e.message == nil {
			if err := w.dns.Set(e.zone); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if time.Since(conn.used) > maxIdle {
			conn.Close()
			conn = w.daemon.dial()
		}
		conn.used = time.Now()
		reply, err := e.ask(conn)
		if err != nil {
			t.Fatal(err)
		}
		m := e.message
		m.deferred = m.deferred || strings.HasPrefix(reply, "DEFER_IF_PERMIT")
		if e.last && m.deferred && m.client.Retries && m.tries < 5 {
			again := *m
			w.send(time.Now().Add(time.Duration(m.tries*m.tries)*20*time.Minute), &again)
		}
	}
}

// ask asks the daemon as Postfix would.
func (e *event) ask(conn *policyConn) (string, error) {
	m := e.message
	name := "unknown"
	if len(m.client.Names) > 0 && m.client.Forwards == "back" {
		name = m.client.Names[0]
	}
	text := fmt.Sprintf("request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=%s\nclient_name=%s\n"+
		"reverse_client_name=%s\nhelo_name=%s\nsender=%s\nrecipient=%s\ninstance=%s\nserver_address=192.0.2.25\nserver_port=25\n",
		m.client.Addr, name, name, m.helo, m.from, e.rcpt, m.instance)
	if m.client.Login {
		text += "sasl_method=PLAIN\nsasl_username=user\n"
	}
	if m.client.Retries || m.client.Login {
		text += "encryption_protocol=TLSv1.3\n"
	}
	if _, err := io.WriteString(conn, text+"\n"); err != nil {
		return "", err
	}
	reply, err := conn.replies.ReadString('\n')
	if err != nil {
		return "", err
	}
	if empty, err := conn.replies.ReadString('\n'); err != nil || empty != "\n" {
		return "", errors.Join(err, fmt.Errorf("%q behind the reply", empty))
	}
	return strings.TrimPrefix(strings.TrimSpace(reply), "action="), nil
}

// Line is a line of the decision log, of a client that all is well with
// but for the changes that are made.
func Line(change func(*journal.Record)) []byte {
	client := netip.MustParseAddr("203.0.113.20")
	r := journal.Record{ID: "x", Request: policy.Request{
		Time: Begins, Client: client, HELO: "mail.example.com", State: "RCPT",
		Sender: "a@example.org", Recipient: "b@example.com", Instance: "1.2.3",
	}}
	r.Facts = policy.NewFacts(&r.Request)
	r.Facts.Past.Asked, r.Facts.Past.DomainAsked, r.Facts.SPF.Result = true, true, policy.None
	if change != nil {
		change(&r)
	}
	return journal.Logfmt.Append(nil, &r)
}
