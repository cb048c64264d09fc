package declog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// ofJournal is the daemon's part of the journal, since then.
func ofJournal(ctx context.Context, since time.Time) *Logs {
	args := []string{"-u", unit, "-o", "cat", "--no-pager"}
	if !since.IsZero() {
		args = append(args, fmt.Sprintf("--since=@%d", since.Unix()))
	}
	open := func() (io.ReadCloser, error) { return startChild(ctx, "journalctl", args...) }
	return &Logs{
		Inputs: []journal.Input{{Name: "the journal of " + unit, Open: open, Once: true}},
		parts:  []*part{{}},
	}
}

// child is what a program prints. It is for one goroutine.
type child struct {
	out    io.Reader
	cmd    *exec.Cmd
	errors firstBytes
	ended  bool
}

// childPause is how long a child that was told to end is waited for.
const childPause = 5 * time.Second

// startChild starts a program, which ends with ctx or when it is closed.
func startChild(ctx context.Context, name string, args ...string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, name, args...)}
	c.cmd.Stderr, c.cmd.WaitDelay = &c.errors, childPause
	var err error
	if c.out, err = c.cmd.StdoutPipe(); err == nil {
		err = c.cmd.Start()
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("decisions go to standard error, and %s, which would read them in the journal, is not there: name the file that they end in", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return c, nil
}

// Read is that of [io.Reader]. That the program ends badly is a [logfile.Broken] at its
// end.
func (c *child) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if n > 0 || err == nil || c.ended {
		return n, err
	}
	c.ended = true
	if failed := c.cmd.Wait(); failed != nil {
		return 0, &logfile.Broken{Err: c.failure(failed)}
	}
	return 0, err
}

// failure is why the program has failed, with what it said of it.
func (c *child) failure(err error) error {
	said := strings.Join(strings.Fields(c.errors.String()), " ")
	if said == "" {
		return fmt.Errorf("%s: %w", c.cmd.Args[0], err)
	}
	return fmt.Errorf("%s: %w: %s", c.cmd.Args[0], err, plain.Text(said, maxErrors))
}

// Close ends the program.
func (c *child) Close() error {
	if c.ended {
		return nil
	}
	c.ended = true
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()         // it was killed
	return nil
}

// maxErrors bounds what is kept of a program's errors, in bytes.
const maxErrors = 1000

// firstBytes are the first bytes that are written to it.
type firstBytes struct{ bytes.Buffer }

// Write is that of [io.Writer].
func (f *firstBytes) Write(p []byte) (int, error) {
	if room := maxErrors - f.Len(); room > 0 {
		_, _ = f.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
