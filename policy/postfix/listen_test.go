package postfix

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestListenError(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	const form = "want an address and a port such as 127.0.0.1:10040 or [::1]:10040, or unix:/path"
	tests := []struct{ address, group, want string }{
		{"", "", form},
		{"localhost:10040", "", form},
		{"mail.example.com:10040", "", form},
		{"127.0.0.1", "", form},
		{":10040", "", form},
		{"*:10040", "", form},
		{"10040", "", form},
		{"::1:10040", "", form},
		{"127.0.0.1:smtp", "", form},
		{"127.0.0.1:65536", "", form},
		{"/run/socket", "", form},
		{"203.0.113.1:0", "", "cannot assign requested address"}, // not ours
		{"unix:", "", "want an absolute path"},
		{"unix:run/socket", "", "want an absolute path"},
		{"unix:@abstract", "", "want an absolute path"},
		{"unix:/" + strings.Repeat("x", maxPath), "", fmt.Sprintf("the path has %d bytes; the address of a unix socket holds at most %d", maxPath+1, maxPath)},
		{"unix:" + filepath.Join(dir, "none", "socket"), "", "its folder " + filepath.Join(dir, "none") + " does not exist"},
		{"unix:" + filepath.Join(file, "socket"), "", file + " is not a folder"},
		{"unix:" + filepath.Join(file, "folder", "socket"), "", "its folder " + filepath.Join(file, "folder") + " does not exist"},
		{"unix:" + filepath.Join(dir, "socket") + "/", "", "its folder " + filepath.Join(dir, "socket") + " does not exist"},
		{"unix:" + dir + "/", "", "the file exists and is not a socket"},
		{"unix:" + dir + "/a\x00b", "", "a path has no zero byte"},
		{"unix:" + file, "", "the file exists and is not a socket"},
		{"unix:" + dir, "", "the file exists and is not a socket"},
		{"unix:" + link, "", "the file exists and is not a socket"},
		{"unix:" + filepath.Join(dir, "socket"), "no-such-group", `no group "no-such-group"`},
		{"unix:" + filepath.Join(dir, "socket"), "4294967295", `no group "4294967295"`}, // is -1 to chown(2)
	}
	for _, tt := range tests {
		l, err := Listen(tt.address, 0o660, tt.group)
		if err == nil {
			l.Close()
			t.Errorf("Listen(%q) = no error; want %s", tt.address, tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "listening on "+strconv.Quote(tt.address)) {
			t.Errorf("Listen(%q) error = %v; want the address and %s", tt.address, err, tt.want)
		}
	}
	if got, err := os.ReadFile(file); string(got) != "kept" {
		t.Errorf("the file in the way = %q, %v; want it as it was", got, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "socket")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a socket file was left: %v", err)
	}
}

// TestCheckAddress: what it lets pass is what Listen does not refuse for any
// reason of its own: nobody else has a say in these.
func TestCheckAddress(t *testing.T) {
	dir := t.TempDir()
	longest := "unix:" + dir + "/" + strings.Repeat("x", maxPath-len(dir)-1)
	for _, address := range []string{"127.0.0.1:0", "[::ffff:127.0.0.1]:0", longest, "unix:" + dir + "/a b", "unix:" + dir + "//socket"} {
		if err := CheckAddress(address); err != nil {
			t.Errorf("CheckAddress(%q) = %v; want nil", address, err)
		}
		l, err := Listen(address, 0o660, "")
		if err != nil {
			t.Errorf("Listen(%q): %v; want none, as CheckAddress has it", address, err)
			continue
		}
		// Somebody who listens there is no matter of the address.
		if err := CheckAddress(address); err != nil {
			t.Errorf("CheckAddress(%q) in use = %v; want nil", address, err)
		}
		l.Close()
	}
	// A folder that cannot be looked at may be there.
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if err := CheckAddress("unix:" + loop + "/socket"); err != nil {
		t.Errorf("CheckAddress in a folder out of sight = %v; want nil", err)
	}
}

func TestListenTCP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := Listen(address, 0, "")
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Logf("no such address here: %v", err)
			continue
		}
		if err != nil {
			t.Errorf("Listen(%q) error = %v", address, err)
			continue
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Errorf("dialling %s: %v", l.Addr(), err)
		} else {
			c.Close()
		}
		taken := l.Addr().String()
		if _, err := Listen(taken, 0, ""); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("Listen(%q) again, error = %v; want %v", taken, err, syscall.EADDRINUSE)
		}
		l.Close()
	}
}

func TestListenUnixModeAndGroup(t *testing.T) {
	own := os.Getegid()
	if os.Geteuid() == 0 {
		own = 4242 // who may change to any group shows more
	}
	for _, tt := range []struct {
		mode  fs.FileMode
		group string
		gid   int
	}{
		{0o660, "", os.Getegid()},
		{0o666, "", os.Getegid()}, // the umask does not count
		{0o600, strconv.Itoa(own), own},
		{0o640 | fs.ModeSetgid | fs.ModeDir, "root", 0},
	} {
		if tt.group == "root" && os.Geteuid() != 0 {
			continue
		}
		path := filepath.Join(t.TempDir(), "socket")
		l, err := Listen("unix:"+path, tt.mode, tt.group)
		if err != nil {
			t.Errorf("Listen(%o, %q) error = %v", tt.mode, tt.group, err)
			continue
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := info.Mode(), fs.ModeSocket|tt.mode.Perm(); got != want {
			t.Errorf("Listen(%o, %q) makes mode %v; want %v", tt.mode, tt.group, got, want)
		}
		if got := int(info.Sys().(*syscall.Stat_t).Gid); got != tt.gid {
			t.Errorf("Listen(%o, %q) makes group %d; want %d", tt.mode, tt.group, got, tt.gid)
		}
		if got := l.Addr().String(); got != path {
			t.Errorf("Addr() = %s; want %s", got, path)
		}
		l.Close()
	}
}

// A file that its server left behind is replaced, one in use is not.
func TestListenUnixStaleAndLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	crashed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	crashed.SetUnlinkOnClose(false)
	crashed.Close()

	l, err := Listen("unix:"+path, 0o600, "")
	if err != nil {
		t.Fatalf("Listen() over a stale socket, error = %v", err)
	}
	defer l.Close()
	_, err = Listen("unix:"+path, 0o600, "")
	if err == nil || !strings.Contains(err.Error(), "another server is listening there") {
		t.Errorf("Listen() over a live socket, error = %v; want another server is listening there", err)
	}
	if c, err := l.Accept(); err != nil { // the question asked by the second
		t.Errorf("the first listener: %v", err)
	} else {
		c.Close()
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("dialling the first listener: %v", err)
	} else {
		c.Close()
	}
}

// Only a refused connection is a sign that nobody is there.
func TestListenUnixOtherSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = Listen("unix:"+path, 0o600, "")
	if err == nil || !strings.Contains(err.Error(), "the socket exists and may be in use") {
		t.Errorf("Listen() over a datagram socket, error = %v; want may be in use", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the datagram socket is gone: %v", err)
	}
}

func TestListenUnixClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	listen := func() net.Listener {
		l, err := Listen("unix:"+path, 0o600, "")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := listen()
	if err := first.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lstat() after Close() = %v; want no file", err)
	}

	second := listen()
	if err := first.Close(); err != nil {
		t.Errorf("second Close() = %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatalf("the socket of another was removed: %v", err)
	}
	third := listen()
	defer third.Close()
	if err := second.Close(); err != nil {
		t.Errorf("Close() without the file = %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("Lstat() = %v; want the file of the third", err)
	}
}

// The whole way, over real sockets.
func TestServeListen(t *testing.T) {
	unix := "unix:" + filepath.Join(t.TempDir(), "socket")
	var listeners []net.Listener
	for _, address := range []string{"127.0.0.1:0", unix} {
		l, err := Listen(address, 0o600, "")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	var log bytes.Buffer
	s := &Server{Handler: greet, Log: slog.New(slog.NewTextHandler(&log, nil))}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, listeners...) }()

	var peers []string
	for _, l := range listeners {
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p := &client{t, c, bufio.NewReader(c)}
		for range 3 {
			p.send(helo("a"))
			p.want("INFO a")
		}
		p.send("junk\n")
		if _, err := p.replies.ReadByte(); err == nil {
			t.Error("a reply to junk; want none")
		}
		peers = append(peers, c.LocalAddr().String())
	}
	idle, err := net.Dial("unix", listeners[1].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve() = %v; want nil", err)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("an idle connection is open after the stop")
	}
	for _, want := range []string{"peer=" + peers[0], "peer=unix "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log = %q; want it to hold %q", log.String(), want)
		}
	}
}

// BenchmarkServe asks and waits for the answer on one connection of the
// loopback, which takes most of the time.
func BenchmarkServe(b *testing.B) {
	l, err := Listen("127.0.0.1:0", 0, "")
	if err != nil {
		b.Fatal(err)
	}
	s := &Server{Handler: greet}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	reply := make([]byte, len("action=INFO mail.example.com\n\n"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(c, full); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, reply); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		b.Errorf("Serve() = %v; want nil", err)
	}
}
