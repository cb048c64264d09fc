package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHealth asks a daemon that observes, by TCP and as its own user by a unix socket, and
// then nobody.
func TestHealth(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	folder := t.TempDir()
	path := filepath.Join(folder, "config.toml")
	writeConfig(t, path, dns, "unix:"+filepath.Join(folder, "socket"), "mode = \"observe\"\n")
	d := startDaemon(t, "serve", "-c", path)
	nagios := regexp.MustCompile(`^POLICYD_RDNS OK - observing, 0 decisions, 0 refused \| time=0\.\d{3}s;;;0;8 decisions=0c refused=0c lost=0c connections=1;;;0;2000\n$`)
	if status, stdout, stderr := callAsIs("", "health", "-c", path, "--nagios"); status != 0 || !nagios.MatchString(stdout) || stderr != "" {
		t.Errorf("health --nagios = %d, %q, %q", status, stdout, stderr)
	}
	if status, stdout, stderr := callAsIs("", "health", "-c", path); status != 0 || stdout != "well: observing, 0 decisions, 0 refused\n" || stderr != "" {
		t.Errorf("health = %d, %q, %q", status, stdout, stderr)
	}
	writeConfig(t, path, dns, "unix:"+filepath.Join(folder, "socket"), "mode = \"enforce\"\n")
	if status, stdout, _ := callAsIs("", "health", "-c", path, "--nagios"); status != 1 || !strings.HasPrefix(stdout, "POLICYD_RDNS WARNING - the configuration is not the one in force: ") {
		t.Errorf("another configuration: health --nagios = %d, %q", status, stdout)
	}
	d.stop(t)
	for args, want := range map[string]struct {
		status int
		stdout string
	}{
		"":                     {1, "not well: "},
		"--nagios":             {2, "POLICYD_RDNS CRITICAL - "},
		"--nagios -c /none.xx": {3, "POLICYD_RDNS UNKNOWN - reading the configuration"},
		"--nagios --unheard":   {3, ""},
		"--unheard":            {2, ""},
	} {
		status, stdout, _ := callAsIs("", append([]string{"health", "-c", path}, strings.Fields(args)...)...)
		if status != want.status || !strings.HasPrefix(stdout, want.stdout) {
			t.Errorf("nobody listens: health %s = %d, %q; want %d, %q", args, status, stdout, want.status, want.stdout)
		}
	}
}

// TestFirstLine: the first line of the log says whether anything is refused.
func TestFirstLine(t *testing.T) {
	for mode, want := range map[string]string{
		"observe": "observing: all is decided and logged, and nothing refused", "enforce": "enforcing",
	} {
		dns, _ := startWorld(t, plainZone)
		path := filepath.Join(t.TempDir(), "config.toml")
		writeConfig(t, path, dns, anyPort, fmt.Sprintf("mode = %q\n", mode))
		d := startDaemon(t, "serve", "-c", path)
		d.stop(t)
		if lines := d.logged(); !strings.Contains(lines[0], ", "+want+`" config=`) {
			t.Errorf("%s: the log begins with %s", mode, lines[0])
		}
	}
}
