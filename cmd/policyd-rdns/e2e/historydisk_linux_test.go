package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// smallDisk is a folder with a disk of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := testbed.WorkFolder(t)
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4m,mode=755"); err != nil {
		t.Skipf("needs root that may mount a small disk (tmpfs): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// TestHistoryFullDisk: there is no room for the file to grow, and then there is.
func TestHistoryFullDisk(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	folder := smallDisk(t)
	f := newHistoryFile(t, folder)
	ballast := filepath.Join(folder, "ballast")
	f.suffers(t, func() {
		out, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		for block := make([]byte, 4096); err == nil; {
			_, err = out.Write(block)
		}
	}, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHistoryReadOnly: nothing can be written where the file is, at first or later.
func TestHistoryReadOnly(t *testing.T) {
	t.Parallel()
	testbed.Long(t)
	folder := smallDisk(t)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	f := newHistoryFile(t, folder)
	remount(syscall.MS_RDONLY)
	rdns := f.serve(t)
	traffic := startTraffic(rdns.tcp)
	defer traffic.stop(t)
	rdns.process.await(t, "level=WARN", "the store does not answer", "read-only file system")
	traffic.more(t, 50)
	remount(0)
	rdns.process.await(t, "level=INFO", "the store answers again")
	f.learns(t, rdns, "203.0.113.101")
	traffic.stop(t)
	rdns.toldOnce(t)
	rdns.stopped(t)
	f.whole(t)
}
