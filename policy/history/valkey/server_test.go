package valkey

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a redis-server of the test.
type server struct {
	t       testing.TB
	program string
	address string
	args    []string
	folder  string
	cmd     *exec.Cmd
}

// aServer is one that runs, with more of its settings as arguments.
func aServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{t: t, address: freeAddress(t), args: args, folder: t.TempDir()}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		const what = "needs the program redis-server (Debian package redis-server)"
		if os.Getenv("POLICYD_RDNS_REQUIRE_ALL") != "" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	s.program = program
	s.start()
	return s
}

// freeAddress is one of the loopback that is this process's alone: its port stays free
// until the server takes it.
func freeAddress(t testing.TB) string {
	t.Helper()
	pid := os.Getpid() // of at most 22 bits
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 64+pid>>16, pid>>8&0xff, pid&0xff))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the server, and returns when it accepts connections.
func (s *server) start(args ...string) {
	s.t.Helper()
	s.begin(args...)
	s.awaited("PING", "+PONG")
}

// begin runs the server.
func (s *server) begin(args ...string) {
	s.t.Helper()
	host, port, _ := net.SplitHostPort(s.address)
	all := slices.Concat([]string{
		"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", s.folder, "--daemonize", "no", "--logfile", "log",
		"--enable-debug-command", "yes",
	}, s.args, args)
	s.cmd = exec.Command(s.program, all...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() { end(cmd) })
}

// end kills a process, if it has not ended.
func end(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// kill is kill -9.
func (s *server) kill() { end(s.cmd) }

func (s *server) signal(what syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

// url is the server as settings name it.
func (s *server) url() string { return "valkey://" + s.address + "/3" }

// awaited asks until the answer begins as it should.
func (s *server) awaited(command, want string) {
	s.t.Helper()
	within(s.t, func() error {
		got, err := s.try(strings.Fields(command)...)
		if err == nil && !strings.HasPrefix(got, want) {
			err = fmt.Errorf("%s answers %q; want %q", command, got, want)
		}
		return err
	})
}

// within calls a function until it works, for some seconds.
func within(t testing.TB, f func() error) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		<-ctx.Done()
		cancel()
	}
}

// ask sends one command in database 3, and gives the answer's first line, or text.
func (s *server) ask(command ...string) string {
	s.t.Helper()
	answer, err := s.try(command...)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func (s *server) try(command ...string) (string, error) {
	c, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(c)
	for i, words := range [][]string{{"SELECT", "3"}, command} {
		fmt.Fprintf(c, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(c, "$%d\r\n%s\r\n", len(w), w)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimSuffix(line, "\r\n")
		if i == 0 {
			continue
		}
		if size, isText := strings.CutPrefix(line, "$"); isText && size != "-1" {
			n, err := strconv.Atoi(size)
			if err != nil {
				return "", err
			}
			text := make([]byte, n)
			_, err = io.ReadFull(in, text)
			return string(text), err
		}
		return line, nil
	}
	return "", nil
}
