package daemon

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
)

const (
	// recalled is how much of the end of the decision log is read again for the status
	// page, in bytes: more than it keeps.
	recalled = 16 << 20
	// recallTime is how long a start waits for it: a file may lie where it hangs.
	recallTime = 3 * time.Second
)

// recall has the status page know what it knew before a restart, from the end of the log,
// and of the file before its last rotation if that was just now. Where decisions go to the
// journal there is nothing to read.
func (d *Daemon) recall(ctx context.Context) {
	file := d.current.Load().conf.Log.File
	if d.watch == nil || file == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recallTime)
	defer cancel()
	type reading struct {
		text []byte
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		text, err := logEnd(file)
		read <- reading{text, err}
	}()
	select {
	case <-ctx.Done():
		d.log.Warn("the decision log could not be read in time: the status page begins anew", "file", file)
	case r := <-read:
		if r.err != nil {
			d.log.Warn("the decision log could not be read: the status page begins anew", "error", r.err)
			return
		}
		if n := d.watch.page.Recall(r.text); n > 0 {
			d.log.Info("the status page goes on from the decision log", "file", file, "decisions", n)
		}
	}
}

// logEnd is the end of a log, behind that of the file before it if there is room.
func logEnd(file string) ([]byte, error) {
	text, cut, err := tail(file, recalled)
	if err != nil || cut {
		return text, err
	}
	old, packed := logfile.Rotated(file)
	if packed || old == "" {
		return text, nil // what is packed is of long ago
	}
	before, _, err := tail(old, recalled-int64(len(text)))
	if err != nil {
		return text, nil // what is known is enough to go on with
	}
	return append(before, text...), nil
}

// tail is the end of a file, from the beginning of a line on if it is cut.
func tail(file string, most int64) (text []byte, cut bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, false, err
	}
	cut = info.Size() > most
	if cut {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return nil, cut, err
		}
	}
	text, err = io.ReadAll(io.LimitReader(f, most))
	if cut {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text, cut, err
}
