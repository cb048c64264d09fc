package inforce

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/ask"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestChoose: what is named, or else the usual file if it is there.
func TestChoose(t *testing.T) {
	dir := t.TempDir()
	there, gone, below := filepath.Join(dir, "config.toml"), filepath.Join(dir, "none"), filepath.Join(dir, "config.toml", "x")
	testbed.WriteFile(t, there, "")
	for _, tt := range []struct{ named, environment, usual, want string }{
		{"", "", there, there},
		{"", "", gone, ""},
		{"", "", below, ""},
		{"", "", dir + "/" + strings.Repeat("x", 300), dir + "/" + strings.Repeat("x", 300)}, // cannot be looked at
		{"none", "", there, ""},
		{"./none", "", there, "./none"},
		{"other.toml", "", there, "other.toml"},
		{gone, "", there, gone},
		{"", "env.toml", there, "env.toml"},
		{"", "none", there, ""},
		{"none", "env.toml", there, ""},
		{"other.toml", "env.toml", there, "other.toml"},
	} {
		if got := choose(tt.named, tt.environment, tt.usual); got != tt.want {
			t.Errorf("choose(%q, %q, %q) = %q; want %q", tt.named, tt.environment, tt.usual, got, tt.want)
		}
	}
}

// TestLoad tells which file was read, and of no daemon where none runs.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := testbed.TempFile(t, "config.toml", fmt.Sprintf("[server]\nlisten = [%q]\n", "unix:"+dir+"/socket"))
	var said bytes.Buffer
	conf, err := Load(t.Context(), path, &said)
	if err != nil {
		t.Fatal(err)
	}
	if want := "policyd-rdns: configuration " + path + " (" + conf.Hash + ")\n"; said.String() != want {
		t.Errorf("said %q; want %q", &said, want)
	}
	said.Reset()
	if conf, err = Load(t.Context(), None, &said); err != nil || conf.Path != "" || said.Len() > 0 {
		t.Errorf("none: %q, %v, said %q", conf.Path, err, &said)
	}
	if _, err := Load(t.Context(), filepath.Join(dir, "gone.toml"), &said); err == nil || said.Len() > 0 {
		t.Errorf("a file that is not there: %v, said %q", err, &said)
	}
}

// TestCompared has what is said of the running daemon.
func TestCompared(t *testing.T) {
	for _, tt := range []struct {
		running string
		err     error
		want    string
	}{
		{"09388c781a7e", nil, ", which is in force"},
		{"1\x1b[31m", nil, `, which is not in force: the daemon runs with 1?[31m`},
		{"", fmt.Errorf("x: %w", ask.ErrNobody), ""},
		{"", fmt.Errorf("x: %w", ask.ErrRefused), "; whether it is in force, only root may ask"},
		{"", errors.New("late"), "; whether it is in force is not known: late"},
	} {
		if got := compared("09388c781a7e", tt.running, tt.err); got != tt.want {
			t.Errorf("compared(%q, %v) = %q; want %q", tt.running, tt.err, got, tt.want)
		}
	}
}
