// Package logfile reads log files as lines of text, however they were packed away: with
// gzip, bzip2, xz or zstd, in UTF-16, in the journal's export format, as JSON over several
// lines. What a file is its first bytes tell, not its name.
//
// What cannot be read is an error that names the file's form and the program that reads
// it. Memory is bounded, whatever a file holds: by the window of a compression, 64 MiB
// of xz and 128 MiB of zstd, as much as their programs take without being told to.
package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// bufferSize is what is read of a file at a time, in bytes.
const bufferSize = 64 << 10

// Broken is the error of a file whose rest cannot be read. What was read before is
// good.
type Broken struct{ Err error }

// Error is what is wrong, without the name of the file.
func (b *Broken) Error() string { return b.Err.Error() + "; what follows was not read" }

// Unwrap gives Err.
func (b *Broken) Unwrap() error { return b.Err }

// NewReader reads a file as text: decompressed, in UTF-8. An error of it is that of a
// file in a form that is not read, or that cannot be read at all; one of reading is a
// [Broken]. name is for the first.
//
// It waits for the first bytes, and reads no more of a stream than what is there.
func NewReader(from io.Reader, name string) (io.Reader, error) {
	r := &reader{from: bufio.NewReaderSize(from, bufferSize), lineBegins: true}
	head, err := look(r.from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := foreign(head, name); err != nil {
		return nil, err
	}
	return inUTF8(r)
}

// NewLines reads a log as lines, one for each entry: as NewReader, and entries of the
// journal's export format or of JSON over several lines as a line of JSON each.
func NewLines(from io.Reader, name string) (io.Reader, error) {
	text, err := NewReader(from, name)
	if err != nil {
		return nil, err
	}
	lines, ok := text.(*bufio.Reader)
	if !ok {
		lines = bufio.NewReaderSize(text, bufferSize)
	}
	return entries(lines), nil
}

// minHead is how much of a file is waited for, in bytes, if its first line does not end
// before.
const minHead = 64

// look gives the beginning without taking it, at least a line or minHead bytes; none
// with the error that ends the input.
func look(r *bufio.Reader) (head []byte, err error) {
	for len(head) < minHead && bytes.IndexByte(head, '\n') < 0 {
		_, err = r.Peek(len(head) + 1)
		if head, _ = r.Peek(r.Buffered()); err != nil {
			break
		}
	}
	if len(head) > 0 {
		return head, nil
	}
	return nil, err
}

// reader reads text and compressed members, one after the other in any order.
type reader struct {
	from       *bufio.Reader
	member     io.Reader // that is being read; nil: text, or not yet known
	form       *form     // of the member
	lineBegins bool      // what was read last ends a line
	err        error     // that has ended it
}

// Read is that of [io.Reader].
func (r *reader) Read(p []byte) (n int, err error) {
	for n == 0 && r.err == nil && len(p) > 0 {
		if r.member == nil {
			n, r.err = r.text(p)
			continue
		}
		var err error
		n, err = r.member.Read(p)
		switch {
		case errors.Is(err, io.EOF):
			r.member, r.lineBegins = nil, true
			r.err = skipZeros(r.from)
		case err != nil:
			r.err = r.form.broken(err)
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}

// text reads what is not compressed, or begins a member where a line might begin.
func (r *reader) text(p []byte) (int, error) {
	if _, err := r.from.Peek(1); err != nil {
		return 0, ended(err)
	}
	there := min(r.from.Buffered(), len(p))
	window, _ := r.from.Peek(there)
	if r.lineBegins {
		if f := compression(r.from, window); f != nil {
			var err error
			r.form = f
			if r.member, err = f.open(r.from); err != nil {
				return 0, f.broken(err)
			}
			return 0, nil
		}
	}
	if i := nextMember(window); i > 0 {
		window = window[:i]
	}
	n := copy(p, window)
	r.lineBegins = p[n-1] == '\n'
	_, err := r.from.Discard(n)
	return n, err
}

// ended is why a file has ended.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return &Broken{err}
}

// skipZeros leaves out the zeros that a tape or a disk may have put behind a member.
func skipZeros(from *bufio.Reader) error {
	for {
		b, err := from.ReadByte()
		if err != nil {
			return ended(err)
		}
		if b != 0 {
			return from.UnreadByte()
		}
	}
}
