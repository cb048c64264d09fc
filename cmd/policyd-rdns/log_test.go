package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// ruleActions are the actions of rules, as messages list them.
func ruleActions() string {
	var names []string
	for _, a := range policy.Actions(true) {
		names = append(names, a.String())
	}
	return plain.List(names, "or")
}

// compareGolden holds a text against a golden file; -update writes it.
func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Errorf("%s:%d (of %d lines, got %d): got\n%s\nwant\n%s", path, i+1, len(wantLines), len(gotLines),
				strings.Join(gotLines[min(i, len(gotLines)):min(i+3, len(gotLines))], "\n"),
				strings.Join(wantLines[min(i, len(wantLines)):min(i+3, len(wantLines))], "\n"))
			return
		}
	}
}

// TestLog prints the recorded week, and parts of it.
func TestLog(t *testing.T) {
	path := testbed.TempLog(t, week.Record(t))
	tests := []struct {
		golden string
		args   []string
	}{
		{"monday", []string{"--until", "2026-11-17"}},
		{"client", []string{"--client", "203.0.113.40/30", "--client", "2001:db8:66::1"}},
		{"name", []string{"--name", ".city.example"}},
		{"helo", []string{"--helo", "[203.0.113.70]", "--helo", "YLMF-PC.", "--until", "2026-11-17"}},
		{"sender", []string{"--sender", "<>", "--action", "dunno", "--recipient", "postmaster@"}},
		{"deferred", []string{"--action", "defer", "--since", "2026-11-19 12:00"}},
		{"rule", []string{"--rule", "TRIED ON HALF", "--since", "2026-11-18T00:00:00Z", "--until", "2026-11-19"}},
		{"id", []string{"--id", "e13wu1p5"}},
		{"id-json", []string{"--id", "e13wu1p5", "--json"}},
	}
	for _, test := range tests {
		args := append([]string{"log", "--utc", path}, test.args...)
		status, stdout, stderr := call("", args...)
		if status != 0 || stderr != "" {
			t.Errorf("log %v = %d, %q", test.args, status, stderr)
		}
		compareGolden(t, filepath.Join("testdata/log", test.golden+".txt"), stdout)
	}
}

func TestLogUsage(t *testing.T) {
	path := testbed.TempLog(t, nil)
	tests := []struct {
		args   string
		status int
		stderr string // a part of it
	}{
		{"--client 203.0.113.0/33 LOG", 2, `--client "203.0.113.0/33": want an address or a network`},
		{"--client 203.0.113.1/24 LOG", 2, "bits set beyond the prefix"},
		{"--name *.example.com LOG", 2, `--name "*.example.com": no wildcards: write ".example.com"`},
		{"--sender a@b@ LOG", 0, ""},
		{"--sender <a@b> LOG", 2, "--sender "},
		{"--recipient a*b LOG", 2, "--recipient "},
		{"--action accept LOG", 2, `--action "accept": want ` + ruleActions()},
		{"--action info LOG", 0, ""},
		{"--since lately LOG", 2, `--since "lately": want a time such as`},
		{"--since yesterday LOG", 0, ""},
		{"*.example.com LOG", 2, `"*.example.com": no wildcards`},
		{"-f -c none.toml", 1, "none.toml"},
		{"192.0.2.1 LOG", 1, `nothing about "192.0.2.1"`},
		{"192.0.2.1 example.com LOG", 1, `nothing about "192.0.2.1" or "example.com": "policyd-rdns why" tells`},
		{"--until -2h LOG", 2, "--until"},
		{"--since 2h --until 09:30 LOG", 0, ""},
		{"--since 7d LOG", 0, ""},
		{"LOG /nonexistent/log", 1, "stat /nonexistent/log: no such file"},
		{"-c /nonexistent/config.toml", 1, "reading the configuration"},
		{". LOG", 1, ". is a folder"},
		{"- -", 2, "standard input can be read once only"},
		{"-f LOG LOG", 2, "--follow wants one file, not 2"},
		{"--prot", 2, "unknown flag"},
	}
	for _, test := range tests {
		args := strings.Fields("log " + strings.ReplaceAll(test.args, "LOG", path))
		status, stdout, stderr := call("", args...)
		if status != test.status || stdout != "" || !strings.Contains(stderr, test.stderr) || test.status == 0 && stderr != "" {
			t.Errorf("log %s = %d, %q, %q; want %d, %q", test.args, status, stdout, stderr, test.status, test.stderr)
		}
	}
}

// TestLogWithoutFile: the configuration's, or standard input, or a hint.
func TestLogWithoutFile(t *testing.T) {
	line := string(week.Line(nil))
	path := testbed.TempLog(t, []byte(line+line))
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf("[log]\nfile = %q\n", path)), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, lines := range map[string]int{"-c " + config: 2, "": 1, "-": 1} {
		status, stdout, stderr := call(line, strings.Fields("log --json "+args)...)
		if status != 0 || stderr != "" || strings.Count(stdout, "\n") != lines {
			t.Errorf("log %s = %d, %q, %q; want %d lines", args, status, stdout, stderr, lines)
		}
	}
	// At a character device, which is taken for a terminal, the journal is read; and for
	// a word in any case.
	useJournalctl(t, line+line+line)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, test := range []struct {
		args  string
		lines int
	}{{"log --json --since 2026-11-01", 3}, {"log --json mail.example.com --since 2026-11-01", 3}, {"log --json mail.example.com --since 2026-11-01 -c " + config, 2}} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), strings.Fields(test.args), null, &stdout, &stderr)
		told := whichFile.ReplaceAllString(stderr.String(), "")
		if status != 0 || told != "" || strings.Count(stdout.String(), "\n") != test.lines {
			t.Errorf("%s = %d, %q, %q; want %d lines", test.args, status, stdout.String(), told, test.lines)
		}
	}
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"log", "-f"}, null, io.Discard, &stderr)
	if want := "journalctl -u policyd-rdns -o cat -f | policyd-rdns log -"; status != 2 || !strings.Contains(stderr.String(), want) {
		t.Errorf("log -f of the journal = %d, %q; want 2, %q", status, stderr.String(), want)
	}
}

// useJournalctl puts a program in the place of journalctl that prints a text.
func useJournalctl(t *testing.T, export string) {
	t.Helper()
	dir := t.TempDir()
	testbed.WriteFile(t, filepath.Join(dir, "export"), export)
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\ncat \"${0%/*}/export\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestLogReadsAll: compressed, rotated, in both formats and from the journal, a
// log is the same.
func TestLogReadsAll(t *testing.T) {
	longAlone(t)
	log := week.Record(t)
	_, want, _ := call("", "log", "--utc", testbed.TempLog(t, log))
	lines := bytes.SplitAfter(log, []byte("\n"))
	lines = lines[:len(lines)-1]
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	third := len(lines) / 3
	oldest, middle, newest := bytes.Join(lines[:third], nil), bytes.Join(lines[third:2*third], nil), bytes.Join(lines[2*third:], nil)
	var inJSON, exported, even, odd []byte
	exported = append(exported, "Started policyd-rdns.service.\n"...)
	hosts, at := 0, []byte(nil)
	for _, line := range lines {
		var err error
		if inJSON, err = journal.AppendJSON(inJSON, strings.TrimSpace(string(line))); err != nil {
			t.Fatal(err)
		}
		exported = append(exported, "Nov 23 09:00:00 mx policyd-rdns[123]: "...)
		exported = append(exported, line...)
		// Of decisions at the same time nobody knows which host's was first.
		if now, _, _ := bytes.Cut(line, []byte(" ")); !bytes.Equal(now, at) {
			hosts, at = hosts+1, now
		}
		if hosts%2 == 0 {
			even = append(even, line...)
		} else {
			odd = append(odd, line...)
		}
	}
	tests := []struct {
		about string
		stdin []byte
		files []string
	}{
		{"standard input", log, []string{"-"}},
		{"compressed on standard input", testbed.Gzip(t, log), nil},
		{"rotated", nil, []string{write("d.log", newest), write("d.log.1", middle), write("d.log.2.gz", testbed.Gzip(t, oldest))}},
		{"of two hosts", nil, []string{write("a.log", even), write("b.log", odd)}},
		{"JSON", nil, []string{write("d.json", inJSON)}},
		{"both formats", inJSON[:bytes.LastIndexByte(inJSON[:len(inJSON)/2], '\n')+1], []string{"-", write("rest.log", log[bytes.Index(log, nthID(inJSON)):])}},
		{"the journal", exported, []string{"-"}},
	}
	for _, test := range tests {
		status, got, stderr := call(string(test.stdin), append([]string{"log", "--utc"}, test.files...)...)
		if status != 0 || stderr != "" {
			t.Errorf("%s: log = %d, %q", test.about, status, stderr)
		}
		if got != want {
			t.Errorf("%s: %d lines, not those of the plain log", test.about, strings.Count(got, "\n"))
		}
	}
}

// nthID is the time, in logfmt, of the first line of the second half of a log
// in JSON.
func nthID(log []byte) []byte {
	rest := log[bytes.LastIndexByte(log[:len(log)/2], '\n')+1:]
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	var fields struct{ Time string }
	_ = json.Unmarshal(line, &fields)
	return []byte("time=" + fields.Time)
}

// TestLogDamaged: what cannot be read is named, the first few times, and
// nothing else is lost.
func TestLogDamaged(t *testing.T) {
	line := week.Line(nil)
	var log []byte
	for i := range 20 {
		log = append(log, line...)
		if i%2 == 1 {
			log = append(log, line[:100+i]...)
			log = append(log, '\n')
		}
	}
	path := testbed.TempLog(t, log)
	status, stdout, stderr := call("", "log", "--json", path)
	if status != 0 || strings.Count(stdout, "\n") != 20 {
		t.Errorf("log = %d, %d lines; want 0, 20", status, strings.Count(stdout, "\n"))
	}
	told := strings.Split(strings.TrimSpace(stderr), "\n")
	if want := "policyd-rdns: " + path + ":3: "; len(told) != 6 || !strings.HasPrefix(told[0], want) {
		t.Errorf("it tells %q; want 6 lines, the first %s…", told, want)
	}
	if want := "policyd-rdns: and 5 more damaged lines; all were passed over"; told[len(told)-1] != want {
		t.Errorf("it tells %q at last; want %q", told[len(told)-1], want)
	}
	// A file that ends too early.
	short := testbed.Gzip(t, bytes.Repeat(line, 5000))
	cut := testbed.TempLog(t, short[:len(short)-20])
	status, stdout, stderr = call("", "log", "--json", cut)
	if status != 1 || stdout == "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "its gzip data end in the middle") {
		t.Errorf("log of a cut file = %d, %d bytes, %q; want what can be read, and why that is not all", status, len(stdout), stderr)
	}
}

// TestLogHostile: nothing that a client or a log holds reaches the terminal as
// anything but text.
func TestLogHostile(t *testing.T) {
	evil := "\x1b[31m\u009b31m\r\n\x7f\u202e" + strings.Repeat("A", 400)
	line := week.Line(func(r *journal.Record) {
		q := &r.Request
		q.HELO, q.Sender, q.Recipient = evil, evil, evil
		r.Decision = policy.Decision{Decided: policy.Reject, Action: policy.Reject, Rule: evil, Would: []policy.Ruling{{Action: policy.Reject, Rule: evil}}}
		r.Reply = "550 5.7.1 " + evil
		r.Facts.Errors = []resolver.LookupError{{About: evil, Reason: evil}}
		r.Facts.Names = []policy.Name{{Name: evil}}
	})
	raw := bytes.ReplaceAll(line, []byte(`\u001b[31m`), []byte("\x1b]0;\x7f")) // as another program writes
	noAddress := week.Line(func(r *journal.Record) { r.Request.Client, r.Request.ClientText = netip.Addr{}, evil })
	for _, args := range [][]string{{"log", "-"}, {"log", "--json", "-"}} {
		status, stdout, stderr := call(string(line)+string(raw)+string(noAddress)+"time=\x1b[31m\n", args...)
		if status != 0 || stdout == "" || stderr == "" {
			t.Errorf("%v = %d, %q, %q", args, status, stdout, stderr)
		}
		for _, c := range stdout + stderr {
			if c != '\n' && (c < ' ' || c > '~') {
				t.Errorf("%v prints %q:\n%q", args, c, stdout+stderr)
				break
			}
		}
	}
}
