package daemon

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/keyfile"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/casenumber"
)

// TestCaseKeys: the keys are those of the file, of the state folder, or of this run; and
// who needs none has none.
func TestCaseKeys(t *testing.T) {
	state := t.TempDir()
	t.Setenv("STATE_DIRECTORY", state)
	var log testbed.Log
	d := &Daemon{log: slog.New(slog.NewTextHandler(&log, nil))}
	a := casenumber.Case{Cause: casenumber.NoPTR, At: time.Now(), Client: netip.MustParseAddr("192.0.2.1")}
	keys := func(conf *config.Config) *casenumber.Keys {
		t.Helper()
		k, err := d.caseKeys(conf)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if k := keys(config.Defaults()); k != nil {
		t.Errorf("by default there are the keys %v; want none", k)
	}

	page := config.Defaults()
	page.Reply.Listen = "127.0.0.1:0"
	made := keys(page)
	file := filepath.Join(state, config.StateKeys)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key in the state folder: %v, %v; want a file of mode 0600", info, err)
	}
	if entries, err := os.ReadDir(state); err != nil || len(entries) != 1 {
		t.Errorf("the state folder holds %v, %v; want the key alone", entries, err)
	}
	if _, err := keys(page).Read(made.Make(a), time.Now()); err != nil {
		t.Errorf("after a restart: %v", err)
	}

	page.Reply.KeyFile = filepath.Join(t.TempDir(), "keys")
	if _, err := d.caseKeys(page); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without the file: %v; want an error", err)
	}
	testbed.WriteFile(t, page.Reply.KeyFile, "# the first makes\nkey-1-0123456789abcdef\n")
	own := keys(page)
	if _, err := own.Read(made.Make(a), time.Now()); err == nil {
		t.Error("a number of the state folder's key is one of the file's")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	testbed.WriteFile(t, page.Reply.KeyFile, "key-1-0123456789abcdef\n"+string(text))
	if _, err := keys(page).Read(made.Make(a), time.Now()); err != nil {
		t.Errorf("with the state folder's key as the second: %v", err)
	}

	// Where nothing can be kept, or what is there is none.
	page.Reply.KeyFile = ""
	for _, spoil := range []func(){
		func() { testbed.WriteFile(t, file, "short\n") },
		func() { t.Setenv("STATE_DIRECTORY", filepath.Join(state, "none")) },
	} {
		spoil()
		log.Reset()
		passing := keys(page)
		if passing == nil || !strings.Contains(log.String(), "a key that ends with this run") {
			t.Fatalf("the keys are %v; want some, and a warning: %s", passing, log.String())
		}
		if _, err := keys(page).Read(passing.Make(a), time.Now()); err != nil {
			t.Errorf("after a reload: %v", err)
		}
	}
}

// TestKeyFile: who makes a file of keys at the same time has the same.
func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	a := casenumber.Case{At: time.Now(), Client: netip.MustParseAddr("2001:db8::1")}
	numbers := make(chan string)
	for range 8 {
		go func() {
			k, err := keyfile.ReadOrMake(file)
			if err != nil {
				t.Error(err)
			}
			numbers <- k.Make(a)
		}()
	}
	first := <-numbers
	for range 7 {
		if n := <-numbers; n != first || n == "" {
			t.Errorf("one makes %q, another %q", first, n)
		}
	}
	testbed.WriteFile(t, file, strings.Repeat("#", 70<<10))
	if _, err := keyfile.Read(file); err == nil || err.Error() != "is longer than 64 KiB" {
		t.Errorf("of a long file: %v", err)
	}
}

// TestKeyFileOfRoot: what root makes in the folder of another user is his: the daemon runs
// as that.
func TestKeyFileOfRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	folder := t.TempDir()
	if err := os.Chown(folder, 1234, 1235); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "keys")
	if _, err := keyfile.ReadOrMake(file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 1234 || s.Gid != 1235 || info.Mode() != 0o600 {
		t.Errorf("the file is of %d:%d, mode %v; want 1234:1235, 0600", s.Uid, s.Gid, info.Mode())
	}
}
