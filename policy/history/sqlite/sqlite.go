// Package sqlite keeps the records of a history in a file of SQLite, for one daemon.
//
// # What it promises
//
// No file keeps a daemon from starting: Open touches nothing, and what is amiss is an
// error of Key, Load, Save and Delete until it is well. A file that is locked, read-only
// or on a full disk is waited for. One that is damaged (malformed, no database, of
// another version) is renamed to its name and ".damaged-" with the time, of which the
// last three are kept, and a new one is begun: the call that does so says so by its
// error, and the next one works. That waits as long as another process has the file open,
// as the old one has during an upgrade, and it never befalls a database of another
// program, nor a file of which merely a row is amiss: of that party nothing is known.
//
// Save is one transaction: all of it or nothing is in the file, and a daemon that is
// killed loses what it had not saved. The journal is a write-ahead log with
// synchronous=NORMAL, which is synced when it is written back and not at each
// transaction. What the kernel was given outlives the process, so kill -9 loses nothing
// that was saved; loss of power can lose what the kernel had not written yet, mostly half
// a minute, and never the file. Two processes may write at once, as records are merged
// within the transaction.
//
// No method takes longer than its context allows, even where the disk hangs: the call
// then ends behind. Load has a connection of its own and does not wait for Save.
//
// # The file
//
// It is made with mode 0600, and what SQLite puts beside it ("-wal", "-shm") has the same
// mode and owner, also if root opens it. An administrator reads it with sqlite3; times
// are seconds since 1970, 0 is never:
//
//	party (party TEXT PRIMARY KEY, first_contact, last_contact, first_pass, last_pass,
//	       returned, objected, last_objection INTEGER, deferrals BLOB, rank INTEGER)
//	meta  (one INTEGER, version INTEGER, key BLOB, parties INTEGER, checked INTEGER)
//
// The blob has a hash and a time for each deferral, four bytes each. The rank is the
// order in which parties go, which they do once they are over or too many: a few with
// each Save. Who can write the file can make strangers known and shorten defer_for, no
// more.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"policyd-rdns/policy/history"
)

// Options are those of a store. Of the zero value all but Settings is usable.
type Options struct {
	// Settings say when a record is over.
	Settings history.Settings
	// Limit is how many parties the file holds; 0: 2,000,000. Beyond it who never passed
	// goes first, the oldest first.
	Limit int
	// Now is the time; nil: history.Clock. Only what is over is told by it.
	Now func() time.Time
}

// defaultLimit is how many parties a file holds if nothing else is said.
const defaultLimit = 2_000_000

// Store is a file. Its methods may be called by several goroutines.
type Store struct {
	path     string // absolute
	o        Options
	existing bool // nothing is made, and nothing set aside

	// writing and reading are held by who uses the connection of that name and what is
	// below it. Who holds writing may take reading.
	writing, reading chan struct{}

	w       *conn
	inode   os.FileInfo // of the file that is open
	key     *history.Key
	trouble error     // of the last call that wrote; nil: none
	asideAt time.Time // when a file was set aside last

	r *conn

	tried   atomic.Bool // it was opened once, whether or not that worked
	open    atomic.Bool // it is, and may be read
	closed  atomic.Bool
	crashed atomic.Bool           // SQLite panicked: nobody knows what its state is
	cause   atomic.Pointer[error] // why the file that is open is damaged
}

var _ history.Store = (*Store)(nil)

var (
	errClosed  = errors.New("the store is closed")
	errNotOpen = errors.New("the file is not open")
	errCrashed = errors.New("SQLite failed, the file is not used until the daemon is started again")
)

// Open is a store in a file, which is opened or made by the first call that needs it.
// A relative path is one of the present folder.
func Open(path string, o Options) *Store {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	if o.Now == nil {
		o.Now = history.Clock()
	}
	return &Store{path: path, o: o, writing: make(chan struct{}, 1), reading: make(chan struct{}, 1)}
}

// OpenExisting is a store for a command that changes a file without a daemon. It makes no
// file and sets none aside, and it takes root or the owner of the file: nothing is left
// behind that is another's.
func OpenExisting(path string, o Options) *Store {
	s := Open(path, o)
	s.existing = true
	return s
}

// Shared reports false: only this daemon writes to it, but for moments of an upgrade.
func (s *Store) Shared() bool { return false }

// Key is the key of all hashes. It also opens the file, and proves that it can be
// written; after the disk was full, that there is room for more than a little.
func (s *Store) Key(ctx context.Context) (history.Key, error) {
	return call(ctx, s, s.writing, func() (key history.Key, err error) {
		err = s.change(ctx, func() error {
			key = *s.key
			return s.w.prove(ctx, full(s.trouble), history.MomentOf(s.o.Now()))
		})
		return key, err
	})
}

// Load reads the records of parties, in their order. It opens the file if nobody has
// tried to; once that has failed it fails at once until Key or Save has opened it.
func (s *Store) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	if !s.open.Load() {
		if s.tried.Load() {
			return nil, fmt.Errorf("%s: %w", s.path, s.notOpen())
		}
		if _, err := s.Key(ctx); err != nil {
			return nil, err
		}
	}
	return call(ctx, s, s.reading, func() ([]history.Record, error) {
		records, err := s.read(ctx, parties)
		if damaged(err) {
			s.fault(err)
		} else if err != nil && !passing(err) && s.r != nil {
			s.r.close()
			s.r = nil
		}
		return records, err
	})
}

// Save merges records into those that are there, all or none, and lets some parties go
// that are over or too many.
func (s *Store) Save(ctx context.Context, records []history.Stored) error {
	if len(records) == 0 {
		return nil
	}
	_, err := call(ctx, s, s.writing, func() (none struct{}, err error) {
		return none, s.change(ctx, func() error { return s.w.save(ctx, records, history.MomentOf(s.o.Now()), &s.o) })
	})
	return err
}

// Delete forgets parties, all or none.
func (s *Store) Delete(ctx context.Context, parties []history.Party) error {
	_, err := call(ctx, s, s.writing, func() (none struct{}, err error) {
		return none, s.change(ctx, func() error { return s.w.forget(ctx, parties) })
	})
	return err
}

// patience is how long Close waits for calls that hang.
const patience = 5 * time.Second

// Close ends the store: what the journal has is written back, and the side files go. It
// waits for calls that are under way, some seconds at most.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for _, turn := range []chan struct{}{s.writing, s.reading} {
		select {
		case turn <- struct{}{}: // for good
		case <-late.C:
			return fmt.Errorf("%s: a call still waits for the disk", s.path)
		}
	}
	_, err := guarded(s, func() (none struct{}, err error) { return none, s.shut() })
	return err
}

// call runs a function in its turn and behind, so that it may take longer than the
// context allows. What it returned is nobody's then.
func call[T any](ctx context.Context, s *Store, turn chan struct{}, f func() (T, error)) (none T, err error) {
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%s: %w", s.path, ctx.Err())
	}
	if s.closed.Load() {
		<-turn
		return none, errClosed
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-turn }()
		var r result
		r.value, r.err = guarded(s, f)
		done <- r
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return none, fmt.Errorf("%s: %w", s.path, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return none, fmt.Errorf("%s: %w", s.path, ctx.Err())
	}
}

// guarded runs a function, and makes an error of a panic, after which the store is of no
// use any more. SQLite is C that was translated to Go: what it trips over in a file that
// is damaged, or in a side file that someone cuts while it is mapped, is a panic here and
// would end the daemon.
func guarded[T any](s *Store, f func() (T, error)) (value T, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			s.crashed.Store(true)
			err = fmt.Errorf("%w: %v", errCrashed, p)
		}
	}()
	if s.crashed.Load() {
		return value, errCrashed
	}
	return f()
}

// change runs a function with the file open for writing, and keeps why it failed. It is
// called in the turn of writing.
func (s *Store) change(ctx context.Context, f func() error) (err error) {
	if err := s.ready(ctx); err != nil {
		s.trouble = err
		return err
	}
	err = f()
	switch {
	case err == nil:
		s.trouble = nil
		return nil
	case damaged(err):
		s.fault(err)
		s.reopen()
		err = s.setAside(err)
	case !passing(err):
		s.reopen()
	}
	s.trouble = err
	return err
}

// fault notes that the file that is open is damaged: it is not read any more, and the
// next call that writes sets it aside.
func (s *Store) fault(err error) {
	s.open.Store(false)
	s.cause.CompareAndSwap(nil, &err)
}

// notOpen is why the file is not read at present.
func (s *Store) notOpen() error {
	if cause := s.cause.Load(); cause != nil {
		return fmt.Errorf("%w: %w", errNotOpen, *cause)
	}
	return errNotOpen
}

// read is Load in the turn of reading.
func (s *Store) read(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	if !s.open.Load() {
		return nil, s.notOpen()
	}
	if s.r == nil {
		c, err := openHistory(ctx, s.path, modeWrite, readWait)
		if err != nil {
			return nil, err
		}
		s.r = c
	}
	return s.r.records(ctx, parties)
}
