package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"policyd-rdns/policy/history"
)

const (
	version = 1
	// applicationID tells our files from those of other programs; "rDNS".
	applicationID = 0x72444e53
	schema        = `
CREATE TABLE IF NOT EXISTS meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	version INTEGER NOT NULL,
	key BLOB NOT NULL,
	parties INTEGER NOT NULL,
	checked INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS probe (room BLOB) STRICT;
CREATE TABLE IF NOT EXISTS party (
	party TEXT PRIMARY KEY,
	first_contact INTEGER NOT NULL,
	last_contact INTEGER NOT NULL,
	first_pass INTEGER NOT NULL,
	last_pass INTEGER NOT NULL,
	returned INTEGER NOT NULL,
	objected INTEGER NOT NULL,
	last_objection INTEGER NOT NULL,
	deferrals BLOB,
	rank INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS party_rank ON party (rank);
PRAGMA application_id = 1917079123`
)

// How long SQLite waits for another process, if the context allows it.
const (
	writeWait = time.Second
	readWait  = 20 * time.Millisecond
)

const (
	asideMark  = ".damaged-"
	mostAside  = 3           // files that were set aside and are kept
	asideGap   = time.Minute // between two; a disk that fails pushes out nothing of worth
	asideStamp = "20060102T150405Z"
)

// writable is W_OK of access(2).
const writable = 2

// ready opens the file for writing, unless it is. One that was found damaged is set
// aside; one that is not at its path any more is let go.
func (s *Store) ready(ctx context.Context) error {
	if s.w != nil && s.cause.Load() == nil && !s.moved() {
		return nil
	}
	s.reopen()
	if s.cause.Load() == nil {
		err := s.openFile(ctx)
		s.tried.Store(true)
		if !damaged(err) {
			return err
		}
		s.fault(err)
		s.reopen()
	}
	return s.setAside(*s.cause.Load())
}

// moved reports whether the file that is open is not the one at its path.
func (s *Store) moved() bool {
	now, err := os.Stat(s.path)
	return err != nil || !os.SameFile(now, s.inode)
}

// openFile opens the file, and makes it where it is not there.
func (s *Store) openFile(ctx context.Context) error {
	if err := s.provide(); err != nil {
		return err
	}
	before, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return errors.New("is no regular file")
	}
	s.inode = before // also of one that is damaged
	// SQLite would open it all the same, and leave side files that nobody can write either.
	if err := syscall.Access(s.path, writable); err != nil {
		return fmt.Errorf("cannot be written: %w", err)
	}
	c, err := connect(ctx, s.path, modeWrite)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, c); err != nil {
		c.close()
		return err
	}
	s.w = c
	if s.moved() {
		s.reopen()
		return errors.New("was replaced while it was opened")
	}
	s.open.Store(true)
	return nil
}

// provide makes an empty file, of ours alone, where there is none. SQLite would make one
// that others may read.
func (s *Store) provide() error {
	if s.existing {
		return ownFile(s.path)
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// ownFile is an error unless what SQLite would put beside a file becomes its owner's.
func ownFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && me != 0 && me != int(owner.Uid) {
		return fmt.Errorf("belongs to user %d: run this as that user or as root", owner.Uid)
	}
	return nil
}

// begin makes the tables of a new file, and learns the key.
func (s *Store) begin(ctx context.Context, c *conn) error {
	// Of a file that is damaged all is checked that can be; WAL survives kill -9.
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA busy_timeout = %d", writeWait.Milliseconds()),
		"PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "PRAGMA mmap_size = 0",
	} {
		if err := c.exec(ctx, pragma); err != nil {
			return err
		}
	}
	empty, err := c.ours(ctx)
	if err != nil {
		return err
	}
	if empty && s.existing {
		return errors.New("is no history yet")
	}
	for _, pragma := range []string{
		"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA journal_size_limit = 16777216", "PRAGMA cache_size = -8192",
	} {
		if err := c.exec(ctx, pragma); err != nil {
			return err
		}
	}
	if empty {
		if err := s.create(ctx, c); err != nil {
			return err
		}
	}
	key, err := c.meta(ctx)
	if err != nil {
		return err
	}
	if err := c.prepareAll(); err != nil {
		return err
	}
	s.key = &key
	return nil
}

// create makes the tables. If another process does the same, the first one's key holds.
// After a file was damaged the key that was in use goes on: what is in memory was hashed
// with it.
func (s *Store) create(ctx context.Context, c *conn) (err error) {
	key := s.key
	if key == nil {
		key = new(history.Key)
		if _, err := rand.Read(key[:]); err != nil {
			return err
		}
	}
	if err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	for statement := range strings.SplitSeq(schema, ";\n") {
		if err := c.exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := c.exec(ctx, "INSERT OR IGNORE INTO meta VALUES (1, ?, ?, 0, 0)", int64(version), key[:]); err != nil {
		return err
	}
	return c.exec(ctx, "COMMIT")
}

// ours is an error unless the file is ours or empty.
func (c *conn) ours(ctx context.Context) (empty bool, err error) {
	tables, err := c.values(ctx, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return false, err
	}
	id, err := c.values(ctx, "PRAGMA application_id")
	switch {
	case err != nil:
		return false, err
	case len(id) == 1 && id[0] == int64(applicationID):
		return false, nil
	case len(tables) == 1 && tables[0] == int64(0):
		return true, nil
	}
	return false, errors.New("is a database of another program")
}

// meta gives the key of a file of this version.
func (c *conn) meta(ctx context.Context) (key history.Key, err error) {
	row, err := c.values(ctx, "SELECT version, key FROM meta WHERE one = 1")
	switch {
	case err != nil && code(err) == sqlError: // the table or a column is not there
		return key, damagef("has no key: %v", err)
	case err != nil:
		return key, err
	case len(row) != 2:
		return key, damagef("has no key")
	case row[0] != int64(version):
		return key, damagef("is of version %.20q; want %d", fmt.Sprint(row[0]), version)
	}
	blob, ok := row[1].([]byte)
	if !ok || len(blob) != len(key) {
		return key, damagef("has a key that is none")
	}
	return history.Key(blob), nil
}

// reopen closes the file for now.
func (s *Store) reopen() {
	s.reading <- struct{}{}
	defer func() { <-s.reading }()
	s.shut() // what it says is said again by the next call
}

// shut closes both connections. It is called in both turns.
func (s *Store) shut() error {
	s.open.Store(false)
	var errs []error
	for _, c := range []**conn{&s.r, &s.w} {
		if *c != nil {
			errs = append(errs, (*c).close())
			*c = nil
		}
	}
	return errors.Join(errs...)
}

// setAside renames a damaged file, and its journal with it, so that the next call begins
// a new one. It always returns an error, which says what was done or why it waits. The
// file is closed.
func (s *Store) setAside(cause error) error {
	if s.existing {
		s.cause.Store(nil)
		return fmt.Errorf("is damaged: %w", cause)
	}
	now := s.o.Now()
	if wait := asideGap - now.Sub(s.asideAt); wait > 0 && !s.asideAt.IsZero() {
		return fmt.Errorf("is damaged again, and set aside in %v: %w", wait.Round(time.Second), cause)
	}
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		s.cause.Store(nil) // another did it
		return cause
	}
	if err != nil {
		return fmt.Errorf("is damaged, and cannot be set aside: %w", errors.Join(cause, err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || s.inode == nil || !os.SameFile(info, s.inode) {
		s.cause.Store(nil) // another did it, and began a new one
		return cause
	}
	if err := alone(f); err != nil {
		return fmt.Errorf("is damaged, and not set aside: %w: %w", err, cause)
	}
	aside := s.path + asideMark + now.UTC().Format(asideStamp)
	if err := renameAll(s.path, aside); err != nil {
		return fmt.Errorf("is damaged, and cannot be set aside: %w", errors.Join(cause, err))
	}
	s.cause.Store(nil)
	s.asideAt = now
	removeOld(s.path)
	return fmt.Errorf("was damaged and is now %s, a new file is begun: %w", filepath.Base(aside), cause)
}

// alone is an error if another process has the file open, or is setting it aside. What
// it locks is free again when the file is closed.
func alone(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another process has it: %w", err)
	}
	// SQLite holds a lock on a file with a write-ahead log as long as it is open.
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
		return err
	}
	if lock.Type != syscall.F_UNLCK {
		return fmt.Errorf("process %d has it open", lock.Pid)
	}
	return nil
}

// renameAll renames a file and its journal; the index of the journal is made again.
func renameAll(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, os.ErrExist)
	}
	if err := os.Rename(from+"-wal", to+"-wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Remove(from + "-shm"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// removeOld removes files that were set aside, but for the last.
func removeOld(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	var aside []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+asideMark)
		if _, err := time.Parse(asideStamp, stamp); ok && err == nil {
			aside = append(aside, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	slices.Sort(aside)
	for _, old := range aside[:max(0, len(aside)-mostAside)] {
		os.Remove(old)
		os.Remove(old + "-wal")
	}
}
