package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk fills the disk under the decision log, and makes room again.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path, log := filepath.Join(dir, "config.toml"), filepath.Join(dir, "decisions.log")
	if err := os.Symlink("/dev/full", log); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, path, dns, anyPort, fmt.Sprintf("[log]\nfile = %q\n", log))
	d := startDaemon(t, "serve", "-c", path)
	conn, replies := dial(t, "tcp", d.address)
	decide := func() {
		t.Helper()
		if reply, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || reply != "DUNNO" {
			t.Fatalf("reply %q, %v; want DUNNO", reply, err)
		}
	}
	full := d.expect("decisions are not logged")
	decide()
	if line := d.await(t, full); !strings.Contains(line, "lost=1 ") || !strings.Contains(line, "no space left on device") {
		t.Errorf("told: %s; want one line lost, and why", line)
	}
	decide()

	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	reloaded, again := d.expect("configuration reloaded"), d.expect("decisions are logged again")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await(t, reloaded)
	decide()
	if line := d.await(t, again); !strings.Contains(line, "lost=2 ") {
		t.Errorf("told: %s; want two lines lost", line)
	}
	d.stop(t)
	text, err := os.ReadFile(log)
	if got := strings.Count(string(text), "msg=decision"); err != nil || got != 1 {
		t.Errorf("the file holds %d decisions, %v; want 1", got, err)
	}
}

// TestFullDiskAtTheEnd loses what comes shortly before the stop, and says so.
func TestFullDiskAtTheEnd(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "[log]\nfile = \"/dev/full\"\n")
	d := startDaemon(t, "serve", "-c", path)
	conn, replies := dial(t, "tcp", d.address)
	for range 3 {
		if _, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil {
			t.Fatal(err)
		}
	}
	d.stop(t)
	last := ""
	for _, line := range d.logged() {
		if strings.Contains(line, "decisions are not logged") {
			last = line
		}
	}
	if !strings.Contains(last, "lost=3 ") {
		t.Errorf("the last that is told of three lost lines is %q", last)
	}
}

// TestManagerThatDoesNotRead has a service manager whose socket is full: neither
// a reload nor the stop waits for it.
func TestManagerThatDoesNotRead(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	writeConfig(t, path, dns, anyPort, "")
	address := &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}
	manager, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	fill(t, address)
	t.Setenv("NOTIFY_SOCKET", address.Name)
	d := startDaemon(t, "serve", "-c", path)
	for range 3 {
		reloaded := d.expect("configuration reloaded")
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await(t, reloaded)
	}
	d.stop(t)
}

// fill sends to a socket that is not read until it takes no more.
func fill(t *testing.T, address *net.UnixAddr) {
	t.Helper()
	conn, err := net.DialUnix("unixgram", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var full error
	err = raw.Write(func(fd uintptr) bool {
		for full == nil {
			full = syscall.Sendto(int(fd), []byte("X=1"), syscall.MSG_DONTWAIT, nil)
		}
		return true
	})
	if err != nil || !errors.Is(full, syscall.EAGAIN) {
		t.Fatalf("filling the manager's socket: %v, %v", full, err)
	}
}

// TestReloadThatHangs reads a list from a pipe that nobody writes to: requests
// are answered, the watchdog is fed and the stop is not held up.
func TestReloadThatHangs(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path, list := filepath.Join(dir, "config.toml"), filepath.Join(dir, "names")
	writeFile(t, list, "")
	writeConfig(t, path, dns, anyPort, fmt.Sprintf("[names]\nproper = [%q]\n", "@"+list))
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", manager.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "100000")
	d := startDaemon(t, "serve", "-c", path)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(list, 0o600); err != nil {
		t.Skipf("Mkfifo: %v", err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	fed := 0
	for reloading := false; fed < 3; {
		buf := make([]byte, 4096)
		if err := manager.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(buf)
		if err != nil {
			t.Fatalf("%d pings during the reload: %v", fed, err)
		}
		reloading = reloading || strings.HasPrefix(string(buf[:n]), "RELOADING=1")
		if reloading && string(buf[:n]) == "WATCHDOG=1" {
			fed++
		}
	}
	conn, replies := dial(t, "tcp", d.address)
	if reply, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || reply != "DUNNO" {
		t.Errorf("reply %q, %v; want DUNNO", reply, err)
	}
	d.stop(t)
	if strings.Contains(strings.Join(d.logged(), "\n"), "configuration reloaded") {
		t.Error("the reload did not hang, so that nothing was shown")
	}
}
