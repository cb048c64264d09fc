package declog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// lineAt is a line of a log.
func lineAt(id string, at time.Time) string {
	r := recordOf(id, "192.0.2.1", "", "mail.example.org", "a@example.org", "b@example.com")
	r.Request.Time = at
	return string(journal.Logfmt.Append(nil, &r))
}

// writeAt writes a file that was written last at a time.
func writeAt(t *testing.T, path string, text []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// recent lists the ids of decisions.
func recent(t *testing.T, conf *config.Config, since time.Time, word string) (ids []string, err error) {
	t.Helper()
	var w *Word
	if word != "" {
		if w, err = ParseWord(word); err != nil {
			t.Fatal(err)
		}
	}
	err = RecentAbout(t.Context(), conf, since, w, func(r *journal.Record) bool {
		ids = append(ids, r.ID)
		return true
	})
	return ids, err
}

// TestRecent: the log with its rotated parts, the oldest first, and of these only what can
// hold the period.
func TestRecent(t *testing.T) {
	dir := t.TempDir()
	at := func(days int) time.Time { return noon.AddDate(0, 0, -days) }
	conf := config.Defaults()
	conf.Log.File = filepath.Join(dir, "decisions.log")
	for name, file := range map[string]struct {
		days int
		gzip bool
	}{
		"decisions.log": {0, false}, "decisions.log.1": {1, false}, "decisions.log.2.gz": {2, true},
		"decisions.log-20261117": {3, false}, "decisions-20261116.log.gz": {4, true}, "decisions.5.log": {5, false},
		"decisions.log.9.gz": {9, true},
		// What is none of it.
		"decisions.log.1.gz": {1, true}, "decisions.log.bak": {1, false}, "decisions.log.old.gz": {1, true},
		"other.log.1": {1, false}, "decisions.log.1.swp": {1, false}, "xdecisions.log": {1, false},
	} {
		id := fmt.Sprintf("d%d", file.days)
		text := []byte(lineAt(id, at(file.days).Add(-time.Hour)) + "level=INFO msg=started\n" + lineAt(id+"late", at(file.days)))
		if file.gzip {
			text = testbed.Gzip(t, text)
		}
		writeAt(t, filepath.Join(dir, name), text, at(file.days))
	}
	if err := os.Mkdir(filepath.Join(dir, "decisions.log.3"), 0o700); err != nil {
		t.Fatal(err)
	}
	logs, err := InForce(t.Context(), conf, at(7))
	if err != nil || len(logs.Inputs) != 6 {
		t.Errorf("InForce gives %d logs, %v; want those 6 of 7 days", len(logs.Inputs), err)
	}
	ids, err := recent(t, conf, at(5), "")
	want := "d5late,d4,d4late,d3,d3late,d2,d2late,d1,d1late,d0,d0late"
	if got := strings.Join(ids, ","); got != want || err != nil {
		t.Errorf("of 5 days: %v, %v\nwant %s", got, err, want)
	}
	if ids, err := recent(t, conf, time.Time{}, ""); len(ids) != 14 || err != nil {
		t.Errorf("of all days: %d, %v; want 14", len(ids), err)
	}
	if ids, err := recent(t, conf, at(7), "d2"); !slices.Equal(ids, []string{"d2"}) || err != nil {
		t.Errorf("about an id: %v, %v", ids, err)
	}
	seen := 0
	if err := Recent(t.Context(), conf, at(7), func(*journal.Record) bool { seen++; return seen < 3 }); err != nil || seen != 3 {
		t.Errorf("stopped after 3: %d, %v", seen, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Recent(stopped, conf, at(7), func(*journal.Record) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	writeAt(t, conf.Log.File+".4.gz", testbed.Gzip(t, []byte(lineAt("broken", at(4))))[:40], at(4))
	if _, err := recent(t, conf, at(7), ""); err == nil || !strings.Contains(err.Error(), "decisions.log.4.gz") {
		t.Errorf("with a broken part: %v", err)
	}
	conf.Log.File = filepath.Join(dir, "none.log")
	if _, err := recent(t, conf, at(7), ""); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.log") {
		t.Errorf("without a log: %v", err)
	}
}

// useJournalctl puts a program in the place of journalctl: a script of the shell.
func useJournalctl(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dir
}

// TestRecentJournal: the journal is asked for the period, its errors are told, and it
// ends with whoever reads it.
func TestRecentJournal(t *testing.T) {
	conf := config.Defaults()
	dir := useJournalctl(t, `echo "$@" > "${0%/*}/args"; cat "${0%/*}/export"; echo "Hint: you see only your own" >&2`)
	writeAt(t, filepath.Join(dir, "export"), []byte("-- No entries --\n"+lineAt("a", noon.Add(-time.Second))+lineAt("b", noon)+lineAt("c", noon)), noon)
	if ids, err := recent(t, conf, noon, ""); strings.Join(ids, "") != "bc" || err != nil {
		t.Errorf("the journal gives %v, %v; want b, c", ids, err)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if want := "-u policyd-rdns -o cat --no-pager --since=@1795176000\n"; string(args) != want || err != nil {
		t.Errorf("journalctl %s; want %s", args, want)
	}

	useJournalctl(t, `printf '%s' "`+strings.ReplaceAll(strings.TrimSpace(lineAt("a", noon)), `"`, `\"`)+`"; echo; printf 'no\033[1m journal\nhere' >&2; exit 3`)
	ids, err := recent(t, conf, noon, "")
	if want := "journalctl: exit status 3: no?[1m journal here"; strings.Join(ids, "") != "a" || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a journal that fails: %v, %v; want a, %q", ids, err, want)
	}

	useJournalctl(t, `i=0; while echo '`+strings.TrimSpace(lineAt("a", noon))+`'; do :; done`)
	if err := Recent(t.Context(), conf, noon, func(*journal.Record) bool { return false }); err != nil {
		t.Errorf("an endless journal: %v", err)
	}

	t.Setenv("PATH", t.TempDir())
	if _, err := recent(t, conf, noon, ""); err == nil || !strings.Contains(err.Error(), "name the file that they end in") {
		t.Errorf("without journalctl: %v", err)
	}
}
