package e2e

import (
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

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
