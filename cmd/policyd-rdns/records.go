package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"policyd-rdns/policy/journal"
)

// records are the decision logs that a command was given.
type records struct {
	inputs []journal.Input
	parts  []*part
	total  int64 // bytes, as far as they are known beforehand
}

// part is one of the logs.
type part struct {
	path  string
	stdin io.Reader
	read  atomic.Int64 // bytes, compressed ones if it is
}

// findRecords looks at the files that a command was given; "-" is standard
// input.
func findRecords(paths []string, stdin io.Reader) (*records, error) {
	r := &records{}
	stdins := 0
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
				return nil, err
			case info.IsDir():
				return nil, fmt.Errorf("%s is a folder: name the files in it", path)
			}
			in.Once = !info.Mode().IsRegular()
			r.total += info.Size()
		}
		r.inputs = append(r.inputs, in)
		r.parts = append(r.parts, p)
	}
	if stdins > 1 {
		return nil, errUsage{errors.New("standard input can be read once only")}
	}
	return r, nil
}

// open opens the log from its beginning.
func (p *part) open() (io.ReadCloser, error) {
	if p.path == "-" {
		return openInput(p.path, p.stdin)
	}
	f, err := os.Open(p.path)
	if err != nil {
		return nil, err
	}
	p.read.Store(0)
	in, err := openInput("-", &counted{f, &p.read})
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", p.path, errors.Unwrap(err)) // which names standard input
	}
	return &input{in, f}, nil
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

// read is the share of the files that was read, from 0 to 1.
func (r *records) read() float64 {
	if r.total == 0 {
		return 0
	}
	var n int64
	for _, p := range r.parts {
		n += p.read.Load()
	}
	return min(1, float64(n)/float64(r.total))
}

// maxTold bounds the damaged lines that are told one by one.
const maxTold = 5

// damages tells what of a log could not be read.
type damages struct {
	out      io.Writer
	n        int
	unknowns int // decisions with words that are not known
	first    journal.Damage
}

func (d *damages) tell(damage journal.Damage) {
	if d.n++; d.n <= maxTold {
		fmt.Fprintf(d.out, "policyd-rdns: %s\n", safe(damage.Error()))
	}
}

// unknown takes decisions with words that are not known.
func (d *damages) unknown(first journal.Damage, lines int) {
	if d.unknowns == 0 {
		d.first = first
	}
	d.unknowns += lines
}

// end tells how many there were.
func (d *damages) end() {
	if d.n > maxTold {
		fmt.Fprintf(d.out, "policyd-rdns: and %d more damaged lines; all were passed over\n", d.n-maxTold)
	}
	if d.unknowns > 0 {
		fmt.Fprintf(d.out, "policyd-rdns: %s written by another version, with words that this one does not know; what they say is taken as not learnt. The first is %s\n",
			plural(d.unknowns, "decision was", "decisions were"), safe(d.first.Error()))
	}
}
