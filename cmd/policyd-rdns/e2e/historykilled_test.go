package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// pendingMail is a message of a sender that tries again until it is accepted.
type pendingMail struct {
	client    mailClient
	recipient string
	subject   string
	tries     int
	accepted  int
	returned  time.Time // accepted by the program since it came back; zero: it was not
}

// killedHistory is senders whose messages are deferred at first, and a program that is
// killed with what it has not written yet.
type killedHistory struct {
	killing
	file    *historyFile
	pending []*pendingMail
	all     []*pendingMail
	kills   int
}

// TestPostfixHistoryKilled kills the program three times, at the points of
// TestPostfixKilled, while 200 messages of as many clients are on their way, two thirds of
// which have to come back. In the end each was accepted once, and the file is whole.
func TestPostfixHistoryKilled(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	k := newKilledHistory(t, 200)
	points := map[int]string{10: "before the question", 40: "in question", 60: "after the answer"}
	begun := time.Now()
	round := 0
	for ; len(k.pending) > 0; round++ {
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute %d messages wait still", len(k.pending))
		}
		k.round(t, points[round])
		if !k.down.IsZero() {
			k.checkKept(t)
			k.rdns = startProgram(t, k.config)
			k.down = time.Time{}
			k.file.whole(t)
		}
	}
	if k.kills != len(points) {
		t.Errorf("the program was killed %d times in %d rounds; want %d", k.kills, round, len(points))
	}
	k.rdns.stopped(t)
	k.file.whole(t)
	k.checkQueue(t)
	sessions, most := 0, 0
	for _, m := range k.all {
		sessions += m.tries
		most = max(most, m.tries)
		if m.accepted != 1 {
			t.Errorf("%s was accepted %d times; want once", m.subject, m.accepted)
		}
	}
	t.Logf("%d messages in %d sessions, at most %d for one, and %d rounds", len(k.all), sessions, most, round)
}

func newKilledHistory(t *testing.T, messages int) *killedHistory {
	t.Helper()
	k := &killedHistory{killing: killing{postfix: newPostfix(t), accepted: map[string]bool{}}}
	zone := ". NS ns.example.\n"
	for n := 0; len(k.all) < messages; n++ {
		client, more := awayClient(n)
		if more == "" {
			continue // without a name
		}
		zone += more
		if n%3 > 0 {
			client.helo = "ubuntu"
		}
		k.all = append(k.all, &pendingMail{client: client, recipient: fmt.Sprintf("user%d@example.com", n), subject: fmt.Sprintf("<message %d>", n)})
	}
	k.pending = append(k.pending, k.all...)
	dir := testbed.WorkFolder(t)
	k.file = newHistoryFile(t, dir)
	server, _ := testbed.StartWorld(t, zone)
	listen := testbed.FreeAddrs(t, 1)[0]
	k.config = historySettings(listen, dir, server, fmt.Sprintf("%q", filepath.Join(dir, "history.sqlite")))
	k.rdns = startProgram(t, k.config)
	var services []smtpdService
	for i := range badDayServices {
		service := policyService("inet:" + listen)
		if i%2 == 1 {
			service = "check_policy_service inet:" + listen
		}
		services = append(services, smtpdService{name: fmt.Sprint(i), options: []string{
			"smtpd_recipient_restrictions = reject_unauth_destination, " + service,
		}})
	}
	k.postfix.start(t, services...)
	return k
}

// lostTime is of how long before a kill what was noted may be lost: it is written every
// second, and a machine under load takes its time.
const lostTime = 3 * time.Second

// checkKept wants those in the file who came back longer than lostTime before the kill.
func (k *killedHistory) checkKept(t *testing.T) {
	t.Helper()
	kept := k.file.query(t, "SELECT party FROM party WHERE returned > 0") + "\n"
	n := 0
	for _, m := range k.all {
		if m.returned.IsZero() || k.down.Sub(m.returned) < lostTime {
			continue
		}
		n++
		if !strings.Contains(kept, "a:"+m.client.knownAddr()+"\n") {
			t.Errorf("%s came back %v before the program was killed, and is not in the file", m.client.addr, k.down.Sub(m.returned))
		}
	}
	t.Logf("after a kill %d had to be in the file", n)
}

// killNow is killAt, counted.
func (k *killedHistory) killNow(point, here string) {
	if point == here {
		k.kills++
	}
	k.killAt(point, here)
}

// round is a session with each of the services, step by step all at once, of the messages
// that have waited longest.
func (k *killedHistory) round(t *testing.T, kill string) {
	t.Helper()
	some := k.pending[:min(len(k.pending), badDayServices)]
	k.pending = k.pending[len(some):]
	sessions := make([]*smtpClient, len(some))
	for i, m := range some {
		m.tries++
		sessions[i] = m.client.connect(t, k.postfix.addrs[fmt.Sprint(i)])
		sessions[i].must(t, "MAIL FROM:<sender@example.net>")
	}
	k.killNow(kill, "before the question")
	for i, m := range some {
		sessions[i].tell(t, "RCPT TO:<"+m.recipient+">")
	}
	k.killNow(kill, "in question")
	taken := make([]bool, len(some))
	for i, m := range some {
		reply := sessions[i].reply(t)
		taken[i] = reply[0] == '2'
		if taken[i] && k.down.IsZero() && m.client.helo == "ubuntu" {
			m.returned = time.Now()
		}
		if reply[0] == '5' {
			t.Errorf("%s as %s read %s; want no 5xx", m.client.addr, m.client.helo, reply)
		}
	}
	k.killNow(kill, "after the answer")
	for i, m := range some {
		if !taken[i] {
			k.pending = append(k.pending, m)
		} else {
			sessions[i].must(t, "DATA")
			sessions[i].must(t, "Subject: "+m.subject+"\r\n\r\ntest\r\n.")
			m.accepted++
			k.killing.accepted[m.subject] = true
		}
		sessions[i].quit(t)
	}
}
