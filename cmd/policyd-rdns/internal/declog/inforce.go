package declog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/policy/journal"
)

// Recent goes over the decisions of the log in force (see [InForce]) from since on, in
// order of time, until each returns false. each is called from one goroutine; a record is
// its to keep. Lines that cannot be read are passed over. The error is that of a log that
// is not there or cannot be read to its end, or of ctx.
func Recent(ctx context.Context, conf *config.Config, since time.Time, each func(*journal.Record) bool) error {
	return RecentAbout(ctx, conf, since, nil, each)
}

// RecentAbout is [Recent], of the decisions alone that a word is about; nil: of all.
func RecentAbout(ctx context.Context, conf *config.Config, since time.Time, w *Word, each func(*journal.Record) bool) error {
	logs, err := InForce(ctx, conf, since)
	if err != nil {
		return err
	}
	var broken error
	r := &journal.Reader{Inputs: logs.Inputs, Want: w.MayHold, OnDamage: func(d journal.Damage) {
		if b := (*logfile.Broken)(nil); errors.As(d.Err, &b) {
			broken = d
		}
	}}
	digest := func(l *journal.Line) (*journal.Record, bool) {
		if l.Request.Time.Before(since) || w.Roles(&l.Record) == 0 {
			return nil, false
		}
		record := l.Record
		return &record, true
	}
	for records, err := range journal.Read(ctx, r, digest) {
		if err != nil {
			return err
		}
		for _, record := range records {
			if !each(record) {
				return nil
			}
		}
	}
	return broken
}

// Decision is the decision with an id, of the whole log in force. It is an error if there
// is none.
func Decision(ctx context.Context, conf *config.Config, id string) (*journal.Record, error) {
	w, err := ParseWord(id)
	if err != nil {
		return nil, exit.Usage(errors.New("--id: want the id of a decision, as log and why print it"))
	}
	var found *journal.Record
	err = RecentAbout(ctx, conf, time.Time{}, w, func(r *journal.Record) bool {
		if r.ID == w.Text {
			found = r
		}
		return found == nil
	})
	switch {
	case found != nil:
		return found, nil
	case err != nil:
		return nil, err
	}
	where := conf.Log.File
	if where == "" {
		where = "the journal of " + unit
	}
	return nil, fmt.Errorf("no decision has the id %.40q in %s or what was rotated from it", w.Text, where)
}

// unit is the daemon's, whose messages the journal has.
const unit = "policyd-rdns"

// InForce finds the decision log of a configuration: its file, with those that logrotate
// has made of it, compressed or not, that can hold a decision since then; or, where
// decisions go to standard error, the journal of the unit policyd-rdns, which is read by
// journalctl. ctx ends that. A zero since is all there is.
//
// It is an error if there is no such file, or one of them cannot be read.
func InForce(ctx context.Context, conf *config.Config, since time.Time) (*Logs, error) {
	if conf.Log.File == "" {
		return ofJournal(ctx, since), nil
	}
	paths, err := rotated(conf.Log.File, since)
	if err != nil {
		return nil, fmt.Errorf("looking for the decision log: %w", err)
	}
	return Find(paths, nil)
}

// rotatedName is what logrotate puts behind a log's name, or before its extension: a
// number, or with dateext a date of digits. What compresses it adds its own.
const rotatedName = `[.-][0-9][0-9_T:-]*`

// compressedName ends the name of a log that was compressed.
const compressedName = `\.(?:gz|xz|zst|bz2)`

// rotated are a log and the older parts of it, as far as they were written to at since or
// later. The times of files are those of the last write; compressing keeps them.
func rotated(file string, since time.Time) ([]string, error) {
	folder, base := filepath.Split(file)
	ext := filepath.Ext(base)
	stem := regexp.QuoteMeta(strings.TrimSuffix(base, ext))
	older := regexp.MustCompile(`^(?:` + regexp.QuoteMeta(base) + rotatedName + `|` + stem + rotatedName + regexp.QuoteMeta(ext) + `)(` + compressedName + `)?$`)
	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		name := entry.Name()
		parts := older.FindStringSubmatch(name)
		if name != base && parts == nil {
			continue
		}
		info, err := os.Stat(folder + name) // of what a link leads to
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // rotated away just now
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular() && name != base:
			continue
		case name != base && info.ModTime().Before(since):
			continue
		case parts != nil && parts[1] != "" && half(folder+strings.TrimSuffix(name, parts[1])):
			continue
		}
		paths = append(paths, folder+name)
	}
	if len(paths) == 0 {
		return nil, &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
	}
	return paths, nil
}

// half reports whether a file is there beside its compressed one, which then is being
// written: it holds the same.
func half(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
