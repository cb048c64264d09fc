package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// whyWords are words of each kind, by the golden file of the answer.
var whyWords = map[string]string{
	"address": "203.0.113.75", "network": "203.0.113.220/30", "network6": "2001:db8:66::/48", "name": "mail.broken-1.example",
	"organisation": "bigmail.example", "helo": "YLMF-PC", "mailbox": "anna.example@lottery.test", "id": "e13wu1p5",
	"hostile": "\x1b[31mred\x1b[0m", "null": "<>", "exempt": "partner.example",
}

// asExport is a log as journalctl -o export has it.
func asExport(log []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(log)) {
		fmt.Fprintf(&b, "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795176000000000\n_SYSTEMD_UNIT=policyd-rdns.service\nPRIORITY=6\nMESSAGE=%s\n", line)
	}
	return b.String()
}

// TestWhy asks about the recorded week, in a plain file, in rotated ones, in the journal
// and in an export of it: the answer is the same.
func TestWhy(t *testing.T) {
	longAlone(t)
	log := week.Record(t)
	dir := t.TempDir()
	lines := bytes.SplitAfter(log, []byte("\n"))
	part := func(from, to int) []byte { return bytes.Join(lines[from*len(lines)/4:to*len(lines)/4], nil) }
	files := map[string][]byte{
		"plain.log": log, "rotated.log": part(3, 4), "rotated.log.1": part(2, 3), "rotated.log.2.gz": testbed.Gzip(t, part(1, 2)),
		"rotated.log-20261117.gz": testbed.Gzip(t, part(0, 1)), "export": []byte(asExport(log)),
	}
	for name, text := range files {
		testbed.WriteFile(t, filepath.Join(dir, name), string(text))
	}
	conf := filepath.Join(dir, "config.toml")
	useJournalctl(t, string(log))
	for golden, word := range whyWords {
		ask := func(args ...string) string {
			status, stdout, stderr := call("", append([]string{"why", word, "--utc", "--since", "2026-11-16", "--until", "2026-11-23"}, args...)...)
			if status != 0 || stderr != "" {
				t.Errorf("why %q %v = %d, %q", word, args, status, stderr)
			}
			return strings.ReplaceAll(stdout, conf, "config.toml")
		}
		testbed.WriteFile(t, conf, fmt.Sprintf("[log]\nfile = %q\n", filepath.Join(dir, "plain.log")))
		plain := ask("-c", conf)
		compareGolden(t, filepath.Join("testdata/why", golden+".txt"), plain)
		testbed.WriteFile(t, conf, fmt.Sprintf("[log]\nfile = %q\n", filepath.Join(dir, "rotated.log")))
		if got := ask("-c", conf); got != plain {
			t.Errorf("why %q of rotated files:\n%s\nwant\n%s", word, got, plain)
		}
		testbed.WriteFile(t, conf, "")
		if got := ask("-c", conf); got != plain {
			t.Errorf("why %q of the journal:\n%s\nwant\n%s", word, got, plain)
		}
		if got := ask("-c", conf, "--file", filepath.Join(dir, "export")); got != withoutExplain(plain) {
			t.Errorf("why %q of an export:\n%s\nwant\n%s", word, got, withoutExplain(plain))
		}
	}
}

// withoutExplain leaves out what is said of the log in force alone.
func withoutExplain(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "All about the last one:") && !strings.Contains(line, "policyd-rdns explain --id") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestWhyUsage: what is wrong with a call, and what is told of nothing.
func TestWhyUsage(t *testing.T) {
	path, empty := testbed.TempLog(t, week.Line(nil)), testbed.TempLog(t, nil)
	for _, test := range []struct {
		args           string
		status         int
		stdout, stderr string // parts of them
	}{
		{"", 2, "", "why wants one address, network"},
		{"a b", 2, "", "why wants one address, network"},
		{"192.0.2.* --file LOG", 2, "", "192.0.2.0/24"},
		{"*.example.com --file LOG", 2, "", `write ".example.com"`},
		{"a --since lately --file LOG", 2, "", `--since "lately": want a time such as`},
		{"a --until lately --file LOG", 2, "", `--until "lately": want a time such as`},
		{"a --since today --until yesterday --file LOG", 2, "", "there is no time before that since --since"},
		{"a --file /nonexistent/log", 1, "", "stat /nonexistent/log: no such file"},
		{"a -c /nonexistent/config.toml", 1, "", "reading the configuration"},
		{"203.0.113.20 --since 2026-11-01 --file LOG", 0, "1 message; client address in 1.", ""},
		{"203.0.113.21 --utc --since 2026-11-01 --file LOG", 1, "Nothing about \"203.0.113.21\" since 2026-11-01 00:00:00. It was looked for as client\naddress, HELO in " + path + ".\nThe oldest decision there is of 2026-11-16 00:00:00.\n", ""},
		{"mail.example.org --file EMPTY", 1, "There is no decision at all.\n", ""},
		{"mail.example.org --file -", 1, "standard input.\n0 lines were read.\n", ""},
	} {
		status, stdout, stderr := call("", strings.Fields("why "+strings.NewReplacer("LOG", path, "EMPTY", empty).Replace(test.args))...)
		unwrapped := strings.ReplaceAll(stdout, "\n", " ")
		if status != test.status || !strings.Contains(unwrapped, strings.ReplaceAll(test.stdout, "\n", " ")) || !strings.Contains(stderr, test.stderr) || (stderr != "") != (test.stderr != "") {
			t.Errorf("why %s = %d, %q, %q; want %d, %q, %q", test.args, status, stdout, stderr, test.status, test.stdout, test.stderr)
		}
	}
}

// TestExplainID: a recorded decision by the rules in force.
func TestExplainID(t *testing.T) {
	dir := t.TempDir()
	log, conf := filepath.Join(dir, "decisions.log"), filepath.Join(dir, "config.toml")
	decided := func(id string) []byte {
		return week.Line(func(r *journal.Record) {
			r.ID = id
			r.Request.HELO = "192.0.2.77"
			r.Facts = policy.NewFacts(&r.Request)
			r.Facts.Past.Asked, r.Facts.Past.DomainAsked = true, true
			r.Facts.PTR = resolver.None
			asked := r.Facts
			asked.Past = policy.Past{Asked: true, DomainAsked: true}
			r.Decision = config.Defaults().Rules.Judge(&r.Request, &asked)
			r.Decision.Checks[policy.CheckHistory] = policy.NotLearnt // as older logs are
			r.Reply = reply.Plain(&r.Request, &r.Facts, &r.Decision)
		})
	}
	testbed.WriteFile(t, log+".1", string(decided("e13wu1p5")))
	testbed.WriteFile(t, log, string(week.Line(nil)))
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(log+".1", old, old); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		rules, args string
		status      int
		want        []string
	}{
		{"", "--id e13wu1p5", 1, []string{
			"decision e13wu1p5 of 2026-11-1", "client 203.0.113.20  helo 192.0.2.77", "reject by rule \"HELO is a bare address\"",
			"by the rules in force now\n  the same: reject by rule \"HELO is a bare address\"\n", "policyd-rdns allow 203.0.113.20",
		}},
		{"[[rule]]\nname = \"HELO is a bare address\"\noff = true\n", "--id e13wu1p5", 1, []string{"by the rules in force now\n  another: reject by rule \"no reverse name\""}},
		{"defer_for = \"4h\"\n", "--id e13wu1p5", 1, []string{"by the rules in force now\n  another: defer by rule \"HELO is a bare address\", if what was not asked then (history, SPF) does not speak for the client"}},
		{"", "--id e13wu1p5 --json", 1, []string{`"now": {`, `"decided": "reject"`}},
		{"", "--id x", 0, []string{"decision x of"}},
		{"", "--id e13wu1p6", 1, []string{`no decision has the id "e13wu1p6" in `}},
		{"", "--id e13wu1p5 192.0.2.1", 2, []string{"wants no address"}},
		{"", "--id e13wu1p5 --helo a.example", 2, []string{"wants no --helo"}},
		{"", "", 2, []string{"wants one address, or --id"}},
	} {
		testbed.WriteFile(t, conf, fmt.Sprintf("%s\n[log]\nfile = %q\n", test.rules, log))
		status, stdout, stderr := call("", append([]string{"explain", "-c", conf}, strings.Fields(test.args)...)...)
		for _, want := range test.want {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("explain %s under %q tells %q, %q; want %q", test.args, test.rules, stdout, stderr, want)
			}
		}
		if status != test.status {
			t.Errorf("explain %s = %d; want %d", test.args, status, test.status)
		}
	}
}
