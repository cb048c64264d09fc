// Package logwriter writes the lines of a log to a stream or a file that may be slow, full or
// rotated, without keeping those waiting who log: what cannot be written is counted, and told.
package logwriter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxPending bounds the bytes that wait for a disk or a pipe that does not take
// them. Beyond it lines are dropped and counted: no decision waits for its log
// line.
const maxPending = 8 << 20

// Writer writes lines to a stream or a file from a goroutine of its own, so
// that who logs never waits. It is safe for concurrent use.
type Writer struct {
	stream io.Writer
	onLoss func(Loss)

	mu      sync.Mutex
	pending []byte
	loss    lossState
	lost    uint64 // lines, ever
	lastErr error  // of the last write
	path    string // of the file; empty: the stream
	closed  bool

	wake chan struct{} // holds a token when there is something to write
	done chan struct{} // closed when the goroutine has ended

	writing sync.Mutex // held while out is written to or replaced
	file    *os.File   // nil: the stream
	midLine bool       // the last write ended within a line
}

// New writes to a stream, which is not closed in the end. onLoss is told of
// lines that are lost: at the first, then at most once a minute, and when writing
// works again, or ends. It may be nil, it must not wait for the Writer, and it
// may be called from several goroutines.
func New(stream io.Writer, onLoss func(Loss)) *Writer {
	w := &Writer{
		stream: stream,
		onLoss: onLoss,
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	go w.run()
	return w
}

// Open appends to a file from now on, which it creates, readable for owner and
// group, if need be; with an empty path it goes back to the stream. The same
// path again opens the file anew, as after a rotation. Lines that wait go where
// they would have gone. On an error all stays as it was. Once Close has been
// called, the error is [os.ErrClosed].
func (w *Writer) Open(path string) error {
	w.mu.Lock()
	before := w.path
	w.mu.Unlock()
	if path == "" && before == "" {
		return nil // without waiting for a stream that takes nothing
	}
	var file *os.File
	if path != "" {
		var err error
		if file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640); err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
	}
	w.flush(nil) // to where it was written for
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.ended() {
		if file != nil {
			_ = file.Close() // nothing was written to it
		}
		return fmt.Errorf("opening the log: %w", os.ErrClosed)
	}
	if w.file != nil {
		_ = w.file.Close() // what was written to it is the system's matter
	}
	w.file, w.midLine = file, file != nil && cutShort(file)
	w.mu.Lock()
	w.path = path
	w.mu.Unlock()
	return nil
}

// ended reports whether Close has been called.
func (w *Writer) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// cutShort reports whether the last line of a file is not whole: the disk was full, or
// the one who wrote it was killed. What cannot be read is taken to be well.
func cutShort(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	r, err := os.Open(file.Name())
	if err != nil {
		return false
	}
	defer r.Close()
	var last [1]byte
	_, err = r.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// out is where lines go. The caller holds writing.
func (w *Writer) out() io.Writer {
	if w.file == nil {
		return w.stream
	}
	return w.file
}

// Write takes one or more whole lines. It never fails and never waits for the
// disk; what is beyond the bound is dropped.
func (w *Writer) Write(lines []byte) (int, error) {
	if !w.take(lines) {
		w.lose(bytes.Count(lines, newline), errTooMany)
	}
	return len(lines), nil
}

// take puts lines with those that wait, if there is room.
func (w *Writer) take(lines []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return true // and nobody writes them: Close says so
	}
	if len(w.pending)+len(lines) > maxPending {
		return false
	}
	w.pending = append(w.pending, lines...)
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
	return true
}

var newline = []byte{'\n'}

// Close writes what is pending and closes the file, if one is open. Lines that
// come later are lost. It waits for the disk until ctx ends, and then leaves it:
// the error says so, and Close may be called again.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.wake)
	}
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
		return fmt.Errorf("log not written to its end: %w", ctx.Err())
	}
	w.mu.Lock()
	err := w.lastErr
	w.mu.Unlock()
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
		w.file = nil
	}
	return err
}

// linger is how long the Writer waits for more lines before it writes: one write
// of a hundred lines costs little more than one of a single line, each wait a
// timer, and nobody reads a log sooner.
const linger = 10 * time.Millisecond

func (w *Writer) run() {
	defer close(w.done)
	var batch []byte
	for range w.wake {
		time.Sleep(linger)
		batch = w.flush(batch)
	}
	w.flush(batch)
	w.endLoss(false)
}

// flush writes what is pending. It takes the last batch for the lines that come
// meanwhile and returns this one for the next time.
func (w *Writer) flush(last []byte) []byte {
	w.writing.Lock()
	w.mu.Lock()
	batch := w.pending
	w.pending = last[:0]
	w.mu.Unlock()
	if len(batch) == 0 {
		w.writing.Unlock()
		return batch
	}
	unwritten, err := w.write(batch)
	w.writing.Unlock()
	w.mu.Lock()
	w.lastErr = err
	w.mu.Unlock()
	if err != nil {
		w.lose(unwritten, err)
	} else {
		w.endLoss(true)
	}
	return batch
}

// write writes a batch and says how many of its lines were not written whole.
// The caller holds writing.
func (w *Writer) write(batch []byte) (unwritten int, err error) {
	if w.midLine {
		// A full disk cut a line short. The next must not be lost to it.
		if _, err := w.out().Write(newline); err != nil {
			return bytes.Count(batch, newline), err
		}
		w.midLine = false
	}
	n, err := w.out().Write(batch)
	if err == nil && n < len(batch) {
		err = io.ErrShortWrite // as io.Writer has to say itself
	}
	if err != nil {
		w.midLine = n > 0 && batch[n-1] != '\n'
	}
	return bytes.Count(batch[n:], newline), err
}
