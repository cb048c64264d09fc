package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// redisInstance is a private real redis-server, which keeps nothing on the disk.
type redisInstance struct {
	process *process
	program string
	addr    string
	dir     string
	more    []string // settings
}

func startRedis(t *testing.T, more ...string) *redisInstance {
	t.Helper()
	r := &redisInstance{
		program: testbed.NeedProgram(t, "redis-server", "redis-server"),
		addr:    testbed.FreeAddrs(t, 1)[0], dir: testbed.WorkFolder(t), more: more,
	}
	r.start(t)
	return r
}

// start starts the server, and returns when it accepts connections.
func (r *redisInstance) start(t *testing.T) {
	t.Helper()
	host, port, _ := net.SplitHostPort(r.addr)
	args := append([]string{"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", r.dir}, r.more...)
	r.process = startProcess(t, "redis-server", exec.Command(r.program, args...))
	r.process.await(t, "Ready to accept connections")
}

// kill is kill -9.
func (r *redisInstance) kill() {
	r.process.signal(syscall.SIGKILL)
	<-r.process.done
}

// command sends a command as the administrator, and gives the answer: a status, a number
// or a text.
func (r *redisInstance) command(t *testing.T, words ...string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", r.addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	answer := ""
	for _, words := range [][]string{{"AUTH", "default", r.password()}, words} {
		if words[0] == "AUTH" && r.password() == "" {
			continue
		}
		text := fmt.Sprintf("*%d\r\n", len(words))
		for _, w := range words {
			text += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if answer, err = answers.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	answer = strings.TrimSuffix(answer, "\r\n")
	if size, is := strings.CutPrefix(answer, "$"); is && size != "-1" {
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(answers, text); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return answer
}

// must has a command be answered "+OK".
func (r *redisInstance) must(t *testing.T, words ...string) {
	t.Helper()
	if answer := r.command(t, words...); answer != "+OK" {
		t.Fatalf("redis answers %q to %q", answer, words)
	}
}

// password is what it was started with; empty: with none.
func (r *redisInstance) password() string {
	for i, word := range r.more {
		if word == "--requirepass" {
			return r.more[i+1]
		}
	}
	return ""
}

// sharedHistory is a daemon of several that have one redis-server; password is the file
// of its password, if it has one.
func sharedHistory(t *testing.T, dns string, r *redisInstance, password string) *rdnsInstance {
	t.Helper()
	store := strconv.Quote("redis://" + r.addr)
	if password != "" {
		store += fmt.Sprintf("\npassword_file = %q", password)
	}
	return startProgram(t, historySettings("127.0.0.1:0", testbed.WorkFolder(t), dns, store))
}

// How the greylisted client and the partner of the tests are answered before they are
// known.
var (
	greylisted = ask{client: "203.0.113.20", helo: "ubuntu"}
	partner    = ask{client: "203.0.113.13", helo: "mail.example.net", sender: "info@provider.example"}
)

const (
	putOffHELO    = "DEFER_IF_PERMIT 4.7.1 your server [203.0.113.20] is new here, and its HELO ubuntu is no "
	putOffPartner = "DEFER_IF_PERMIT 4.7.1 your server [203.0.113.13] has the generic reverse DNS name "
	passes        = "DUNNO"
)

// TestHistoryOfTwoMX: who was deferred by one MX is accepted by the other when it comes
// back, and whom a user writes to by one is spared by the other.
func TestHistoryOfTwoMX(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	dns, _ := testbed.StartWorld(t, historyZone)
	first, second := sharedHistory(t, dns, redis, ""), sharedHistory(t, dns, redis, "")
	// The first has its store when it writes there.
	within(t, "noted in redis by the first", func() bool {
		if got := greylisted.action(t, first.tcp); !strings.HasPrefix(got, putOffHELO) && got != passes {
			t.Errorf("the first answers %q; want %q", got, putOffHELO)
		}
		return redis.command(t, "EXISTS", partyKey(greylisted.client)) == ":1"
	})
	if got := partner.action(t, second.tcp); !strings.HasPrefix(got, putOffPartner) {
		t.Errorf("before anybody wrote to it the partner is answered %q; want %q", got, putOffPartner)
	}
	written := ask{client: "198.51.100.77", helo: "laptop", login: "user", sender: "user@example.com", recipient: "info@provider.example"}
	if got := written.action(t, first.tcp); got != passes {
		t.Errorf("a user of ours is answered %q; want %s", got, passes)
	}
	within(t, "accepted by the second", func() bool { return greylisted.action(t, second.tcp) == passes })
	other := greylisted
	other.recipient = "other@example.com"
	within(t, "known to the first as one that came back", func() bool { return other.action(t, first.tcp) == passes })
	within(t, "a correspondent of the second", func() bool { return partner.action(t, second.tcp) == passes })
	spared := false
	for _, r := range second.stopped(t) {
		spared = spared || r.Decision.Rule == "correspondent"
	}
	if !spared {
		t.Error("the second has spared nobody as a correspondent")
	}
	first.stopped(t)
}

// redisFault is something that befalls a redis-server.
type redisFault struct {
	name       string
	more       []string // its settings
	begin, end func(t *testing.T, r *redisInstance)
	long       bool
}

func redisFaults() []redisFault {
	set := func(t *testing.T, r *redisInstance, name, value string) {
		t.Helper()
		r.must(t, "CONFIG", "SET", name, value)
	}
	return []redisFault{
		{
			name:  "frozen",
			begin: func(_ *testing.T, r *redisInstance) { r.process.signal(syscall.SIGSTOP) },
			end:   func(_ *testing.T, r *redisInstance) { r.process.signal(syscall.SIGCONT) },
		},
		{
			name: "killed", long: true,
			begin: func(_ *testing.T, r *redisInstance) { r.kill() },
			end:   func(t *testing.T, r *redisInstance) { t.Helper(); r.start(t) },
		},
		{
			name: "another password", long: true, more: []string{"--requirepass", "swordfish"},
			begin: func(t *testing.T, r *redisInstance) {
				t.Helper()
				set(t, r, "requirepass", "another")
				r.more = []string{"--requirepass", "another"}
				r.command(t, "CLIENT", "KILL", "TYPE", "normal") // all but this one
				within(t, "refused a login", func() bool { return r.command(t, "ACL", "LOG") != "*0" })
			},
			end: func(t *testing.T, r *redisInstance) {
				t.Helper()
				set(t, r, "requirepass", "swordfish")
				r.more = []string{"--requirepass", "swordfish"}
			},
		},
		{
			name: "full", long: true, more: []string{"--maxmemory-policy", "noeviction"},
			begin: func(t *testing.T, r *redisInstance) { t.Helper(); set(t, r, "maxmemory", "1") },
			end:   func(t *testing.T, r *redisInstance) { t.Helper(); set(t, r, "maxmemory", "0") },
		},
	}
}

// backTime is within which a daemon uses its store after the store is well.
const backTime = 5 * time.Second

// TestHistoryRedisFaults: whatever befalls redis, each request is answered, in time, and
// the log says so once; and the store is used again before long.
func TestHistoryRedisFaults(t *testing.T) {
	t.Parallel()
	dns, _ := testbed.StartWorld(t, historyZone)
	for _, fault := range redisFaults() {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			if fault.long {
				testbed.Long(t)
			}
			redis := startRedis(t, fault.more...)
			password := ""
			if redis.password() != "" {
				password = passwordFile(t, redis.password())
			}
			rdns := sharedHistory(t, dns, redis, password)
			traffic := startTraffic(rdns.tcp)
			defer traffic.stop(t)
			within(t, "written in the beginning", func() bool {
				greylisted.action(t, rdns.tcp)
				return redis.command(t, "EXISTS", partyKey(greylisted.client)) == ":1"
			})

			fault.begin(t, redis)
			rdns.process.await(t, "level=WARN", "the store does not answer")
			traffic.more(t, 50)
			fault.end(t, redis)
			well := time.Now()
			rdns.process.await(t, "level=INFO", "the store answers again")
			told := time.Since(well)
			within(t, "written again", func() bool {
				ask{client: "203.0.113.102", helo: "ubuntu"}.action(t, rdns.tcp)
				return redis.command(t, "EXISTS", partyKey("203.0.113.102")) == ":1"
			})
			took := time.Since(well)
			redis.isRead(t, rdns)
			t.Logf("the store is used again after %v, told after %v", took, told)
			if took > backTime {
				t.Errorf("the store is used again after %v; want at most %v", took, backTime)
			}
			traffic.stop(t)
			rdns.toldOnce(t)
			rdns.stopped(t)
		})
	}
}

// partyKey is where redis has an address.
func partyKey(addr string) string { return "policyd-rdns:a:" + addr }

// isRead wants a daemon to read what redis has of a client that it has never seen: as much
// as of another, which came back.
func (r *redisInstance) isRead(t *testing.T, rdns *rdnsInstance) {
	t.Helper()
	within(t, "accepted as one that came back", func() bool { return greylisted.action(t, rdns.tcp) == passes })
	n := 0
	within(t, "read", func() bool {
		r.command(t, "COPY", partyKey(greylisted.client), partyKey("203.0.113.21"), "REPLACE")
		n++
		same := ask{client: "203.0.113.21", helo: "ubuntu", recipient: fmt.Sprintf("user%d@example.com", n)}
		return same.action(t, rdns.tcp) == passes
	})
}

// passwordFile is a file that has a password.
func passwordFile(t *testing.T, password string) string {
	t.Helper()
	file := filepath.Join(testbed.WorkFolder(t), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHistoryRedisPassword starts a daemon that has a wrong password, which is put right
// in its file.
func TestHistoryRedisPassword(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	dns, _ := testbed.StartWorld(t, historyZone)
	redis := startRedis(t, "--requirepass", "swordfish")
	file := passwordFile(t, "sturgeon")
	rdns := sharedHistory(t, dns, redis, file)
	traffic := startTraffic(rdns.tcp)
	defer traffic.stop(t)
	line := rdns.process.await(t, "level=WARN", "the store does not answer")
	if strings.Contains(line, "sturgeon") || !strings.Contains(line, "WRONGPASS") {
		t.Errorf("it is warned of a wrong password by %s", line)
	}
	traffic.more(t, 50)
	if err := os.WriteFile(file, []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rdns.process.await(t, "level=INFO", "the store answers again")
	redis.isRead(t, rdns)
	traffic.stop(t)
	rdns.toldOnce(t)
	rdns.stopped(t)
}

// toldOnce wants one warning of the store in the log.
func (d *rdnsInstance) toldOnce(t *testing.T) {
	t.Helper()
	if lines := d.process.lines("level=WARN", "history:"); len(lines) != 1 {
		t.Errorf("%d warnings of the store; want one:\n%s", len(lines), strings.Join(lines, ""))
	}
	if lines := d.process.lines("level=INFO", "history:"); len(lines) > 1 {
		t.Errorf("%d lines more about the store; want one:\n%s", len(lines), strings.Join(lines, ""))
	}
	if lines := d.process.lines("level=ERROR"); len(lines) > 0 {
		t.Errorf("errors in the log:\n%s", strings.Join(lines, ""))
	}
}

// traffic is requests of ever new clients, and of those that come back, one after the
// other, until it is stopped.
type traffic struct {
	tcp  string
	quit chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	asked   int
	longest time.Duration
	errs    []error
}

func startTraffic(tcp string) *traffic {
	r := &traffic{tcp: tcp, quit: make(chan struct{})}
	r.done.Go(func() {
		for pace := time.Tick(5 * time.Millisecond); ; <-pace {
			select {
			case <-r.quit:
				return
			default:
				r.one()
			}
		}
	})
	return r
}

// trafficClient is a client without a name, each in a network of its own.
func trafficClient(n int) ask { return ask{client: fmt.Sprintf("2001:db8:%x::1", n), helo: "ubuntu"} }

func (r *traffic) one() {
	n := r.count()
	a, want := trafficClient(n/2), "DEFER_IF_PERMIT 4.7.1 your server ["
	if n%3 == 0 {
		a, want = ask{client: "203.0.113.20", helo: goodName}, passes
	}
	action, took, err := a.said(r.tcp)
	if err == nil && !strings.HasPrefix(action, want) {
		err = fmt.Errorf("%s is answered %q", a.client, action)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	r.longest = max(r.longest, took)
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

// count is how many requests were answered.
func (r *traffic) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// more waits until so many more were answered.
func (r *traffic) more(t *testing.T, n int) {
	t.Helper()
	until := r.count() + n
	within(t, "answered", func() bool { return r.count() >= until })
}

// stop ends the traffic, of which every request has to be answered in time.
func (r *traffic) stop(t *testing.T) {
	t.Helper()
	select {
	case <-r.quit:
		return
	default:
	}
	close(r.quit)
	r.done.Wait()
	if len(r.errs) > 0 {
		t.Errorf("%d of %d requests have no good answer, the first: %v", len(r.errs), r.asked, r.errs[0])
	}
	t.Logf("%d requests, the slowest took %v", r.asked, r.longest)
}

// stopTime is within which a program ends whatever its store does: what is new is tried to
// be written, and then let go.
const stopTime = 10 * time.Second

// TestHistoryStopInTrouble: a store that does not answer keeps no daemon from its end.
func TestHistoryStopInTrouble(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	dns, _ := testbed.StartWorld(t, historyZone)
	redis := startRedis(t)
	file := newHistoryFile(t, testbed.WorkFolder(t))
	for _, trouble := range []struct {
		name  string
		rdns  *rdnsInstance
		begin func()
	}{
		{"frozen", sharedHistory(t, dns, redis, ""), func() { redis.process.signal(syscall.SIGSTOP) }},
		{"locked", file.serve(t), func() { file.lock(t) }},
	} {
		within(t, "noted", func() bool {
			greylisted.action(t, trouble.rdns.tcp)
			return redis.command(t, "EXISTS", partyKey(greylisted.client)) == ":1" && trouble.name == "frozen" ||
				file.has(t, greylisted.client) && trouble.name == "locked"
		})
		trouble.begin()
		ask{client: "203.0.113.101", helo: "ubuntu"}.action(t, trouble.rdns.tcp)
		begun := time.Now()
		trouble.rdns.stopped(t)
		took := time.Since(begun)
		t.Logf("%s: ended after %v", trouble.name, took)
		if took > stopTime {
			t.Errorf("%s: ended after %v; want at most %v", trouble.name, took, stopTime)
		}
		if trouble.name == "frozen" {
			redis.process.signal(syscall.SIGCONT)
		}
	}
}
