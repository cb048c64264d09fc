package sqlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

// TestFullDisk: with a disk that is full saving fails until there is room, and what was
// saved before is read.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs root, to mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	s := Open(filepath.Join(folder, "history.db"), options())
	defer s.Close()
	storetest.Save(t, s, storetest.Known("a:192.0.2.1", now))
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 750_000), 0o600); err != nil {
		t.Fatal(err)
	}
	many := make([]history.Stored, 2500)
	for i := range many {
		many[i] = storetest.Known(storetest.Number(i), now)
	}
	if err := s.Save(storetest.Bounded(t), many); err == nil {
		t.Fatal("Save works without room")
	}
	if _, err := s.Key(storetest.Bounded(t)); err == nil {
		t.Error("Key does not see that there is hardly room")
	}
	if got := storetest.Load(t, s, "a:192.0.2.1"); got[0].Empty() {
		t.Error("what was saved is gone")
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT, "size=20m"); err != nil {
		t.Fatal(err)
	}
	storetest.Key(t, s)
	storetest.Save(t, s, many...)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
