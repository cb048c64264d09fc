// Package postgrey reads what postgrey, a greylisting daemon for Postfix, knows: its state
// as db_dump(1) of Berkeley DB writes it, which becomes records of history, and its
// whitelists, which become exemptions. What cannot be taken over is named.
//
// What it reads may be anything: it is bounded, and believed no more than postgrey was.
package postgrey

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

// Defaults of postgrey's own options --delay and --auto-whitelist-clients.
const (
	DefaultDelay = 5 * time.Minute
	DefaultCount = 5
)

// maxLine bounds a line of any file, in bytes.
const maxLine = 64 << 10

// ErrNothing is that a file is none of postgrey's that could be taken over.
var ErrNothing = errors.New("neither a dump of postgrey's state nor one of its whitelists")

// errDatabase is of a database that was not dumped.
var errDatabase = errors.New("a database of Berkeley DB: write it as text first, with db_dump -p, and put that here")

// Import is what several files have come to. The zero value is empty, and takes postgrey
// to have run with its defaults.
type Import struct {
	// Delay and Count are postgrey's --delay and --auto-whitelist-clients; 0: its defaults.
	Delay time.Duration
	Count uint64

	// Exempt are exemptions by the whitelists, in the order of the files.
	Exempt []policy.Rule
	// Left is what was not taken over of whitelists, and of dumps what makes no sense.
	Left []Left
	// MoreLeft is how many of such are not among Left, which is bounded.
	MoreLeft int
	// Skipped counts, by reason, entries of dumps that nothing follows from.
	Skipped map[string]int

	records map[history.Party]history.Record
}

// Left is a line that was not taken over.
type Left struct {
	File string
	Line int
	Text string // as it stands there, cut short
	Why  string
}

const (
	maxLeft     = 1000
	maxLeftText = 200
)

// left notes a line that is not taken over.
func (im *Import) left(file string, line int, text, why string) {
	if len(im.Left) == maxLeft {
		im.MoreLeft++
		return
	}
	if len(text) > maxLeftText {
		text = strings.ToValidUTF8(text[:maxLeftText], "")
	}
	im.Left = append(im.Left, Left{file, line, text, why})
}

func (im *Import) skip(why string) {
	if im.Skipped == nil {
		im.Skipped = map[string]int{}
	}
	im.Skipped[why]++
}

// Records are those that follow from the dumps, by party: who came back in time for one
// message has returned, who did so for as many as postgrey asks for is known.
func (im *Import) Records() []history.Stored {
	all := make([]history.Stored, 0, len(im.records))
	for p, r := range im.records {
		all = append(all, history.Stored{Party: p, Record: r})
	}
	slices.SortFunc(all, func(a, b history.Stored) int { return cmp.Compare(a.Party, b.Party) })
	return all
}

// Read reads one file: a dump, which its text tells, or a whitelist, which its name does.
// Of a file that postgrey has beside them it is [ErrNothing]; after any error what was
// read before holds.
func (im *Import) Read(file string, r io.Reader) error {
	in := bufio.NewReader(r)
	head, _ := in.Peek(16)
	name := path.Base(file)
	switch {
	case bytes.HasPrefix(head, []byte("VERSION=")):
		return im.dump(file, in)
	case isDatabase(head):
		return errDatabase
	case strings.Contains(name, "whitelist_clients"):
		return im.whitelist(file, in, clients)
	case strings.Contains(name, "whitelist_recipients"):
		return im.whitelist(file, in, recipients)
	}
	return ErrNothing
}

// isDatabase reports whether a file begins as a database of Berkeley DB does: a number at
// byte 12 tells its kind (btree, hash), in the order of the machine that made it.
func isDatabase(head []byte) bool {
	if len(head) < 16 {
		return false
	}
	for _, magic := range []string{"\x00\x05\x31\x62", "\x00\x06\x15\x61"} {
		reverse := []byte(magic)
		slices.Reverse(reverse)
		if at := head[12:16]; string(at) == magic || bytes.Equal(at, reverse) {
			return true
		}
	}
	return false
}

// lines gives the lines of a file with their numbers, without what ends them.
func lines(r io.Reader, each func(n int, line string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	n := 0
	for scanner.Scan() {
		n++
		if err := each(n, strings.TrimSuffix(scanner.Text(), "\r")); err != nil {
			return err
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d: more than %d KiB", n+1, maxLine>>10)
	}
	return scanner.Err()
}
