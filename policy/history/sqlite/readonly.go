package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"policyd-rdns/policy/history"
)

// ErrReadOnly is what a file gives that is only looked at.
var ErrReadOnly = errors.New("the file is open to read only")

// OpenReadOnly opens a file for a command that only looks, beside a daemon or without
// one. It changes nothing and leaves nothing behind, whoever runs it. Of a file that the
// daemon begins to write at this very moment it may say that it is damaged.
func OpenReadOnly(ctx context.Context, path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	r, err := openReader(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Reader is a file that is only looked at. Its methods are called one after the other.
type Reader struct {
	path   string
	c      *conn
	folder string // of the copy that is read; empty: there is none
}

var _ history.Store = (*Reader)(nil)

func openReader(ctx context.Context, path string) (*Reader, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	r := &Reader{path: path}
	journal, index := size(path+"-wal"), size(path+"-shm")
	file, mode := path, modeRead
	switch {
	case journal > 0 && index <= 0:
		// SQLite would make the index, and leave it: a copy is read. Nobody writes, or
		// there were one.
		folder, err := os.MkdirTemp("", "policyd-rdns-history-")
		if err != nil {
			return nil, err
		}
		r.folder = folder
		file, mode = filepath.Join(folder, "history.db"), modeWrite
		if err := errors.Join(copyFile(path, file), copyFile(path+"-wal", file+"-wal")); err != nil {
			r.Close()
			return nil, err
		}
	case journal < 0 || index < 0:
		mode = modeImmutable // nobody writes, and all is in the file
	}
	c, err := openHistory(ctx, file, mode, writeWait)
	if err != nil {
		r.Close()
		return nil, err
	}
	r.c = c
	return r, nil
}

// size is the size of a file; less than 0: there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// Key is the key of all hashes.
func (r *Reader) Key(ctx context.Context) (history.Key, error) {
	key, err := r.c.meta(ctx)
	if err != nil {
		return key, fmt.Errorf("%s: %w", r.path, err)
	}
	return key, nil
}

// Load reads the records of parties, in their order.
func (r *Reader) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	records, err := r.c.records(ctx, parties)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	return records, nil
}

// Save is ErrReadOnly.
func (r *Reader) Save(context.Context, []history.Stored) error { return ErrReadOnly }

// Delete is ErrReadOnly.
func (r *Reader) Delete(context.Context, []history.Party) error { return ErrReadOnly }

// Shared reports whether a daemon may write to it.
func (r *Reader) Shared() bool { return true }

// Close lets go of the file.
func (r *Reader) Close() error {
	var err error
	if r.c != nil {
		err = r.c.close()
	}
	if r.folder != "" {
		err = errors.Join(err, os.RemoveAll(r.folder))
	}
	return err
}

// Each gives every party with its record, in no order. A row that this version has not
// written is passed over.
func (r *Reader) Each(ctx context.Context, each func(history.Party, *history.Record)) error {
	all, err := r.c.prepare("SELECT party, " + columns + " FROM party")
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	defer all.s.Close()
	err = all.query(ctx, func(row []driver.Value) {
		name, isText := row[0].(string)
		if record, ok := decode(row[1:]); ok && isText {
			each(history.Party(name), &record)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	return nil
}

// Each gives every party with its record, as one who only looks at the file sees them.
func (s *Store) Each(ctx context.Context, each func(history.Party, *history.Record)) error {
	r, err := OpenReadOnly(ctx, s.path)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Each(ctx, each)
}
