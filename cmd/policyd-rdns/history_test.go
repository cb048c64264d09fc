package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHistory asks a daemon what it remembers, and has it forget.
func TestHistory(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	folder := t.TempDir()
	path, socket := filepath.Join(folder, "config.toml"), filepath.Join(folder, "socket")
	writeConfig(t, path, dns, "unix:"+socket, "defer_for = \"4h\"\n")
	d := startDaemon(t, "serve", "-c", path)
	defer d.stop(t)
	conn, replies := dial(t, "unix", socket)
	for _, c := range [][3]string{{"203.0.113.20", "mail.example.com", "DUNNO"}, {"203.0.113.10", "mail.example.org", "DEFER_IF_PERMIT 4.7.1 your server [203.0.113.10] has no valid reverse DNS name"}} {
		if got, err := ask(conn, replies, c[0], c[1]); err != nil || !strings.HasPrefix(got, c[2]) {
			t.Fatalf("%s: %q, %v; want %s", c[0], got, err, c[2])
		}
	}
	// explain asks the daemon, too, and notes nothing: a client that it was asked about is
	// as new as before.
	for client, want := range map[string]string{"203.0.113.10": "objected to since", "203.0.113.20": "last pass", "203.0.113.11": ""} {
		_, stdout, stderr := call("", "explain", "-c", path, client, "--helo", "mail.example.com")
		if !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("explain %s: %s%s; want %q", client, stdout, stderr, want)
		}
	}
	for _, test := range []struct {
		args   string
		status int
		want   []string // parts of what it prints
	}{
		{"203.0.113.20", 0, []string{"203.0.113.20 (address): new\n", "\n  last contact ", "\n  last pass "}},
		{"example.com", 0, []string{"example.com (organisation): new\n"}},
		{"MAIL.example.com.", 0, []string{"mail.example.com (HELO name): new\n"}},
		{"203.0.113.10", 0, []string{"203.0.113.10 (address): new\n", "\n  objected since ", "\n  deferred for   1 message that may come again\n"}},
		{"203.0.113.11", 1, []string{"nothing is remembered of 203.0.113.11\n"}},
		{"203.0.113.10 --json", 0, []string{`"kind": "address"`, `"objected_since": "`}},
		{"--forget 203.0.113.10", 0, []string{"203.0.113.10: forgotten\n"}},
		{"--forget 203.0.113.10", 1, []string{"nothing was remembered of 203.0.113.10\n"}},
		{"203.0.113.10", 1, []string{"nothing is remembered"}},
	} {
		status, stdout, stderr := call("", append([]string{"history", "-c", path}, strings.Fields(test.args)...)...)
		for _, want := range test.want {
			if status != test.status || !strings.Contains(stdout, want) || stderr != "" {
				t.Errorf("history %s = %d, %s%s; want %d, %q", test.args, status, stdout, stderr, test.status, want)
			}
		}
		if strings.Contains(test.args, "--json") && !json.Valid([]byte(stdout)) {
			t.Errorf("history %s: %s", test.args, stdout)
		}
	}
}

// TestHistoryFile: postgrey's knowledge goes into a file without a daemon, and is shown and
// forgotten there; the daemon that then starts knows the rest.
func TestHistoryFile(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	folder := t.TempDir()
	last := time.Now().Add(-time.Hour).Unix()
	writeFile(t, filepath.Join(folder, "clients.dump"), fmt.Sprintf(
		"VERSION=3\nformat=print\ntype=btree\nHEADER=END\n 203.0.113.10\n 9,%d\n 203.0.113.11\n 9,%d\n 203.0.113.12\n 1,%d\nDATA=END\n", last, last, last))
	path, socket := filepath.Join(folder, "config.toml"), filepath.Join(folder, "socket")
	writeConfig(t, path, dns, "unix:"+socket, fmt.Sprintf("[history]\nstore = %q\n", filepath.Join(folder, "history.sqlite")))
	steps := func(all [][2]string) {
		t.Helper()
		for _, step := range all {
			_, stdout, stderr := call("", append([]string{"history", "-c", path}, strings.Fields(step[0])...)...)
			if !strings.Contains(stdout+stderr, step[1]) {
				t.Errorf("history %s: %s%s; want %q", step[0], stdout, stderr, step[1])
			}
		}
	}
	steps([][2]string{
		{"203.0.113.10", "no such file or directory"},
		{"--forget 203.0.113.10", "no such file or directory"},
		{"--import-postgrey " + folder, "3 parties taken over, of which 2 are known"},
		{"203.0.113.10", "203.0.113.10 (address): known until "},
		{"203.0.113.12", "203.0.113.12 (address): returned"},
		{"203.0.113.13", "nothing is remembered of 203.0.113.13"},
		{"--forget 203.0.113.10", "203.0.113.10: forgotten"},
		{"203.0.113.10", "nothing is remembered of 203.0.113.10"},
	})
	d := startDaemon(t, "serve", "-c", path)
	defer d.stop(t)
	steps([][2]string{{"203.0.113.10", "nothing is remembered of 203.0.113.10"}})
}

// TestHistoryUsage: what cannot be meant, and what cannot be told.
func TestHistoryUsage(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "whitelist_clients"), []byte("mail.example.org\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "config.toml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "[server]\nlisten = [\"unix:%s/socket\"]\n", folder), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args, want string
		status     int
	}{
		{"--forget", "--forget wants an address or a domain", 2},
		{"192.0.2.1 192.0.2.2", "history wants one address or domain", 2},
		{"--import-postgrey x 192.0.2.1", "--import-postgrey stands alone", 2},
		{"user@example.com", "want an address", 2},
		{"192.0.2.1", "no daemon runs here, and history.store is empty", 1},
		{"--import-postgrey " + folder, "name   = \"postgrey 1\"\nwhen   = { ptr_name = [\"mail.example.org\", \".mail.example.org\"] }\nwhy    = \"whitelist of postgrey\"\n", 0},
	} {
		status, stdout, stderr := call("", append([]string{"history", "-c", path}, strings.Fields(test.args)...)...)
		if status != test.status || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("history %s = %d, %s%s; want %d, %q", test.args, status, stdout, stderr, test.status, test.want)
		}
	}
}
