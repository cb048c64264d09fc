package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/policy/hostname"
)

// request is one policy request about a client.
func request(client, helo string) string {
	return "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=" + client + "\nhelo_name=" + helo +
		"\nsender=sender@example.org\nrecipient=user@example.com\n\n"
}

// ask sends one request over a connection and reads its reply.
func ask(conn net.Conn, replies *bufio.Reader, client, helo string) (string, error) {
	if _, err := io.WriteString(conn, request(client, helo)); err != nil {
		return "", err
	}
	reply, err := replies.ReadString('\n')
	if err != nil {
		return "", err
	}
	if _, err := replies.ReadString('\n'); err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimPrefix(reply, "action="), "\n"), nil
}

// dial connects to a daemon; nothing on the connection takes long.
func dial(t *testing.T, network, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// writeConfig writes a configuration on a DNS world.
func writeConfig(t *testing.T, path, dns, listen, text string) {
	t.Helper()
	text = withSettings(text, map[string]string{
		"server":   fmt.Sprintf("listen = [%q]", listen),
		"resolver": fmt.Sprintf("servers = [%q]", dns),
	})
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	anyPort   = "127.0.0.1:0"
	plainZone = `
20.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 203.0.113.20
`
)

func TestServeSaysWhatItDoes(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "[helo]\nown_names = [\"mx.example.net\"]\n")
	d := startDaemon(t, "serve", "-c", path)
	d.stop(t)
	log := strings.Join(d.logged(), "\n")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	own := "names=mx.example.net"
	if name := strings.ToLower(host); !hostname.Local(name) {
		own = "names=" + name + ",mx.example.net"
	}
	for _, want := range []string{
		"msg=listening address=" + d.address,
		`msg="asking DNS servers" servers=` + dns,
		own,
		"addresses=127.0.0.1,",
		`line="check_policy_service { inet:` + d.address + `, timeout=10s, default_action=DUNNO }"`,
		"after reject_unauth_destination",
		"msg=stopped decisions=0",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// TestServeWarnsOfFewDescriptors asks for more connections than the test may
// have descriptors.
func TestServeWarnsOfFewDescriptors(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "")
	d := newDaemonProcess(t, "serve", "-c", path)
	d.cmd.Path, d.cmd.Args = "/bin/sh", append([]string{"sh", "-c", "ulimit -n 256 && exec \"$0\" \"$@\""}, d.cmd.Args...)
	d.start(t)
	d.stop(t)
	if log := strings.Join(d.logged(), "\n"); !strings.Contains(log, "too few file descriptors") || !strings.Contains(log, fmt.Sprint("limit=256 need=", 2564+3*runtime.GOMAXPROCS(0))) {
		t.Errorf("the log lacks the warning:\n%s", log)
	}
}

func TestServeRefusesBadConfiguration(t *testing.T) {
	status, _, stderr := call("", "serve", "-c", "internal/config/testdata/badconfig/durations.toml")
	if status != 1 || strings.Count(stderr, "durations.toml:") != 2 {
		t.Errorf("serve = %d, %q; want 1 and both problems", status, stderr)
	}
}

func TestReload(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	rule := func(text string) {
		writeConfig(t, path, dns, anyPort, fmt.Sprintf("[reply]\ncontact = \"\"\n[[rule]]\nname = \"all\"\nwhen = { client = \"0.0.0.0/0\" }\naction = \"reject\"\ntext = %q\n", text))
	}
	rule("first")
	d := startDaemon(t, "serve", "-c", path)
	conn, replies := dial(t, "tcp", d.address)
	expect := func(want string) {
		t.Helper()
		if got, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || got != want {
			t.Errorf("reply %q, %v; want %q", got, err, want)
		}
	}
	hup := func(text string) {
		t.Helper()
		line := d.expect(text)
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await(t, line)
	}
	expect("550 5.7.1 first")
	rule("second")
	expect("550 5.7.1 first")
	hup("configuration reloaded")
	expect("550 5.7.1 second")
	if err := os.WriteFile(path, []byte("mode = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hup("config.toml:1: mode = 5: want a text in quotes")
	expect("550 5.7.1 second")
	writeConfig(t, path, dns, "127.0.0.1:1", "")
	hup("changes of server.listen wait for a restart")
	expect("DUNNO")
	d.stop(t)
}

// TestReloadUnderLoad reloads while requests are being answered on several
// connections: none fails, and none is judged by half a configuration.
func TestReloadUnderLoad(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	rule := func(text string) {
		writeConfig(t, path, dns, anyPort, fmt.Sprintf("[reply]\ncontact = \"\"\n[[rule]]\nname = %q\nwhen = { client = \"0.0.0.0/0\" }\naction = \"reject\"\ntext = %q\n", text, text))
	}
	rule("even")
	d := startDaemon(t, "serve", "-c", path)
	const connections, requests, reloads = 4, 500, 20
	var asking sync.WaitGroup
	for range connections {
		conn, replies := dial(t, "tcp", d.address)
		asking.Go(func() {
			for range requests {
				got, err := ask(conn, replies, "203.0.113.20", "mail.example.com")
				if err != nil || got != "550 5.7.1 even" && got != "550 5.7.1 odd" {
					t.Errorf("reply %q, %v", got, err)
					return
				}
			}
		})
	}
	for i := range reloads {
		rule([]string{"odd", "even"}[i%2])
		line := d.expect("configuration reloaded")
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await(t, line)
	}
	asking.Wait()
	if got := len(d.stop(t)); got != connections*requests {
		t.Errorf("%d decisions were logged; want %d", got, connections*requests)
	}
}

// TestStop ends the program in the middle of a decision: it is answered and
// logged all the same.
func TestStop(t *testing.T) {
	dns, world := startWorld(t, "!delay 20.113.0.203.in-addr.arpa 500ms\n"+plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "")
	d := startDaemon(t, "serve", "-c", path)
	idle, _ := dial(t, "tcp", d.address)
	conn, replies := dial(t, "tcp", d.address)
	if _, err := io.WriteString(conn, request("203.0.113.20", "mail.example.com")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); len(world.Queries()) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no question was asked")
		}
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if reply, err := replies.ReadString('\n'); err != nil || reply != "action=DUNNO\n" {
		t.Errorf("reply %q, %v; want DUNNO", reply, err)
	}
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection reads %v; want EOF", err)
	}
	<-d.read
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if log := strings.Join(d.logged(), "\n"); !strings.Contains(log, "ptr=found fcrdns=pass") {
		t.Errorf("the decision was not logged:\n%s", log)
	}
}

func TestLogFileIsReopened(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path, log := filepath.Join(dir, "config.toml"), filepath.Join(dir, "decisions.log")
	writeConfig(t, path, dns, anyPort, fmt.Sprintf("[log]\nfile = %q\n", log))
	d := startDaemon(t, "serve", "-c", path)
	conn, replies := dial(t, "tcp", d.address)
	decide := func() {
		t.Helper()
		if _, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil {
			t.Fatal(err)
		}
	}
	decide()
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	line := d.expect("configuration reloaded")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await(t, line)
	decide()
	decide()
	if lines := d.stop(t); len(lines) != 0 {
		t.Errorf("decisions on standard error: %q", lines)
	}
	for file, want := range map[string]int{log + ".1": 1, log: 2} {
		text, err := os.ReadFile(file)
		if got := strings.Count(string(text), "msg=decision"); err != nil || got != want {
			t.Errorf("%s holds %d decisions, %v; want %d", file, got, err, want)
		}
	}
}

// TestNotify plays the service manager.
func TestNotify(t *testing.T) {
	dns, world := startWorld(t, "!drop 99.113.0.203.in-addr.arpa\n"+plainZone)
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	writeConfig(t, path, dns, anyPort, "[server]\ndeadline = \"1s\"\n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", manager.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "100000")
	d := startDaemon(t, "serve", "-c", path)
	expect := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			if err := manager.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := manager.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if got := string(buf[:n]); strings.HasPrefix(got, want) {
				return
			} else if got != "WATCHDOG=1" {
				t.Errorf("notified %q; want %q", got, want)
			}
		}
	}
	expect("READY=1")
	expect("WATCHDOG=1")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expect("RELOADING=1\nMONOTONIC_USEC=")
	expect("READY=1")
	conn, _ := dial(t, "tcp", d.address)
	if _, err := io.WriteString(conn, request("203.0.113.99", "mail.example.com")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); len(world.Queries()) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no question was asked")
		}
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// Before the request in progress is answered, and alive meanwhile.
	expect("STOPPING=1")
	expect("WATCHDOG=1")
	var reading sync.WaitGroup
	reading.Go(func() {
		// A manager goes on reading, or its clients have to wait.
		for buf := make([]byte, 4096); ; {
			if _, err := manager.Read(buf); err != nil {
				return
			}
		}
	})
	<-d.read
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	manager.Close()
	reading.Wait()
}

// TestPassedSocket starts the program as systemd does with a socket unit that
// has the address of the configuration.
func TestPassedSocket(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, l.Addr().String(), "")
	d := newDaemonProcess(t, "serve", "-c", path)
	d.cmd.ExtraFiles = []*os.File{socket}
	d.cmd.Env = append(d.cmd.Env, "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=policyd-rdns.socket")
	d.start(t)
	if d.address != l.Addr().String() {
		t.Errorf("listening on %s; want the socket that was passed, %s", d.address, l.Addr())
	}
	conn, replies := dial(t, "tcp", d.address)
	if got, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || got != "DUNNO" {
		t.Errorf("reply %q, %v; want DUNNO", got, err)
	}
	d.stop(t)
}

// TestPassedUnixSocket is that with the socket of the Debian package, and nothing to
// listen on besides.
func TestPassedUnixSocket(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "policyd-rdns"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.toml")
	writeFile(t, path, fmt.Sprintf("[server]\nlisten = []\n[resolver]\nservers = [%q]\n", dns))
	d := newDaemonProcess(t, "serve", "-c", path)
	d.cmd.ExtraFiles = []*os.File{socket}
	d.cmd.Env = append(d.cmd.Env, "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=policyd-rdns.socket")
	d.start(t)
	conn, replies := dial(t, "unix", l.Addr().String())
	if got, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || got != "DUNNO" {
		t.Errorf("reply %q, %v; want DUNNO", got, err)
	}
	d.stop(t)
	if got := strings.Count(strings.Join(d.logged(), "\n"), "msg=listening"); got != 1 {
		t.Errorf("the daemon listens %d times; want on the socket that was passed, and nowhere else", got)
	}
}

func TestUnixSocket(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path, socket := filepath.Join(dir, "config.toml"), filepath.Join(dir, "socket")
	writeConfig(t, path, dns, "unix:"+socket, "[server]\nsocket_mode = \"0600\"\n")
	d := startDaemon(t, "serve", "-c", path)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat(socket) = %v, %v; want mode 0600", info, err)
	}
	conn, replies := dial(t, "unix", socket)
	if got, err := ask(conn, replies, "203.0.113.10", "mail.example.com"); err != nil || !strings.HasPrefix(got, "550 5.7.1 ") {
		t.Errorf("reply %q, %v; want 550 5.7.1", got, err)
	}
	// Two daemons on one socket would take each other's requests.
	if status, _, stderr := call("", "serve", "-c", path); status != 1 || !strings.Contains(stderr, "listening on") {
		t.Errorf("a second daemon: %d, %q", status, stderr)
	}
	d.stop(t)
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket file is still there: %v", err)
	}
}
