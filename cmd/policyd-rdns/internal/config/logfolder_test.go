package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogFolderWarning: configtest and the daemon say so of a real folder.
func TestLogFolderWarning(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o777: true, 0o777 | os.ModeSticky: true, 0o700: false} {
		folder := t.TempDir()
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		conf, err := Parse("log.toml", fmt.Appendf(nil, "[log]\nfile = %q\n", filepath.Join(folder, "decisions.log")))
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, w := range conf.Warnings { // which the daemon tells at its start
			if strings.Contains(w.Error(), "the folder "+folder+" may be written to by everybody") && strings.HasPrefix(w.Error(), "log.toml:2: ") {
				told++
			}
		}
		if (told == 1) != want || told > 1 {
			t.Errorf("%v: %d warnings among %q", mode, told, conf.Warnings)
		}
	}
}
