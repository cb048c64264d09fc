package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// TestReport compares whole reports on the recorded week with golden files;
// -update writes them.
func TestReport(t *testing.T) {
	log := testbed.TempLog(t, week.Record(t))
	goldens, err := filepath.Abs("testdata/report")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // so that messages have short names of files
	tests := []struct {
		golden string
		config string
		args   string
	}{
		{"week.txt", week.Config, "--top 0"},
		{"week.json", week.Config, "--json --top 0"},
		{"week.html", week.Config, "--html -"},
		{"monday.txt", week.Config, "--until 2026-11-17 --top 5"},
		{"builtin.txt", "", "--top 3 --since 2026-11-20T00:00:00Z"},
	}
	for _, test := range tests {
		if err := os.WriteFile("config.toml", []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"report", "--utc", "-c", "config.toml", log}, strings.Fields(test.args)...)
		status, stdout, stderr := call("", args...)
		if status != 0 || stderr != "" {
			t.Errorf("report for %s = %d, %q; want 0", test.golden, status, stderr)
		}
		compareGolden(t, filepath.Join(goldens, test.golden), stdout)
	}
}

// reported is what the tests read of a report as JSON.
type reported struct {
	Lines    struct{ Decisions, Damaged int }
	Total    struct{ Decisions, Messages int }
	Outcomes map[string]struct{ Decisions int }
	Times    []struct {
		Outcomes map[string]struct{ Decisions int }
	}
	Rules []struct {
		Name      string
		Observed  bool
		Decisions int
	}
	Wanted     struct{ List, Unsure []reportedClient }
	Networks   struct{ List []struct{ Decisions int } }
	Silent     []string
	Exemptions []struct {
		Rule                      string
		Unless                    int
		Spared, Needless, Unknown int
	}
	Config struct{ Made []struct{ Hash string } }
}

// reportedClient is a client that was probably wanted, or of whom that cannot be told.
type reportedClient struct {
	Client         string
	Also           []string
	Evidence       []struct{ Text string }
	Against, Allow []string
	Paste          string
}

// reportOn is the report on a log under a configuration.
func reportOn(t *testing.T, log []byte, config string, args ...string) reported {
	t.Helper()
	args = append([]string{"report", "--json", "--top", "0", "-c", testbed.TempFile(t, "config.toml", config), "-"}, args...)
	status, stdout, stderr := call(string(log), args...)
	var r reported
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != 0 || stderr != "" {
		t.Fatalf("%v = %d, %q, %v", args, status, stderr, err)
	}
	return r
}

func recordsOf(t *testing.T, log []byte) []journal.Record {
	t.Helper()
	var records []journal.Record
	for line := range bytes.Lines(log) {
		r, err := journal.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// TestReportTotals: whatever is counted, it comes to the number of the
// decisions.
func TestReportTotals(t *testing.T) {
	longAlone(t)
	for _, config := range []string{week.Config, "mode = \"observe\"\n" + week.Config, "[resolver]\nservers = [\"192.0.2.53\"]\n"} {
		log := week.RecordUnder(t, config)
		r := reportOn(t, log, config)
		want := bytes.Count(log, []byte("\n"))
		outcomes, times, rules, networks := 0, 0, 0, 0
		for _, o := range r.Outcomes {
			outcomes += o.Decisions
		}
		for _, b := range r.Times {
			for _, o := range b.Outcomes {
				times += o.Decisions
			}
		}
		for _, rule := range r.Rules {
			if !rule.Observed {
				rules += rule.Decisions
			}
		}
		for _, n := range r.Networks.List {
			networks += n.Decisions
		}
		unobserved := 0
		for _, one := range recordsOf(t, log) {
			if one.Decision.Action == one.Decision.Decided {
				unobserved++
			}
		}
		if r.Total.Decisions != want || outcomes != want || times != want || rules != unobserved || networks != want-r.Outcomes["passed"].Decisions {
			t.Errorf("of %d decisions %d: %d by outcome, %d by time, %d of %d by rule, %d refused ones by network of %d",
				want, r.Total.Decisions, outcomes, times, rules, unobserved, networks, want-r.Outcomes["passed"].Decisions)
		}
	}
}

// TestReportWanted holds the list of clients that were probably wanted to who
// they are: none that nobody wants is among them, and most of the others are. Those of
// whom only somebody who looks can tell are there, or among those to be looked at, with
// what speaks for them and against.
func TestReportWanted(t *testing.T) {
	longAlone(t)
	log := week.Record(t)
	told := reportOn(t, log, week.Config).Wanted
	listed, unsure := addressesOf(told.List), addressesOf(told.Unsure)
	for _, w := range slices.Concat(told.List, told.Unsure) {
		if len(w.Evidence) == 0 || len(w.Against) == 0 {
			t.Errorf("%s: for it %v, against it %v; want both", w.Client, w.Evidence, w.Against)
		}
	}
	refusals := map[netip.Addr]int{}
	for _, r := range recordsOf(t, log) {
		if r.Decision.Action != policy.DUNNO {
			refusals[r.Request.Client]++
		}
	}
	all, _ := week.Clients()
	wanted, found := 0, 0
	for _, c := range all {
		decent := c.Retries || c.Login
		if c.Planted {
			if !listed[c.Addr] && !unsure[c.Addr] || listed[c.Addr] && unsure[c.Addr] {
				t.Errorf("%s (%v) is listed: %v, to be looked at: %v; want one of them", c.Addr, c.Names, listed[c.Addr], unsure[c.Addr])
			}
			continue
		}
		if listed[c.Addr] && !decent {
			t.Errorf("%s (%v) is listed; nobody wants it", c.Addr, c.Names)
		}
		if decent && refusals[c.Addr] >= 5 {
			wanted++
			if listed[c.Addr] {
				found++
			} else {
				t.Logf("%s (%v, %d refusals) is not listed", c.Addr, c.Names, refusals[c.Addr])
			}
		}
	}
	if wanted == 0 || 10*found < 9*wanted {
		t.Errorf("%d of %d decent clients that were refused five times or more are listed; want nine tenths", found, wanted)
	}
}

// addressesOf are those of all clients of a list.
func addressesOf(list []reportedClient) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for _, w := range list {
		for _, text := range append(w.Also, w.Client) {
			all[netip.MustParseAddr(text)] = true
		}
	}
	return all
}

// TestReportPaste pastes each exemption that a report offers at the end of the file, twice:
// all that was refused of its clients passes then, and no other decision changes. The
// commands beside it are for the same clients.
func TestReportPaste(t *testing.T) {
	longAlone(t)
	for _, text := range []string{week.Config, ""} {
		log := week.RecordUnder(t, text)
		records := recordsOf(t, log)
		told := reportOn(t, log, text).Wanted
		list := slices.Concat(told.List, told.Unsure)
		if len(list) < 5 {
			t.Errorf("%d clients are listed; want some to try", len(list))
		}
		for _, w := range list {
			if w.Paste == "" {
				t.Errorf("%s has no rule to paste", w.Client)
			}
			conf, err := config.Parse("", []byte(text+w.Paste+w.Paste))
			if err != nil {
				t.Fatalf("%s: %v", w.Paste, err)
			}
			for _, command := range w.Allow {
				if whom := strings.TrimPrefix(command, "policyd-rdns allow "); whom == command || !strings.Contains(w.Paste, strconv.Quote(whom)) {
					t.Errorf("%s: %s beside\n%s; want the same", w.Client, command, w.Paste)
				}
			}
			if want := strings.Count(w.Paste, `"`) / 2; len(w.Allow) != want {
				t.Errorf("%s: %q beside\n%s; want %d commands", w.Client, w.Allow, w.Paste, want)
			}
			clients := append(w.Also, w.Client)
			for i := range records {
				r := &records[i]
				now := conf.Rules.Judge(&r.Request, &r.Facts)
				if slices.Contains(clients, r.Request.Client.String()) {
					refused := r.Decision.Decided != policy.DUNNO
					if refused && (now.Decided != policy.DUNNO || now.Undetermined) || !refused && len(r.Decision.Would) > 0 && len(now.Would) > 0 {
						t.Errorf("%s: under\n%s\n%s; want it to pass", r.Request.Client, w.Paste, summary(&now))
					}
				} else if was := summary(&r.Decision); summary(&now) != was && !now.Undetermined {
					t.Errorf("%s: under\n%s\n%s; want it as it was, %s", r.Request.Client, w.Paste, summary(&now), was)
				}
			}
		}
	}
}

// TestReportExemptions compares how often each exemption was used with what
// comes out if every record is judged again without it.
func TestReportExemptions(t *testing.T) {
	longAlone(t)
	text := strings.Replace(week.Config, "mode    = \"observe\"\n", "", 1) + `
[[rule]]
name   = "too many ifs"
when   = { fcrdns = ["mismatch", "unresolved", "none"] }
unless = [{ recipient = "sales@" }, { helo = "match", encrypted = true }, { client = "203.0.113.128/25" }, { ptr_name = "mail.never.example", until = 2026-11-01 }]
action = "defer"
`
	log := week.RecordUnder(t, text)
	records := recordsOf(t, log)
	conf, err := config.Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, e := range reportOn(t, log, text).Exemptions {
		without := withoutExemption(t, conf.Rules, e.Rule, e.Unless)
		spared, needless, unknown := 0, 0, 0
		for i := range records {
			r := &records[i]
			d := without.Judge(&r.Request, &r.Facts)
			switch {
			case r.Decision.Decided == policy.Reject:
			case d.Undetermined:
				unknown++
			case d.Decided > r.Decision.Decided:
				spared++
			case e.Unless == 0 && r.Decision.Rule == e.Rule:
				needless++
			}
		}
		if got, want := fmt.Sprint(e.Spared, e.Needless, e.Unknown), fmt.Sprint(spared, needless, unknown); got != want {
			t.Errorf("%s, unless %d: spared, needless, unknown = %s; want %s", e.Rule, e.Unless, got, want)
		}
		used += e.Spared
	}
	if used < 50 {
		t.Errorf("exemptions spared %d decisions; want enough to compare", used)
	}
}

func withoutExemption(t *testing.T, rules *policy.Rules, name string, unless int) *policy.Rules {
	t.Helper()
	i := slices.IndexFunc(rules.List, func(r policy.Rule) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no rule %q", name)
	}
	without := *rules
	without.List = slices.Clone(rules.List)
	if unless == 0 {
		without.List = slices.Delete(without.List, i, i+1)
		return &without
	}
	tables := slices.Clone(without.List[i].Unless)
	without.List[i].Unless = slices.Delete(tables, unless-1, unless)
	return &without
}

// TestReportReadsAll: damaged lines are counted and named, several files are
// one, and the same in each format.
func TestReportReadsAll(t *testing.T) {
	longAlone(t)
	log := week.Record(t)
	half := bytes.IndexByte(log[len(log)/2:], '\n') + len(log)/2 + 1
	a, b := testbed.TempLog(t, log[:half]), testbed.TempLog(t, slices.Concat([]byte("time=2026-11-16T00:00:00Z level=INFO msg=decision id=1\n"), log[half:]))
	config := testbed.TempFile(t, "config.toml", week.Config)
	_, want, _ := call(string(log), "report", "--utc", "-c", config, "-")
	status, got, stderr := call("", "report", "--utc", "-c", config, b, a)
	if status != 0 || !strings.Contains(stderr, b+":1: ") || !strings.Contains(got, "! 1 damaged line could not be read and was left out.") {
		t.Errorf("report of a damaged log = %d, %q,\n%.300s; want it named and counted", status, stderr, got)
	}
	if got = strings.TrimSuffix(got, "\n! 1 damaged line could not be read and was left out.\n"); got != want {
		t.Errorf("report of two files =\n%s; want\n%s", got, want)
	}
	json := week.RecordUnder(t, week.Config+"\n[log]\nformat = \"json\"\n")
	r := reportOn(t, json, week.Config)
	if n := bytes.Count(json, []byte("\n")); r.Total.Decisions != n || len(r.Wanted.List) == 0 {
		t.Errorf("%d decisions of a log in JSON; want %d", r.Total.Decisions, n)
	}
}

func TestReportUsage(t *testing.T) {
	log := testbed.TempLog(t, week.Line(nil))
	dir := t.TempDir()
	tests := []struct {
		args   string
		status int
		stderr string // a part of it
	}{
		{log, 0, ""},
		{"--json --html " + dir + "/both.html " + log, 0, ""},
		{"--json --html - " + log, 2, "both for standard output"},
		{"--top -1 " + log, 2, "--top -1: want 0 or more"},
		{"--since tomorrow " + log, 2, "--since"},
		{"--since 2027-01-01 " + log, 1, "no decision found in 1 line"},
		{"--html " + dir + "/none/x.html " + log, 1, "none"},
		{"--html " + log + " " + log, 2, "not written over"},
		{"-c " + dir + "/none.toml " + log, 1, "none.toml"},
		{dir, 1, "is a folder"},
		{"/nonexistent.log", 1, "nonexistent"},
	}
	for _, test := range tests {
		status, _, stderr := call("", append([]string{"report"}, strings.Fields(test.args)...)...)
		if status != test.status || !strings.Contains(stderr, test.stderr) || test.stderr == "" && stderr != "" {
			t.Errorf("report %s = %d, %q; want %d, %q", test.args, status, stderr, test.status, test.stderr)
		}
	}
}

// TestReportFile: a page takes the place of an older one whole, or not at all.
func TestReportFile(t *testing.T) {
	log := testbed.TempLog(t, week.Line(nil))
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if status, stdout, stderr := call("", "report", "--html", path, log); status != 0 || stdout != "" || stderr != "" {
			t.Fatalf("report --html = %d, %q, %q; want 0", status, stdout, stderr)
		}
		text, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(text, []byte("<!DOCTYPE html>")) || !bytes.HasSuffix(text, []byte("</html>\n")) {
			t.Errorf("the page is %.60q (%v); want all of it", text, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("its mode is %v; want %v", info.Mode(), mode)
		}
		if err := os.Chmod(path, 0o604); err != nil {
			t.Fatal(err)
		}
	}
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, os.ErrInvalid)
	}
	if err := writeWhole(path, half); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("writeWhole() = %v; want the error", err)
	}
	if text, _ := os.ReadFile(path); !bytes.HasPrefix(text, []byte("<!DOCTYPE html>")) {
		t.Errorf("after an error the page is %.60q; want the old one", text)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%v are left; want the page alone", files)
	}
}
