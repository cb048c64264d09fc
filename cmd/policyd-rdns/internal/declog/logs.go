package declog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// Logs are the decision logs that a command was given.
type Logs struct {
	Inputs []journal.Input
	parts  []*part
	total  int64 // bytes, as far as they are known beforehand
}

// part is one of the logs.
type part struct {
	path  string
	stdin io.Reader
	read  atomic.Int64 // bytes, compressed ones if it is
}

// Find looks at the files that a command was given; "-" is standard
// input.
//
// What cannot be read of them is told at once, before anything is made of the rest.
func Find(paths []string, stdin io.Reader) (*Logs, error) {
	l := &Logs{}
	stdins := 0
	var problems []error
	for _, path := range paths {
		p := &part{path: path, stdin: stdin}
		in := journal.Input{Name: path, Open: p.open}
		if path == "-" {
			in.Name, in.Once = "standard input", true
			stdins++
		} else {
			info, err := os.Stat(path)
			switch {
			case err != nil:
				problems = append(problems, err)
				continue
			case info.IsDir():
				problems = append(problems, fmt.Errorf("%s is a folder: name the files in it", path))
				continue
			}
			in.Once = !info.Mode().IsRegular()
			l.total += info.Size()
			if !in.Once {
				problems = append(problems, p.try())
			}
		}
		l.Inputs = append(l.Inputs, in)
		l.parts = append(l.parts, p)
	}
	if stdins > 1 {
		return nil, exit.Usage(errors.New("standard input can be read once only"))
	}
	return l, errors.Join(problems...)
}

// try opens the log, to see whether it can be read.
func (p *part) try() error {
	in, err := p.open()
	if err != nil {
		return err
	}
	p.read.Store(0)
	return in.Close()
}

// open opens the log from its beginning, as lines.
func (p *part) open() (io.ReadCloser, error) {
	if p.path == "-" {
		lines, err := logfile.NewLines(p.stdin, "standard input")
		return &logfile.File{Reader: lines, Closer: io.NopCloser(nil)}, err
	}
	f, err := os.Open(p.path)
	if err != nil {
		return nil, err
	}
	p.read.Store(0)
	lines, err := logfile.NewLines(&counted{f, &p.read}, p.path)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &logfile.File{Reader: lines, Closer: f}, nil
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

// Read is that of [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// Read is the share of the files that was read, from 0 to 1.
func (l *Logs) Read() float64 {
	if l.total == 0 {
		return 0
	}
	var n int64
	for _, p := range l.parts {
		n += p.read.Load()
	}
	return min(1, float64(n)/float64(l.total))
}

// Modified is when the log with an index was written last; now, if it is no file.
func (l *Logs) Modified(i int) time.Time {
	if info, err := os.Stat(l.parts[i].path); err == nil && info.Mode().IsRegular() {
		return info.ModTime()
	}
	return time.Now()
}

// Reader reads the decisions of the logs, and tells d of what cannot be read.
func (l *Logs) Reader(d *Damages) *journal.Reader {
	return &journal.Reader{Inputs: l.Inputs, OnDamage: d.Tell, OnUnknown: d.unknown}
}

// maxTold bounds the damaged lines that are told one by one.
const maxTold = 5

// Damages tells what of a log could not be read, at the end, where it is seen.
type Damages struct {
	// Live: the log has no end, and it is told at once.
	Live bool

	out      io.Writer
	told     []string
	n        int  // lines
	broken   bool // of some log the rest could not be read
	unknowns int  // decisions with words that are not known
	first    journal.Damage
}

// NewDamages tells out.
func NewDamages(out io.Writer) *Damages { return &Damages{out: out} }

// Tell takes a line that cannot be read, or the rest of a log.
func (d *Damages) Tell(damage journal.Damage) {
	var broken *logfile.Broken
	if errors.As(damage.Err, &broken) {
		d.broken = true
	} else if d.n++; d.n > maxTold {
		return
	}
	d.told = append(d.told, plain.Line(damage.Error()))
	if d.Live {
		d.tell()
	}
}

// tell writes what is to be told and is not yet.
func (d *Damages) tell() {
	for _, line := range d.told {
		fmt.Fprintf(d.out, "policyd-rdns: %s\n", line)
	}
	d.told = nil
}

// unknown takes decisions with words that are not known.
func (d *Damages) unknown(first journal.Damage, lines int) {
	if d.unknowns == 0 {
		d.first = first
	}
	d.unknowns += lines
}

// End tells how many there were. The error is that of the command, or if it is well that
// of a log that was not read to its end: what was made of the rest is not all.
func (d *Damages) End(err error) error {
	d.tell()
	if d.n > maxTold {
		fmt.Fprintf(d.out, "policyd-rdns: and %d more damaged lines; all were passed over\n", d.n-maxTold)
	}
	if d.unknowns > 0 {
		fmt.Fprintf(d.out, "policyd-rdns: %s written by another version, with words that this one does not know; what they say is taken as not learnt. The first is %s\n",
			plain.Counted(d.unknowns, "decision was", "decisions were"), plain.Line(d.first.Error()))
	}
	if err == nil && d.broken {
		return exit.ErrNotWell
	}
	return err
}
