package exempt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"policyd-rdns/policy"
)

func add(value string) func(*List) error {
	return func(l *List) error {
		return l.Add(&policy.Rule{Exempt: true, When: policy.Table{Subject{"client", value}.Entry()}})
	}
}

// TestUpdate writes a file that was not there, and again, by many at once.
func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exempt.toml")
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if err := Update(path, add(fmt.Sprintf("192.0.2.%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	l, err := Read(path)
	if err != nil || len(l.Rules) != 40 {
		t.Errorf("%d exemptions, %v; want 40", len(l.Rules), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("permissions %v, %v; want 0644", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Update(path, add("198.51.100.1")); err != nil {
		t.Error(err)
	}
	if info, err = os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v; want those of before, 0600", info.Mode(), err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestUpdateRefuses: nothing is written through a link, nor into what is damaged.
func TestUpdateRefuses(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link.toml")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged.toml")
	if err := os.WriteFile(damaged, []byte("[[exempt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		link: "is a symbolic link", damaged: "not TOML", dir: "no regular file",
		filepath.Join(dir, "gone", "x.toml"): "no such file or directory",
	} {
		if err := Update(path, add("192.0.2.1")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Update(%s) = %v; want %s", path, err, want)
		}
	}
	if text, err := os.ReadFile(target); err != nil || len(text) > 0 {
		t.Errorf("behind the link: %q, %v", text, err)
	}
}

// TestUpdateLeaves: a file that a change leaves as it is, is not written.
func TestUpdateLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exempt.toml")
	if err := Update(path, func(*List) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made for nothing")
	}
}
