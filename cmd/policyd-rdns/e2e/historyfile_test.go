package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// historyFile is a file of SQLite that daemons have a history in.
type historyFile struct {
	path string
	dns  string
	sql  string // the program sqlite3
}

func newHistoryFile(t *testing.T, folder string) *historyFile {
	t.Helper()
	f := &historyFile{path: filepath.Join(folder, "history.sqlite"), sql: testbed.NeedProgram(t, "sqlite3", "sqlite3")}
	f.dns, _ = testbed.StartWorld(t, historyZone)
	return f
}

// serve starts a daemon with the file.
func (f *historyFile) serve(t *testing.T) *rdnsInstance {
	t.Helper()
	return startProgram(t, historySettings("127.0.0.1:0", testbed.WorkFolder(t), f.dns, fmt.Sprintf("%q", f.path)))
}

// query is what sqlite3 says of the file, beside a daemon or without one; empty: it
// cannot read it.
func (f *historyFile) query(t *testing.T, statement string) string {
	t.Helper()
	out, _ := exec.Command(f.sql, "-readonly", "-cmd", ".timeout 2000", f.path, statement).Output()
	return strings.TrimSpace(string(out))
}

// has reports whether a client is in the file.
func (f *historyFile) has(t *testing.T, addr string) bool {
	t.Helper()
	return f.query(t, "SELECT count(*) FROM party WHERE party = 'a:"+addr+"'") == "1"
}

// learns has a client come by a daemon until it is in the file.
func (f *historyFile) learns(t *testing.T, rdns *rdnsInstance, addr string) {
	t.Helper()
	within(t, addr+" in the file", func() bool {
		ask{client: addr, helo: "ubuntu"}.action(t, rdns.tcp)
		return f.has(t, addr)
	})
}

// returned has the greylisted client come back by a daemon, until the file has it as such.
func (f *historyFile) returned(t *testing.T, rdns *rdnsInstance) {
	t.Helper()
	within(t, "accepted when it came back", func() bool { return greylisted.action(t, rdns.tcp) == passes })
	within(t, "in the file as one that came back", func() bool {
		return f.query(t, "SELECT returned > 0 FROM party WHERE party = 'a:"+greylisted.client+"'") == "1"
	})
}

// isRead wants a daemon to know the client that came back from the file: each time it has
// another message.
func (f *historyFile) isRead(t *testing.T, rdns *rdnsInstance) {
	t.Helper()
	n := 0
	within(t, "accepted as one that came back", func() bool {
		n++
		a := greylisted
		a.recipient = fmt.Sprintf("other%d@example.com", n)
		return a.action(t, rdns.tcp) == passes
	})
}

// whole wants a file that nothing is wrong with.
func (f *historyFile) whole(t *testing.T) {
	t.Helper()
	if got := f.query(t, "PRAGMA integrity_check"); got != "ok" {
		t.Errorf("PRAGMA integrity_check says %q; want ok", got)
	}
}

// TestHistoryDamagedFile starts a daemon with a file that is damaged: it is set aside,
// which is told once, and meanwhile and afterwards the daemon serves.
func TestHistoryDamagedFile(t *testing.T) {
	t.Parallel()
	good := newHistoryFile(t, testbed.WorkFolder(t))
	rdns := good.serve(t)
	for n := range 300 { // more than one page of them
		trafficClient(n).action(t, rdns.tcp)
	}
	rdns.stopped(t) // and all is written
	good.whole(t)
	text, err := os.ReadFile(good.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name   string
		long   bool
		damage func([]byte) []byte
	}{
		{"truncated", false, func(b []byte) []byte { return b[:len(b)/2] }},
		{"header", true, func(b []byte) []byte { b[5] ^= 0x10; return b }},
		{"flipped", false, func(b []byte) []byte {
			for at := 3 * 4096; at < len(b); at += 4096 {
				b[at] ^= 0x08 // what kind of page it is
			}
			return b
		}},
	} {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			if damage.long {
				testbed.Long(t)
			}
			f := *good
			f.path = filepath.Join(testbed.WorkFolder(t), "history.sqlite")
			if err := os.WriteFile(f.path, damage.damage([]byte(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			rdns := f.serve(t)
			traffic := startTraffic(rdns.tcp)
			defer traffic.stop(t)
			rdns.process.await(t, "level=WARN", "history:", filepath.Base(f.path))
			rdns.process.await(t, "level=INFO", "the store answers again", filepath.Base(f.path)+".damaged-")
			f.learns(t, rdns, "203.0.113.101")
			if aside, _ := filepath.Glob(f.path + ".damaged-*"); len(aside) == 0 {
				t.Error("the damaged file is not beside the new one")
			}
			traffic.stop(t)
			rdns.toldOnce(t)
			rdns.stopped(t)
			f.whole(t)
		})
	}
}

// TestHistoryUpgrade: a daemon that is started while the one before has the file still
// serves at once, knows what that one knows, and goes on when it ends.
func TestHistoryUpgrade(t *testing.T) {
	t.Parallel()
	f := newHistoryFile(t, testbed.WorkFolder(t))
	before := f.serve(t)
	first := startTraffic(before.tcp)
	defer first.stop(t)
	f.returned(t, before)
	after := f.serve(t)
	second := startTraffic(after.tcp)
	defer second.stop(t)
	f.isRead(t, after)
	within(t, "written by both", func() bool {
		ask{client: "203.0.113.101", helo: "ubuntu"}.action(t, before.tcp)
		ask{client: "203.0.113.102", helo: "ubuntu"}.action(t, after.tcp)
		return f.has(t, "203.0.113.101") && f.has(t, "203.0.113.102")
	})
	first.stop(t)
	before.stopped(t)
	f.learns(t, after, "203.0.113.103")
	f.isRead(t, after)
	second.stop(t)
	after.stopped(t)
	for _, d := range []*rdnsInstance{before, after} {
		if lines := d.process.lines("history:"); len(lines) > 0 {
			t.Errorf("the log has of the store\n%s", strings.Join(lines, ""))
		}
	}
	f.whole(t)
}

// lock has sqlite3 hold the file, as somebody may who looks into it by hand.
func (f *historyFile) lock(t *testing.T) *process {
	t.Helper()
	cmd := exec.Command(f.sql, f.path)
	say, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, "sqlite3", cmd)
	if _, err := io.WriteString(say, ".timeout 5000\nBEGIN EXCLUSIVE;\n.shell echo locked\n"); err != nil {
		t.Fatal(err)
	}
	p.await(t, "locked")
	return p
}

// suffers has something befall the file of a daemon: each request is answered, in time,
// the log says so once, and the file is used again before long.
func (f *historyFile) suffers(t *testing.T, begin, end func()) {
	t.Helper()
	rdns := f.serve(t)
	traffic := startTraffic(rdns.tcp)
	defer traffic.stop(t)
	f.returned(t, rdns)
	begin()
	rdns.process.await(t, "level=WARN", "the store does not answer", f.path)
	traffic.more(t, 50)
	f.isRead(t, rdns) // from memory
	end()
	well := time.Now()
	rdns.process.await(t, "level=INFO", "the store answers again")
	f.learns(t, rdns, "203.0.113.102")
	if took := time.Since(well); took > backTime {
		t.Errorf("the file is used again after %v; want at most %v", took, backTime)
	}
	traffic.stop(t)
	rdns.toldOnce(t)
	rdns.stopped(t)
	f.whole(t)
}

// TestHistoryLockedFile: another process holds the file for a while.
func TestHistoryLockedFile(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	f := newHistoryFile(t, testbed.WorkFolder(t))
	var lock *process
	f.suffers(t, func() { lock = f.lock(t) }, func() {
		lock.signal(syscall.SIGKILL)
		<-lock.done
	})
	lock = f.lock(t)
	rdns := f.serve(t) // at once
	rdns.process.await(t, "level=WARN", "the store does not answer", "locked")
	if got := greylisted.action(t, rdns.tcp); !strings.HasPrefix(got, putOffHELO) {
		t.Errorf("while the file is locked one that it knows is answered %q; want %q", got, putOffHELO)
	}
	lock.signal(syscall.SIGKILL)
	rdns.process.await(t, "level=INFO", "the store answers again")
	f.isRead(t, rdns)
	rdns.toldOnce(t)
	rdns.stopped(t)
}
