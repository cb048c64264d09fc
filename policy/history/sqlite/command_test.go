package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

// TestReader: who only looks sees what was saved, beside a daemon, after one, and after
// one that was killed, and leaves nothing behind.
func TestReader(t *testing.T) {
	look := func(when, path string, want bool) {
		t.Helper()
		before := files(t, path)
		r, err := OpenReadOnly(storetest.Bounded(t), path)
		if err != nil {
			t.Errorf("%s: OpenReadOnly: %v", when, err)
			return
		}
		if key := storetest.Key(t, r); key == (history.Key{}) {
			t.Errorf("%s: the key is empty", when)
		}
		if got := storetest.Load(t, r, storetest.Number(77), storetest.Number(88)); got[0].Empty() == want || !got[1].Empty() {
			t.Errorf("%s: Load = %+v", when, got)
		}
		for what, err := range map[string]error{
			"Save": r.Save(storetest.Bounded(t), []history.Stored{storetest.Known(storetest.Number(88), now)}), "Delete": r.Delete(storetest.Bounded(t), []history.Party{storetest.Number(1)}),
		} {
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("%s: %s: %v", when, what, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: Close: %v", when, err)
		}
		if after := files(t, path); !slices.Equal(after, before) {
			t.Errorf("%s: there are %q; before %q", when, after, before)
		}
	}
	path := written(t, 10)
	look("without a daemon", path, false)
	daemon := start(t, "holder", path, 0)
	daemon.line()
	look("beside a daemon that has saved nothing", path, false)
	daemon.tell("77")
	daemon.expect("saved")
	look("beside a daemon", path, true)
	daemon.kill()
	look("after it was killed", path, true)
	if err := os.Remove(path + "-shm"); err != nil {
		t.Fatal(err)
	}
	look("without an index", path, true)
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "policyd-rdns-history-*")); err != nil || len(left) > 0 {
		t.Errorf("there are %q, %v", left, err)
	}
	s := opened(t, path, options())
	if got := storetest.Load(t, s, storetest.Number(77)); got[0].Empty() {
		t.Error("what a killed daemon had saved is gone after it was looked at")
	}
}

// TestReaderElsewhere: what is no history is an error of OpenReadOnly, and stays.
func TestReaderElsewhere(t *testing.T) {
	folder := t.TempDir()
	text, empty := filepath.Join(folder, "text"), filepath.Join(folder, "empty")
	for path, content := range map[string]string{text: strings.Repeat("# config\n", 1000), empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{text, empty, filepath.Join(folder, "none")} {
		if r, err := OpenReadOnly(storetest.Bounded(t), path); err == nil {
			r.Close()
			t.Errorf("OpenReadOnly(%s) works", filepath.Base(path))
		}
	}
	if left := files(t, text); len(left) != 2 {
		t.Errorf("there are %q", left)
	}
}

// TestForget: root removes a party of the daemon's file, and nothing that is left is
// root's; another user may not.
func TestForget(t *testing.T) {
	path := written(t, 10)
	s := OpenExisting(path, options())
	if os.Getuid() == 0 {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(storetest.Bounded(t), []history.Party{storetest.Number(1)}); err != nil {
		t.Fatal(err)
	}
	if got := storetest.Load(t, s, storetest.Number(1), storetest.Number(2)); !got[0].Empty() || got[1].Empty() {
		t.Errorf("Load after Delete = %+v", got)
	}
	mine, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, path) {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != mine.Sys().(*syscall.Stat_t).Uid {
			t.Errorf("%s belongs to another: %v, %v", name, info, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, path); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
	none := OpenExisting(filepath.Join(filepath.Dir(path), "none.db"), options())
	if err := none.Delete(storetest.Bounded(t), []history.Party{storetest.Number(1)}); !errors.Is(err, os.ErrNotExist) || len(files(t, path)) != 1 {
		t.Errorf("Delete in no file: %v; there are %q", err, files(t, path))
	}
	alter(t, path, func(b []byte) []byte { return b[:1000] })
	broken := OpenExisting(path, options())
	if err := broken.Delete(storetest.Bounded(t), []history.Party{storetest.Number(1)}); err == nil || len(files(t, path)) != 1 {
		t.Errorf("Delete in a damaged file: %v; there are %q", err, files(t, path))
	}
}

// TestForgetByAnother: who is neither root nor the owner is told so.
func TestForgetByAnother(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, for a user who is another")
	}
	path := written(t, 10)
	for _, name := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := os.Chmod(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	c := start(t, "reader", path, nobody)
	if got := c.line(); !strings.Contains(got, "belongs to user 0") {
		t.Errorf("Delete by another: %s", got)
	}
	c.expect("looked")
	c.end()
	if left := files(t, path); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
}

// childReader forgets, which it may not, and looks, which it may.
func childReader(path string, _ *bufio.Reader) error {
	ctx := context.Background()
	s := OpenExisting(path, options())
	fmt.Println(s.Delete(ctx, []history.Party{storetest.Number(1)}))
	r, err := OpenReadOnly(ctx, path)
	if err != nil {
		return err
	}
	if _, err := r.Load(ctx, []history.Party{storetest.Number(1)}); err != nil {
		return err
	}
	fmt.Println("looked")
	return errors.Join(s.Close(), r.Close())
}
