package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/replay"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// weekPlus is the configuration of the recorded week with rules before its own.
func weekPlus(rules string) string {
	return strings.Replace(week.Config, "[[rule]]", rules+"\n[[rule]]", 1)
}

// TestReplay judges the recorded week again under changed configurations.
func TestReplay(t *testing.T) {
	log := testbed.TempLog(t, week.Record(t))
	tests := []struct {
		golden string
		config string
		args   string
		status int
	}{
		{"same", week.Config, "", 0},
		{"builtin", "", "--fail-on undecided", 1},
		{"strict", weekPlus("[[rule]]\nname = \"HELO must match\"\nwhen = { helo = [\"mismatch\", \"unresolved\", \"related\"] }\naction = \"reject\"\n"), "--top 5", 0},
		{"exempt", weekPlus("[[rule]]\nname = \"small offices\"\nwhen = { ptr_name = [\".business.isp-beta.example\", \".cust.isp-beta.example\"] }\naction = \"dunno\"\n"), "--list", 0},
		{"defer", strings.Replace(week.Config, "action = \"reject\"\ncode   = \"554 5.7.1\"", "action = \"defer\"", 1), "--fail-on newly-rejected", 0},
		{"observe", "mode = \"observe\"\n" + weekPlus("[[rule]]\nname = \"v6\"\nwhen = { client = \"2001:db8::/32\", helo = \"match\" }\naction = \"reject\"\n"), "", 0},
		{"carried-out", strings.Replace(week.Config, "mode    = \"observe\"\n", "", 1), "--fail-on newly-deferred,newly-rejected", 1},
		{"doubt", "on_doubt = \"dunno\"\n" + week.Config, "--fail-on newly-rejected", 0},
		{"networks", strings.Replace(week.Config, `networks = ["198.51.100.192/28"]`, `networks = ["203.0.113.64/26"]`, 1) + "\n[names]\ngeneric = [\".pool.bigmail.example\"]\n", "--fail-on undecided", 1},
	}
	for _, test := range tests {
		config := testbed.TempFile(t, "new.toml", test.config)
		args := append([]string{"replay", "--utc", "-c", config, log}, strings.Fields(test.args)...)
		status, stdout, stderr := call("", args...)
		if status != test.status || stderr != "" {
			t.Errorf("replay of %s = %d, %q; want %d", test.golden, status, stderr, test.status)
		}
		compareGolden(t, filepath.Join("testdata/replay", test.golden+".txt"), strings.ReplaceAll(stdout, filepath.Dir(config)+"/", ""))
	}
}

// TestReplayChangesNothing under the configuration that a log was made with,
// in either format.
func TestReplayChangesNothing(t *testing.T) {
	longAlone(t)
	configs := map[string]string{
		"built-in": "[resolver]\nservers = [\"192.0.2.53\"]\n",
		"week":     week.Config,
		"json":     week.Config + "\n[log]\nformat = \"json\"\n",
		"observe":  "mode = \"observe\"\nobserve_reply = \"info\"\n" + week.Config,
		"on_doubt": "on_doubt = \"dunno\"\n" + week.Config,
	}
	for name, text := range configs {
		log := week.RecordUnder(t, text)
		path := testbed.TempFile(t, "same.toml", text)
		conf, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range bytes.Lines(log) {
			r, err := journal.Parse(line)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again := conf.Rules.Judge(&r.Request, &r.Facts)
			if got, want := summary(&again), summary(&r.Decision); got != want || again.Undetermined {
				// Whether a DUNNO would have been an INFO is not in the log.
				if r.Decision.Mode != policy.Observe || again.Mode != policy.ObserveInfo || again.Decided != policy.DUNNO {
					t.Errorf("%s: %s\njudged again: %s; want %s", name, line, got, want)
				}
			}
			n++
		}
		status, stdout, stderr := call(string(log), "replay", "-c", path, "--fail-on", strings.Join(replay.Changes(), ","), "-")
		if want := plain.Plural(n, "decision"); status != 0 || stderr != "" || !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "\nnothing changes\n") {
			t.Errorf("%s: replay = %d, %q, %q; want 0, %s, nothing changes", name, status, stdout, stderr, want)
		}
	}
}

// TestReplayAgainst compares two files, whatever was done.
func TestReplayAgainst(t *testing.T) {
	longAlone(t)
	log := string(week.Record(t))
	week := testbed.TempFile(t, "week.toml", week.Config)
	builtin := testbed.TempFile(t, "builtin.toml", "")
	_, want, _ := call(log, "replay", "--utc", "-c", builtin, "-")
	status, got, stderr := call(log, "replay", "--utc", "-c", builtin, "--against", week, "-")
	conf, err := config.Load(week)
	if err != nil {
		t.Fatal(err)
	}
	got = strings.Replace(got, "before: "+week+" ("+conf.Hash+")", "before: as logged", 1)
	if status != 0 || got != want || stderr != "" {
		t.Errorf("replay against the file that made the log = %d, %q,\n%s; want\n%s", status, stderr, got, want)
	}
	status, got, _ = call(log, "replay", "--utc", "-c", builtin, "--against", builtin, "--fail-on", "newly-rejected", "-")
	if status != 0 || !strings.Contains(got, "\nundecided:") || strings.Contains(got, "rejected:") {
		t.Errorf("replay against the same file = %d,\n%s; want nothing but what both cannot decide", status, got)
	}
}

// TestReplayOfObserved: what was observed is not what was done, but can be
// compared.
func TestReplayOfObserved(t *testing.T) {
	longAlone(t)
	observe := "mode = \"observe\"\n" + week.Config
	log := string(week.RecordUnder(t, observe))
	path := testbed.TempFile(t, "new.toml", week.Config)
	tests := []struct {
		args   string
		status int
	}{
		{"-c " + path, 1},                // all that is refused now
		{"-c " + path + " --decided", 0}, // the rules are the same
		{"-c " + testbed.TempFile(t, "observe.toml", observe), 0},
	}
	for _, test := range tests {
		args := append(strings.Fields("replay --fail-on newly-rejected "+test.args), "-")
		if status, stdout, stderr := call(log, args...); status != test.status || stderr != "" {
			t.Errorf("replay %s = %d, %q,\n%s; want %d", test.args, status, stderr, stdout, test.status)
		}
	}
}

func TestReplayJSON(t *testing.T) {
	longAlone(t)
	log := string(week.Record(t))
	config := testbed.TempFile(t, "new.toml", "")
	status, stdout, stderr := call(log, "replay", "-c", config, "--json", "--list", "-")
	if status != 0 || stderr != "" {
		t.Fatalf("replay = %d, %q", status, stderr)
	}
	counts := map[string]int{}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines[:len(lines)-1] {
		var listed struct {
			Change, Before, After string
			Record                struct{ Msg, Action, Client string }
		}
		if err := json.Unmarshal([]byte(line), &listed); err != nil || listed.Record.Msg != "decision" {
			t.Fatalf("%s: %v", line, err)
		}
		if listed.Before != listed.Record.Action || listed.Change == "undecided" != (listed.After == "") {
			t.Errorf("%s: want what was done before, and after what is known", line)
		}
		counts[listed.Change]++
	}
	var summary struct {
		Change               string
		Decisions, Messages  int
		First, Last          time.Time
		Before, After, Needs map[string]int
		Changes              map[string]struct {
			Decisions, Messages int
			Groups              []struct {
				Clients, Rule       string
				Decisions, Messages int
				Senders             map[string]int
			}
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil || summary.Change != "summary" {
		t.Fatalf("%s: %v", lines[len(lines)-1], err)
	}
	if n := strings.Count(log, "\n"); summary.Decisions != n || summary.Messages == 0 || summary.Messages >= n {
		t.Errorf("%d decisions about %d messages; want %d", summary.Decisions, summary.Messages, n)
	}
	for name, c := range summary.Changes {
		if c.Decisions != counts[name] {
			t.Errorf("%s: %d decisions, %d are listed", name, c.Decisions, counts[name])
		}
		sum := 0
		for _, g := range c.Groups {
			sum += g.Decisions
		}
		if sum != c.Decisions && name != "undecided" {
			t.Errorf("%s: %d decisions, %d in groups", name, c.Decisions, sum)
		}
	}
	if len(summary.Changes) != len(replay.Changes()) || summary.Changes["newly_rejected"].Groups[0].Senders["lottery.test"] == 0 {
		t.Errorf("changes %v", summary.Changes)
	}
}

func TestReplayUsage(t *testing.T) {
	log := testbed.TempLog(t, week.Line(nil))
	empty := testbed.TempLog(t, []byte("-- No entries --\n"))
	tests := []struct {
		args   string
		status int
		stderr string // a part of it
	}{
		{"", 2, "replay wants decision logs"},
		{"--fail-on never " + log, 2, `--fail-on "never": want newly-rejected, newly-deferred,`},
		{"-c internal/config/testdata/badconfig/durations.toml " + log, 1, "durations.toml:"},
		{"--against /nonexistent/old.toml " + log, 1, "reading the configuration"},
		{"/nonexistent/log", 1, "no such file"},
		{empty, 1, "no decision found in 1 lines"},
		{log, 0, ""},
	}
	for _, test := range tests {
		status, _, stderr := call("", append([]string{"replay"}, strings.Fields(test.args)...)...)
		if status != test.status || !strings.Contains(stderr, test.stderr) || test.status == 0 && stderr != "" {
			t.Errorf("replay %s = %d, %q; want %d, %q", test.args, status, stderr, test.status, test.stderr)
		}
	}
}

// TestReplayHostile: nothing that a log holds reaches the terminal as anything
// but text.
func TestReplayHostile(t *testing.T) {
	evil := "\x1b[31m\u009b31m\r\n\x7f\u202e" + strings.Repeat("A", 300)
	var log []byte
	for _, name := range []string{"", evil, "host." + evil + ".example"} {
		log = append(log, week.Line(func(r *journal.Record) {
			q := &r.Request
			q.HELO, q.Sender, q.Recipient = evil, "a@"+evil, evil
			r.Decision = policy.Decision{Decided: policy.Reject, Action: policy.Reject, Rule: evil}
			r.Facts.Names = []policy.Name{{Name: name}}
		})...)
	}
	log = append(log, "msg=decision time=\x1b[31m\n"...)
	config := testbed.TempFile(t, "new.toml", "[[rule]]\nname = \"all\"\nwhen = { client = [\"0.0.0.0/0\", \"::/0\"] }\naction = \"defer\"\n")
	for _, args := range []string{"", "--list", "--json", "--json --list"} {
		status, stdout, stderr := call(string(log), append(strings.Fields("replay -c "+config+" "+args), "-")...)
		if status != 0 || !strings.Contains(strings.ReplaceAll(stdout, "_", " "), "no longer rejected") || stderr == "" {
			t.Errorf("replay %s = %d, %q, %q", args, status, stdout, stderr)
		}
		for _, c := range stdout + stderr {
			if c != '\n' && (c < ' ' || c > '~') {
				t.Errorf("replay %s prints %q:\n%q", args, c, stdout+stderr)
				break
			}
		}
	}
}
