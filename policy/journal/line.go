package journal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Line is a decision as it was read. Its texts share the memory of the line:
// what is kept for longer has to be cloned.
type Line struct {
	Record
	// Text is the line itself, without what syslog has put before it.
	Text string
}

// Damage is a line that was meant to be a decision and cannot be read as one,
// or an input that ends in the middle. It is an error.
type Damage struct {
	Input string
	Line  int // from 1
	Err   error
}

// Error is "input:line: what is wrong". It may hold bytes of the line.
func (d Damage) Error() string { return fmt.Sprintf("%s:%d: %v", d.Input, d.Line, d.Err) }

// Unwrap gives Err.
func (d Damage) Unwrap() error { return d.Err }

// read reads a line of a log or of an export of one. The error is ErrOther for
// a line of another kind: the daemon's own messages, and what a service manager
// says of it.
func (l *Line) read(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return ErrOther
	}
	raw = raw[prefix(raw):]
	l.Text = string(raw)
	l.Record = Record{}
	var d decoder
	err := d.parse(l.Text, &l.Record)
	switch {
	case err == nil && !d.has[fMS]:
		// The writer ends each line with it, or nearly so.
		return errors.New("the end is missing")
	case errors.Is(err, ErrOther) && !d.has[fMsg] && marked(l.Text):
		return errors.New("not a whole line")
	case err != nil && !errors.Is(err, ErrOther) && !damaged(l.Text):
		return ErrOther
	}
	return err
}

// maxPrefix bounds what syslog puts before a line: time, host, program, pid.
const maxPrefix = 256

// prefix is the length of what syslog, or journalctl in its own format, has put
// before a line: all up to the colon after the program.
func prefix(line []byte) int {
	if line[0] == '{' || bytes.HasPrefix(line, []byte("time=")) {
		return 0
	}
	head := line[:min(len(line), maxPrefix)]
	for _, begin := range []string{": time=", `: {"time":`} {
		if i := bytes.Index(head, []byte(begin)); i >= 0 {
			return i + len(": ")
		}
	}
	return 0
}

// marked says that a line holds what only decisions do.
func marked(line string) bool {
	for _, mark := range []string{"msg=decision", `"msg":"decision"`, " questions=", `,"questions":`} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	return false
}

// damaged says of a line that cannot be read whether it was to be a decision.
func damaged(line string) bool {
	if marked(line) {
		return true
	}
	if strings.Contains(line, " msg=") || strings.Contains(line, `"msg":`) {
		return false // one of the daemon's messages
	}
	// Cut off before its msg, or overwritten by a crash.
	return strings.HasPrefix(line, "time=") || strings.HasPrefix(line, `{"time":`) || strings.IndexByte(line, 0) >= 0
}
