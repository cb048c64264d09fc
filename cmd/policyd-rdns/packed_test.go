package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
)

// packers are the programs that pack logs away, as logrotate calls them.
var packers = []struct{ name, debianPackage string }{
	{"gzip", "gzip"}, {"bzip2", "bzip2"}, {"xz", "xz-utils"}, {"zstd", "zstd"},
}

// packWith packs a text with a program.
func packWith(t *testing.T, program string, text []byte) []byte {
	t.Helper()
	cmd := exec.Command(program, "-c")
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return out
}

// logCommands are the commands that read logs, each with the log and what it takes.
func logCommands(t *testing.T) map[string]struct {
	args []string
	log  []byte
} {
	t.Helper()
	config := testbed.TempFile(t, "new.toml", mailConfig(startServer(t, "$TTL 60\n")))
	decisions := bytes.Repeat(week.Line(nil), 300)
	var mail strings.Builder
	for i := range 300 {
		mail.WriteString(accepted(fmt.Sprintf("5A1B%X", i), "unknown[203.0.113.10]", ""))
	}
	return map[string]struct {
		args []string
		log  []byte
	}{
		"log":              {[]string{"log", "--utc", "--json"}, decisions},
		"report":           {[]string{"report", "--utc", "--json"}, decisions},
		"replay":           {[]string{"replay", "--utc", "--json", "-c", config}, decisions},
		"replay --postfix": {[]string{"replay", "--postfix", "--utc", "-c", config}, []byte(mail.String())},
	}
}

// TestPackedLogs: whatever a log was packed with, and whatever it is called, every
// command reads it, as a file and from standard input, also with more of it behind.
func TestPackedLogs(t *testing.T) {
	longAlone(t)
	commands := logCommands(t)
	for _, p := range packers {
		t.Run(p.name, func(t *testing.T) {
			program := needProgram(t, p.name, p.debianPackage)
			for name, c := range commands {
				_, want, _ := call("", append(c.args, testbed.TempLog(t, c.log))...)
				packed := packWith(t, program, c.log)
				half := bytes.LastIndexByte(c.log[:len(c.log)/2], '\n') + 1
				halves := append(packWith(t, program, c.log[:half]), packWith(t, program, c.log[half:])...)
				mixed := append(bytes.Clone(c.log[:half]), packWith(t, program, c.log[half:])...)
				for about, data := range map[string][]byte{"one": packed, "two": halves, "half of it": mixed} {
					for _, path := range []string{testbed.TempLog(t, data), "-"} {
						stdin := ""
						if path == "-" {
							stdin = string(data)
						}
						status, stdout, stderr := call(stdin, append(c.args, path)...)
						if status != 0 || stderr != "" || stdout != want {
							t.Errorf("%s of %s, %s: %d, %q, %d bytes; want 0 and %d bytes", name, about, path, status, stderr, len(stdout), len(want))
						}
					}
				}
			}
		})
	}
}

// TestLogsNotRead: a log that cannot be read, or not to its end, is said once by name,
// and the status says that what was made is not all.
func TestLogsNotRead(t *testing.T) {
	gzip := needProgram(t, "gzip", "gzip")
	for name, c := range logCommands(t) {
		good := testbed.TempLog(t, c.log)
		packed := packWith(t, gzip, c.log)
		cut := testbed.TempLog(t, packed[:len(packed)-30])
		status, stdout, stderr := call("", append(c.args, good, cut)...)
		if status != 1 || stdout == "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, cut+":") ||
			!strings.Contains(stderr, "its gzip data end in the middle") {
			t.Errorf("%s with a file that was cut: %d, %d bytes, %q; want 1, what there is, and one complaint", name, status, len(stdout), stderr)
		}
		other := filepath.Join(t.TempDir(), "old.lz4")
		writeFile(t, other, "\x04\x22\x4d\x18\x64\x40\xa7")
		journal := filepath.Join(t.TempDir(), "system.journal")
		writeFile(t, journal, "LPKSHHRH\x00\x00\x00\x00")
		status, stdout, stderr = call("", append(c.args, good, other, journal)...)
		if status != 1 || stdout != "" || strings.Count(stderr, other+" is compressed with lz4") != 1 || !strings.Contains(stderr, "journalctl -o short-iso-precise --file "+journal) {
			t.Errorf("%s with files that are not read: %d, %q, %q; want 1, nothing, and both named", name, status, stdout, stderr)
		}
		status, _, stderr = call("\x04\x22\x4d\x18\x64\x40\xa7", append(c.args, "-")...)
		if status != 1 || !strings.Contains(stderr, "standard input is compressed with lz4") {
			t.Errorf("%s of standard input that is not read: %d, %q; want 1, and that it is", name, status, stderr)
		}
		empty := testbed.TempLog(t, nil)
		_, want, _ := call("", append(c.args, good)...)
		if status, stdout, stderr := call("", append(c.args, good, empty)...); status != 0 || stdout != want || stderr != "" {
			t.Errorf("%s with an empty file: %d, %q; want as without", name, status, stderr)
		}
	}
}
