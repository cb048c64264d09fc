package trial

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds the start and the end of a program.
const patience = 30 * time.Second

// program is a server that runs as a process of its own.
type program struct {
	name    string
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	address string
	started time.Duration // from its start until it told its address

	reading sync.WaitGroup
	tail    lastLines
}

// listening is the line by which a program tells its address, a port or the path of a socket.
var listening = regexp.MustCompile(`\blistening (?:address=)?(127\.0\.0\.1:\d+|/\S+)`)

// startProgram returns when the program listens.
func startProgram(ctx context.Context, name string, env []string, command ...string) (*program, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &program{name: name, cancel: cancel, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	p.cmd.Env = append(os.Environ(), env...)
	r, w, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		cancel()
		r.Close()
		w.Close()
		return nil, err
	}
	w.Close()
	told := make(chan string, 1)
	p.reading.Go(func() {
		defer r.Close()
		defer close(told)
		p.read(r, told)
	})
	select {
	case address, ok := <-told:
		if ok {
			p.address, p.started = address, time.Since(begin)
			return p, nil
		}
	case <-time.After(patience):
	}
	cancel()
	p.reading.Wait()
	return nil, fmt.Errorf("%s does not listen: %w\n%s", name, p.cmd.Wait(), p.tail.text())
}

// read reads what the program says, to its end.
func (p *program) read(r io.Reader, told chan<- string) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if found := listening.FindSubmatch(line); found != nil && told != nil {
			told <- string(found[1])
			told = nil
		}
		p.tail.add(line)
		if err != nil {
			return
		}
	}
}

// stop ends the program, which has to end well.
func (p *program) stop() error {
	defer p.cancel()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, err, p.tail.text())
	}
	defer time.AfterFunc(patience, p.cancel).Stop()
	p.reading.Wait()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, err, p.tail.text())
	}
	return nil
}

// lastLines keeps the last lines that were added.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastLines) add(line []byte) {
	const keep, longest = 20, 500
	line = bytes.TrimSpace(line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == keep {
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, string(line[:min(len(line), longest)]))
}

func (l *lastLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
