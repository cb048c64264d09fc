package declog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
)

// lastLines is how many lines of a log that is followed are shown of before.
const lastLines = 10

// follower reads a file as it grows, and the one that takes its place.
type follower struct {
	done    <-chan struct{} // closed when nobody waits any more
	path    string
	file    *os.File
	ticker  *time.Ticker
	midLine bool // what was read last does not end a line
	turning bool // another file has taken this one's place
}

// follow opens a file before its last lines, or at its beginning if lines is
// less than 0. Reading waits at its end, until ctx ends.
func follow(ctx context.Context, path string, lines int) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := seekLines(file, lines); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &follower{done: ctx.Done(), path: path, file: file, ticker: time.NewTicker(tick)}, nil
}

// maxTail bounds how far the last lines go back, in bytes.
const maxTail = 256 << 10

// seekLines goes to the beginning of the last whole lines, if there are to be any.
func seekLines(file *os.File, lines int) error {
	head := make([]byte, 512)
	if n, _ := file.ReadAt(head, 0); logfile.Compressed(head[:n]) {
		return fmt.Errorf("%s is compressed, or no text: nobody goes on writing lines to it", file.Name())
	}
	info, err := file.Stat()
	if err != nil || lines < 0 {
		return err
	}
	begin := max(0, info.Size()-maxTail)
	tail := make([]byte, info.Size()-begin)
	n, err := file.ReadAt(tail, begin)
	if err != nil && err != io.EOF {
		return err
	}
	end := n
	for range lines + 1 {
		if end = bytes.LastIndexByte(tail[:end], '\n'); end < 0 {
			break
		}
	}
	if end < 0 && begin > 0 {
		end = bytes.IndexByte(tail[:n], '\n') // which may be the middle of a line
	}
	_, err = file.Seek(begin+int64(end+1), io.SeekStart)
	return err
}

// Read is that of [io.Reader]. It waits at the end of the file.
func (f *follower) Read(p []byte) (int, error) {
	for {
		n, err := f.file.Read(p)
		if n > 0 {
			f.turning = false
			f.midLine = p[n-1] != '\n'
			return n, nil
		}
		if err != io.EOF {
			return 0, err
		}
		turned, err := f.turn()
		if err != nil {
			return 0, err
		}
		if turned && f.midLine && len(p) > 0 {
			f.midLine = false
			p[0] = '\n'
			return 1, nil
		}
		if turned {
			continue
		}
		select {
		case <-f.done:
			return 0, io.EOF
		case <-f.ticker.C:
		}
	}
}

// turn goes to the file that is now at the path, if it is another, or to the
// beginning of one that was cut. The daemon writes to the old file until it is
// told to reopen its log: another look at that comes first.
func (f *follower) turn() (bool, error) {
	now, err := os.Stat(f.path)
	if err != nil {
		return false, nil // moved away, and the new one is not there yet
	}
	was, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	if os.SameFile(was, now) {
		f.turning = false
		at, err := f.file.Seek(0, io.SeekCurrent)
		if err != nil || now.Size() >= at {
			return false, err
		}
		_, err = f.file.Seek(0, io.SeekStart)
		return true, err
	}
	if !f.turning {
		f.turning = true
		return false, nil
	}
	next, err := os.Open(f.path)
	if err != nil {
		return false, nil // as above
	}
	f.turning = false
	_ = f.file.Close() // it was only read
	f.file = next
	return true, nil
}

// Close is that of [io.Closer].
func (f *follower) Close() error {
	f.ticker.Stop()
	return f.file.Close()
}
