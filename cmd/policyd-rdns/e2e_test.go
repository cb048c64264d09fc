package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The end-to-end tests run the real program beside a private real Postfix and a
// real Unbound, all three in processes of their own, and are the SMTP clients:
//
//	smtpClient → postfixInstance → rdnsInstance → unboundInstance
//
// Postfix is told by XCLIENT which client it has before it. Nothing of the
// system's Postfix or Unbound but their programs is used, and no packet leaves
// the loopback.

// requireAll makes a failure of what is else a reason to skip a test.
const requireAll = "POLICYD_RDNS_REQUIRE_ALL"

// needProgram gives the path of a program, or skips the test if the machine has
// none.
func needProgram(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Not in everybody's PATH.
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		missing(t, fmt.Sprintf("needs the program %s (Debian package %s)", name, debianPackage))
	}
	return path
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv(requireAll) != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// patience bounds every wait for another process.
const patience = 20 * time.Second

// process is a program that runs beside the test and ends with it.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *output // both streams
	done chan struct{}
}

// startProcess starts a program in a session of its own. At the end of the test
// it is stopped, and its output shown if the test has failed.
func startProcess(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, out: newOutput(), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	cmd.SysProcAttr = ownSession()
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // ProcessState tells
		close(p.done)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		p.wait(t)
		if t.Failed() {
			t.Logf("%s said at the end:\n%s", name, p.out.tail())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // fails if it has ended

// wait waits for the end of the process and gives its exit status; -1 if a signal
// ended it.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // its session
		t.Errorf("%s has not ended within %v", p.name, patience)
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// await gives the first line of the process's output with all the parts, when it
// comes.
func (p *process) await(t *testing.T, parts ...string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		text, more := p.out.read()
		if line, ok := findLine(text, parts); ok {
			return line
		}
		select {
		case <-more:
		case <-p.done:
			t.Fatalf("%s has ended without a line with %q", p.name, parts)
		case <-deadline:
			t.Fatalf("no line with %q from %s within %v", parts, p.name, patience)
		}
	}
}

// output is what a process writes, for those who wait for it.
type output struct {
	mu   sync.Mutex
	text string
	more chan struct{} // closed when there is more
}

func newOutput() *output { return &output{more: make(chan struct{})} }

// Write adds text.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text += string(p)
	close(o.more)
	o.more = make(chan struct{})
	return len(p), nil
}

// tail is the last of what was written.
func (o *output) tail() string {
	text, _ := o.read()
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-50):], "")
}

func (o *output) read() (text string, more <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text, o.more
}

func findLine(text string, parts []string) (string, bool) {
lines:
	for line := range strings.Lines(text) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		if strings.HasSuffix(line, "\n") { // else there is more of it to come
			return strings.TrimSuffix(line, "\n"), true
		}
	}
	return "", false
}

// loopback is an address of this test alone, as all of 127.0.0.0/8 is the
// machine itself: a port that is free on it stays free until Postfix or
// Unbound, which cannot be handed a listener, has taken it.
func loopback() string {
	pid := os.Getpid() // of at most 22 bits
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>16, pid>>8&0xff, pid&0xff)
}

// freeAddrs picks n addresses with ports that nobody listens on.
func freeAddrs(t *testing.T, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp4", loopback()+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // not before all are picked, so that they differ
		addrs[i] = l.Addr().String()
	}
	return addrs
}

// workFolder is a folder that processes of other users may enter, with a path
// short enough for unix sockets in it; t.TempDir has neither.
func workFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "policyd-rdns-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
