package journal

import (
	"errors"
	"fmt"
	"strings"

	"policyd-rdns/policy/journal/frame"
)

// Line is a decision as it was read. Its texts share the memory of the line:
// what is kept for longer has to be cloned.
type Line struct {
	Record
	// Text is the line itself, without what syslog, a container runtime or a collector
	// has put before it or around it.
	Text string

	clock frame.Clock // of what stands before it
	known *memory     // of other lines; nil: of none
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
// writes about it.
func (l *Line) read(text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return ErrOther
	}
	if text[0] != '{' && !strings.HasPrefix(text, timeKey) {
		return l.framed(text, ErrOther)
	}
	err := l.parse(text)
	if err == nil || text[0] != '{' && !strings.Contains(text, `="time=`) && !strings.Contains(text, `="{`) {
		return err
	}
	return l.framed(text, err)
}

// timeKey is how a line of logfmt begins that has no frame.
const timeKey = "time="

// framed reads a line that something stands before, or around. If there is no
// decision in it, the error is that of reading it without a frame; ErrOther: not read.
func (l *Line) framed(text string, err error) error {
	if found, ok := l.clock.Cut(decisions{}, text); ok && len(found.Text) < len(text) {
		return l.parse(found.Text)
	}
	if errors.Is(err, ErrOther) {
		return l.parse(text)
	}
	return err
}

// parse reads a line that nothing stands before.
func (l *Line) parse(text string) error {
	l.Text = text
	l.Record = Record{}
	d := decoder{known: l.known}
	err := d.parse(text, &l.Record)
	switch {
	case err == nil && !d.has.has(spanField):
		// The writer ends each line with it, or nearly so.
		return errors.New("the end is missing")
	case errors.Is(err, ErrOther) && !d.has.has(msgField) && marked(text):
		return errors.New("not a whole line")
	case err != nil && !errors.Is(err, ErrOther) && !damaged(text):
		return ErrOther
	}
	return err
}

// decisions tells which lines are the daemon's.
type decisions struct{}

// Program is that of [frame.Wanted]: messages of any program are looked at.
func (decisions) Program(string) bool { return false }

// Stem is that of [frame.Wanted]: of no program.
func (decisions) Stem(string) bool { return false }

// Message is that of [frame.Wanted].
func (decisions) Message(text string, _ bool) bool {
	if text[0] == '{' {
		var f fields
		return strings.Contains(text, `"decision"`) && f.split(text) == nil && f.value[msgField] == "decision"
	}
	if !strings.HasPrefix(text, "time=") {
		return false
	}
	_, message, _ := strings.Cut(text, " msg=")
	return strings.HasPrefix(message, "decision")
}

// marked reports whether a line holds what only decisions do.
func marked(line string) bool {
	for _, mark := range []string{"msg=decision", `"msg":"decision"`, `\"msg\":\"decision\"`, " queries=", `,"queries":`} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	return false
}

// damaged reports whether a line that cannot be read was to be a decision.
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
