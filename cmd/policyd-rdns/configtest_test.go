package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConfigtest: every problem on standard error and status 1, or the rules, and
// then the warnings.
func TestConfigtest(t *testing.T) {
	const folder = "internal/config/testdata/"
	for _, test := range []struct {
		file   string
		status int
		prefix string // of every line on standard error
	}{
		{"badconfig/durations.toml", 1, folder + "badconfig/durations.toml:"},
		{"warnings/doubtful.toml", 0, "warning: " + folder + "warnings/doubtful.toml:"},
	} {
		status, stdout, stderr := call("", "configtest", "-c", folder+test.file)
		if status != test.status || (stdout == "") != (status != 0) || strings.Count(stderr, "\n") < 2 {
			t.Errorf("configtest %s = %d, %q, %q; want %d and several messages", test.file, status, stdout, stderr, test.status)
		}
		for line := range strings.Lines(stderr) {
			if !strings.HasPrefix(line, test.prefix) {
				t.Errorf("configtest %s: %s; want it to begin with %s", test.file, line, test.prefix)
			}
		}
	}
}

// TestPrintedRulesAreTheRules holds what configtest prints to what is in force:
// read back, it makes the same rules.
func TestPrintedRulesAreTheRules(t *testing.T) {
	for _, file := range []string{"", "internal/config/testdata/rules.toml"} {
		args := []string{"configtest", "--rules"}
		if file != "" {
			args = append(args, "-c", file)
		}
		_, first, stderr := call("", args...)
		printed := filepath.Join(t.TempDir(), "printed.toml")
		if err := os.WriteFile(printed, []byte(first), 0o600); err != nil {
			t.Fatal(err)
		}
		status, second, stderr2 := call("", "configtest", "--rules", "-c", printed)
		if rules(first) != rules(second) || status != 0 || rules(first) == "" {
			t.Errorf("configtest -c %q, read back: %d %s%s\ngot:\n%s\nwant:\n%s", file, status, stderr, stderr2, second, first)
		}
	}
}

// rules cuts comments off, which tell where the rules come from.
func rules(printed string) string {
	return strings.Join(slices.DeleteFunc(strings.SplitAfter(printed, "\n"), func(line string) bool { return strings.HasPrefix(line, "#") }), "")
}
