package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRotated(t *testing.T) {
	for _, tt := range []struct {
		files string // from the oldest to the newest
		want  string
	}{
		{"decisions.log", ""},
		{"decisions.log.2.gz decisions.log.1 decisions.log", "decisions.log.1"},
		{"decisions.log.1.gz decisions.log", "decisions.log.1.gz"},
		{"decisions.log.1.bz2 decisions.log.0.bz2 decisions.log", "decisions.log.0.bz2"},
		{"decisions.log-20261127.gz decisions.log-20261128 decisions.log", "decisions.log-20261128"},
		{"decisions.log.12 decisions.log.10.gz decisions.log.old decisions.log.1~ other.log.1 decisions.logs.1", ""},
	} {
		folder := t.TempDir()
		for i, name := range strings.Fields(tt.files) {
			path, at := filepath.Join(folder, name), time.Unix(int64(1e9+i), 0)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		want := tt.want
		if want != "" {
			want = filepath.Join(folder, want)
		}
		packed := strings.HasSuffix(want, ".gz") || strings.HasSuffix(want, ".bz2")
		if got, is := Rotated(filepath.Join(folder, "decisions.log")); got != want || is != packed {
			t.Errorf("of %s: %q, packed: %v; want %q, %v", tt.files, got, is, want, packed)
		}
	}
	if got, _ := Rotated(""); got != "" {
		t.Errorf("of no log: %q", got)
	}
}
