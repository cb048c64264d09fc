package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaries is the folder of the program under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if binaries, err = os.MkdirTemp("", "policyd-rdns-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(binaries)
		return m.Run()
	}())
}

// build builds the program, once, with the race detector if the tests have it.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaries, "policyd-rdns")
	args := []string{"build", "-o", path}
	if withRace {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "policyd-rdns/cmd/policyd-rdns")...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

// program is the program with arguments, not started yet. It ends with the
// test at the latest.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}
