package e2e

import (
	"fmt"
	"os"
	"os/exec"
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
	all     []*pendingMail
	pending []*pendingMail // in the order in which they are tried
	kept    int            // that had to be in the file after kills
	held    []*pendingMail // that have not begun
}

// TestPostfixHistoryKilled kills the program three times, at the points of
// TestPostfixKilled, while 200 messages of as many clients are on their way, most of
// which have to come back. In the end each was accepted once, and the file is whole.
func TestPostfixHistoryKilled(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	k := newKilledHistory(t, 200)
	// The last fifty begin when what the first ones came to has to be in the file.
	k.pending, k.held = k.all[:150:150], k.all[150:]
	points := []struct {
		accepted int
		at       string
	}{{10, "before the question"}, {70, "in question"}, {151, "after the answer"}}
	begun := time.Now()
	for pace := time.Tick(20 * time.Millisecond); len(k.pending)+len(k.held) > 0; {
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute %d messages wait still", len(k.pending)+len(k.held))
		}
		if len(k.pending) == 0 && len(k.cameBack(time.Now())) > 0 {
			k.pending, k.held = k.held, nil
		}
		if len(k.pending) == 0 {
			<-pace
			continue
		}
		point := ""
		if len(points) > 0 && len(k.accepted) >= points[0].accepted {
			point, points = points[0].at, points[1:]
		}
		k.round(t, point)
		if !k.down.IsZero() {
			k.checkKept(t)
			k.rdns = startProgram(t, k.config)
			k.down = time.Time{}
			k.file.whole(t)
		}
	}
	if len(points) > 0 || k.kept == 0 {
		t.Errorf("not killed: %v; %d clients had to be in the file", points, k.kept)
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
	t.Logf("%d messages in %d sessions, at most %d for one, in %v", len(k.all), sessions, most, time.Since(begun).Round(time.Millisecond))
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
		if n%4 > 0 {
			client.helo = "ubuntu"
		}
		k.all = append(k.all, &pendingMail{client: client, recipient: fmt.Sprintf("user%d@example.com", n), subject: fmt.Sprintf("<message %d>", n)})
	}
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

// cameBack are the clients that came back longer than lostTime before.
func (k *killedHistory) cameBack(before time.Time) (addrs []string) {
	for _, m := range k.all {
		if !m.returned.IsZero() && before.Sub(m.returned) > lostTime {
			addrs = append(addrs, m.client.knownAddr())
		}
	}
	return addrs
}

// checkKept wants those in the file who came back in time before the kill. It is a copy
// that is looked at: nothing is done to the file before the next program opens it.
func (k *killedHistory) checkKept(t *testing.T) {
	t.Helper()
	left := *k.file
	left.path = filepath.Join(testbed.WorkFolder(t), "history.sqlite")
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(k.file.path + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left.path+end, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(left.sql, left.path, "SELECT party FROM party WHERE returned > 0").CombinedOutput()
	if err != nil {
		t.Errorf("after a kill: %v\n%s", err, out)
	}
	addrs := k.cameBack(k.down)
	for _, addr := range addrs {
		if !strings.Contains(string(out), "a:"+addr+"\n") {
			t.Errorf("%s came back more than %v before the program was killed, and is not in the file", addr, lostTime)
		}
	}
	k.kept += len(addrs)
	for _, m := range k.all {
		if k.down.Sub(m.returned) <= lostTime {
			m.returned = time.Time{} // it may be lost
		}
	}
	t.Logf("after a kill %d had to be in the file", len(addrs))
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
	k.killAt(kill, "before the question")
	for i, m := range some {
		sessions[i].tell(t, "RCPT TO:<"+m.recipient+">")
	}
	k.killAt(kill, "in question")
	taken := make([]bool, len(some))
	for i, m := range some {
		reply := sessions[i].reply(t)
		taken[i] = reply[0] == '2'
		// Those of IPv6 are in one /64, by which they are known, too.
		if taken[i] && k.down.IsZero() && m.client.helo == "ubuntu" && !strings.Contains(m.client.addr, ":") {
			m.returned = time.Now()
		}
		if reply[0] == '5' {
			t.Errorf("%s as %s read %s; want no 5xx", m.client.addr, m.client.helo, reply)
		}
	}
	k.killAt(kill, "after the answer")
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
