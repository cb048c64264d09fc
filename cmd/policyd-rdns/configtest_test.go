package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
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
		args := []string{"configtest"}
		if file != "" {
			args = append(args, "-c", file)
		}
		_, first, stderr := call("", args...)
		printed := filepath.Join(t.TempDir(), "printed.toml")
		if err := os.WriteFile(printed, []byte(first), 0o600); err != nil {
			t.Fatal(err)
		}
		status, second, stderr2 := call("", "configtest", "-c", printed)
		if rules(first) != rules(second) || status != 0 || rules(first) == "" {
			t.Errorf("configtest -c %q, read back: %d %s%s\ngot:\n%s\nwant:\n%s", file, status, stderr, stderr2, second, first)
		}
	}
}

// rules cuts the first lines off, which tell where the rules come from.
func rules(printed string) string {
	_, rules, _ := strings.Cut(printed, "\n# 1\n")
	return rules
}

// TestConfigtestPassesWhatListens holds the two to each other: what configtest lets
// pass is listened on, and what is listened on passes.
func TestConfigtestPassesWhatListens(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), "")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{
		`listen = ["127.0.0.1:0"]`,
		`listen = ["[::ffff:127.0.0.1]:0"]`,
		`listen = ["127.0.0.1:0", "unix:DIR/s"]`,
		`listen = ["unix:DIR/s", "unix:DIR/t"]`,
		`listen = ["unix:DIR/s", "unix:DIR//s"]`,
		`listen = ["unix:DIR/s", "unix:DIR/folder/../s"]`,
		`listen = ["unix:DIR/none/s"]`,
		`listen = ["unix:DIR/file"]`,
		`listen = ["unix:DIR/file/s"]`,
		`listen = ["unix:DIR/folder"]`,
		`listen = ["unix:DIR/folder/"]`,
		`listen = ["unix:DIR/s/"]`,
		`listen = ["unix:DIR/` + strings.Repeat("x", 90) + `"]`,
		`listen = ["unix:DIR/` + strings.Repeat("x", 30) + `"]`,
		`listen = ["unix:s"]`,
		`listen = ["unix:"]`,
		`listen = ["localhost:0"]`,
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"no-such-group\"",
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"-1\"",
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"4294967295\"",
	} {
		conf, err := config.Parse("", []byte("[server]\n"+strings.ReplaceAll(server, "DIR", dir)))
		if err != nil {
			// Listening comes to the same, for one of the addresses at least.
			conf = config.Defaults()
			listening, group, _ := strings.Cut(strings.TrimPrefix(server, "listen = "), "\nsocket_group = ")
			conf.Server.SocketGroup = strings.Trim(group, `"`)
			conf.Server.Listen = nil
			for address := range strings.SplitSeq(strings.Trim(listening, "[]"), ", ") {
				conf.Server.Listen = append(conf.Server.Listen, strings.ReplaceAll(strings.Trim(address, `"`), "DIR", dir))
			}
		}
		listeners, refused := listen(conf, nil)
		for _, l := range listeners {
			l.Close()
		}
		if (err != nil) != (refused != nil) {
			t.Errorf("%.120s: configtest: %v; listening: %v; want both or neither", server, err, refused)
		}
	}
}
