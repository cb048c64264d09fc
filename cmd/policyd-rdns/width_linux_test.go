package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
)

// terminal is a pseudo terminal of some width: what is written to it can be read when it
// is closed.
func terminal(t *testing.T, columns uint16) (tty *os.File, written func() string) {
	t.Helper()
	// Without O_NONBLOCK in the runtime's poller, reads end with EIO at the last close.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	keeper := os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { _ = keeper.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(&b, keeper)
	}()
	return tty, func() string {
		_ = tty.Close()
		<-done
		return strings.ReplaceAll(b.String(), "\r\n", "\n")
	}
}

// TestWidth: on a terminal no line is longer than that, but for what can be pasted, and
// to no terminal the same is written in lines as long as they are.
func TestWidth(t *testing.T) {
	longAlone(t)
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	log := testbed.TempLog(t, week.Record(t))
	dns, _ := startWorld(t, plainZone)
	conf := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, conf, dns, "127.0.0.1:0", "")
	for _, args := range [][]string{
		{"demo"},
		{"log", "--utc", log},
		{"report", "--utc", log},
		{"explain", "-c", conf, "203.0.113.10", "--helo", "mail." + strings.Repeat("a-long-name.", 12) + "example.org"},
	} {
		for _, columns := range []uint16{80, 132} {
			tty, written := terminal(t, columns)
			var stderr bytes.Buffer
			status := run(context.Background(), args, strings.NewReader(""), tty, &stderr)
			text := written()
			if status > 1 || len(text) < 500 {
				t.Fatalf("%q = %d, %s, %q", args, status, &stderr, text)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if plain.Visible(line) > int(columns) && !strings.Contains(line, "policyd-rdns allow") && !strings.Contains(line, "when   = ") {
					t.Errorf("%s on %d columns: %d: %s", args[0], columns, plain.Visible(line), line)
				}
			}
		}
	}
}
