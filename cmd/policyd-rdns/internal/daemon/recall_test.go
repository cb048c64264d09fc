package daemon

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogEnd: the end of the log from a line on, and of the file before it.
func TestLogEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "decisions.log")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := logEnd(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a log: %v", err)
	}
	write(file, "c\nd\n")
	if got, err := logEnd(file); string(got) != "c\nd\n" || err != nil {
		t.Errorf("one file: %q, %v", got, err)
	}
	write(file+".1", "a\nb\n")
	if got, err := logEnd(file); string(got) != "a\nb\nc\nd\n" || err != nil {
		t.Errorf("two files: %q, %v", got, err)
	}
	if got, _, err := tail(file+".1", 3); string(got) != "b\n" || err != nil {
		t.Errorf("cut off: %q, %v", got, err)
	}
	if got, _, err := tail(filepath.Dir(file), 3); len(got) > 0 || err != nil {
		t.Errorf("a folder: %q, %v", got, err)
	}
	long := strings.Repeat(strings.Repeat("x", 1023)+"\n", recalled>>10+10)
	write(file, long)
	if got, err := logEnd(file); err != nil || len(got) > recalled || len(got) < recalled-1024 || !bytes.HasPrefix(got, []byte("x")) {
		t.Errorf("a long log: %d bytes, %v", len(got), err)
	}
}
