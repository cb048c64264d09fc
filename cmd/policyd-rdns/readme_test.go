package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/manual"
	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/journal"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestREADMEShowsWhatIs holds the commands and lines of the README to the
// program.
func TestREADMEShowsWhatIs(t *testing.T) {
	text := readme(t)
	if n := strings.Count(text, "\n"); n > 180 {
		t.Errorf("README.md has %d lines; want at most 180", n)
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 110 {
			t.Errorf("README.md has a line of %d columns; want at most 110: %s", n, line)
		}
	}
	queue := t.TempDir() // of Postfix
	for _, folder := range []string{"active", "private"} {
		if err := os.Mkdir(filepath.Join(queue, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(queue, "config.toml")
	writeConfig(t, path, dns, "unix:"+filepath.Join(queue, "private", "policyd-rdns"), "")
	d := startDaemon(t, "serve", "-c", path)
	d.stop(t)
	log := strings.Join(d.logged(), "\n")
	if want := "check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }"; !strings.Contains(log, want) || !strings.Contains(text, want) {
		t.Errorf("want serve, and README.md, to show %s; serve says\n%s", want, log)
	}
	if !strings.Contains(text, "`inet:127.0.0.1:10040`") {
		t.Error("README.md does not tell what to write without a unix socket")
	}
	_, table, _ := strings.Cut(text, "| command | does |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	root := newRoot()
	root.InitDefaultCompletionCmd()
	for row := range strings.Lines(table) { // policyd-rdns(8) has all
		for i, name := range strings.Split(strings.Split(row, "|")[1], "`") {
			if cmd, _, err := root.Find([]string{name}); i%2 == 1 && (err != nil || cmd == root) {
				t.Errorf("README.md has the command %s, which there is not", name)
			}
		}
	}
}

// TestREADMEPatience holds what the README says of the packaged configuration to what it is.
func TestREADMEPatience(t *testing.T) {
	packaged, err := config.Load("../../contrib/debian/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("`defer_for = \"%.0fh\"`", packaged.Rules.DeferFor.Hours()); !strings.Contains(readme(t), got) {
		t.Errorf("the package has %s, and the README does not say so", got)
	}
	if got := packaged.History.Store; filepath.Dir(got) != config.StateFolder {
		t.Errorf("the package keeps history in %q; want it in %s", got, config.StateFolder)
	}
	unit, err := os.ReadFile("../../systemd/policyd-rdns.service")
	if err != nil || !strings.Contains(string(unit), "\nStateDirectory="+filepath.Base(config.StateFolder)+"\n") {
		t.Errorf("%v; the unit does not make %s", err, config.StateFolder)
	}
}

// wishes are the blocks of the README's five wishes, by what stands before them in bold.
func wishes(t *testing.T) map[string]string {
	t.Helper()
	_, section, _ := strings.Cut(readme(t), "\n## Five wishes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	all := map[string]string{}
	for i, part := range strings.Split(section, "\n**") {
		if i == 0 {
			continue
		}
		wish, rest, _ := strings.Cut(part, "**")
		_, block, fenced := strings.Cut(rest, "```toml\n")
		if fenced {
			block, _, _ = strings.Cut(block, "```")
		} else {
			_, block, _ = strings.Cut(rest, "\n    ")
			block, _, _ = strings.Cut(block, "\n\n")
			block += "\n"
		}
		if n := strings.Count(block, "\n"); n == 0 || n > 4 {
			t.Errorf("%q takes %d lines; want at most 4:\n%s", wish, n, block)
		}
		all[strings.Trim(wish, ".?")] = block
	}
	if len(all) != 5 {
		t.Fatalf("%d wishes; want 5", len(all))
	}
	return all
}

// arguments takes a command line of the README apart, as a shell would.
func arguments(t *testing.T, line string) []string {
	t.Helper()
	rest, ours := strings.CutPrefix(strings.TrimSpace(line), "policyd-rdns ")
	if !ours {
		t.Fatalf("%q is no call of ours", line)
	}
	var args []string
	for i, part := range strings.Split(rest, `"`) {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

// TestREADMEWishes does what the README says, to the client that it is about.
func TestREADMEWishes(t *testing.T) {
	const zone = `
13.113.0.203.in-addr.arpa. PTR ip-203-0-113-13.dyn.example.net.
ip-203-0-113-13.dyn.example.net. A 203.0.113.13
mail.example.org. A 198.51.100.7
`
	dns, _ := startWorld(t, zone)
	all := wishes(t)
	tests := []struct {
		wish, client, helo string
		before, after      string // parts of what explain says
		status             int    // of explain afterwards
	}{
		{"Let a partner in", "192.0.2.1", "mail.example.org", "reject by rule \"no reverse name\"", ": ticket 4711", 0},
		{
			"Tell the refused why", "192.0.2.1", "mail.example.org", "; contact postmaster@example.com\n",
			"550 5.7.1 <user@example.com>: Recipient address rejected: your server [192.0.2.1] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com; see https://mx.example.com/rdns/no-ptr\n", 1,
		},
		{
			"Watch one rule first", "203.0.113.13", "mail.example.org", "reject by rule \"generic name, foreign HELO\"",
			"observed: reject by rule \"generic name, foreign HELO\"", 0,
		},
		{
			"Be stricter with one kind", "203.0.113.13", "localhost", "dunno", "reject by rule \"strangers from consumer lines\"", 1,
		},
	}
	for _, tt := range tests {
		folder := t.TempDir()
		conf, exempt := filepath.Join(folder, "config.toml"), filepath.Join(folder, "exempt.toml")
		settings := fmt.Sprintf("exempt_file = %q\n", exempt)
		writeConfig(t, conf, dns, anyPort, settings)
		explain := []string{"explain", "-c", conf, tt.client, "--helo", tt.helo}
		if _, stdout, _ := call("", explain...); !strings.Contains(stdout, tt.before) {
			t.Errorf("before %q: want %q in\n%s", tt.wish, tt.before, stdout)
		}
		if block := all[tt.wish]; strings.HasPrefix(block, "[") {
			writeConfig(t, conf, dns, anyPort, settings+block)
		} else if status, stdout, stderr := call("", append(arguments(t, block), "-c", conf)...); status != 0 {
			t.Errorf("%q: %s = %d, %s%s", tt.wish, block, status, stdout, stderr)
		}
		status, stdout, stderr := call("", explain...)
		if status != tt.status || !strings.Contains(stdout, tt.after) {
			t.Errorf("after %q: explain = %d, want %d and %q in\n%s%s", tt.wish, status, tt.status, tt.after, stdout, stderr)
		}
		if status, _, stderr := call("", "configtest", "-c", conf); status != 0 || strings.Contains(stderr, "warning") {
			t.Errorf("after %q: configtest = %d, %s", tt.wish, status, stderr)
		}
	}
}

// TestREADMEChecks holds the README's table of checks to the checks that there are. It need
// not have all of them: policyd-rdns.toml(5) has.
func TestREADMEChecks(t *testing.T) {
	_, table, _ := strings.Cut(readme(t), "| check | question |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, check := range policy.AllChecks() {
		want = append(want, fmt.Sprintf("| `%s` | %s |", check, check.Question()))
	}
	rows := strings.Split(table, "\n")
	for _, row := range rows {
		if !slices.Contains(want, row) {
			t.Errorf("README.md has %s, and the checks are\n%s", row, strings.Join(want, "\n"))
		}
	}
	if len(rows) < 8 {
		t.Errorf("README.md names %d checks", len(rows))
	}
}

// troubleTests names for each trouble that policyd-rdns(8) tells of a test that makes it
// happen.
func troubleTests() map[string]string {
	return map[string]string{
		"one zone fails or is silent":                                       "policy/gather/world_test.go TestSlowDNS",
		"the servers fail or are slow":                                      "resolver/stale_test.go TestStale",
		"no DNS server answers at all":                                      "cmd/policyd-rdns/e2e/badday_test.go TestPostfixDNSAway",
		"more lookups than resolver.max_inflight":                           "policy/gather/overload_test.go TestSiege",
		"more connections than server.max_connections":                      "policy/postfix/accept_test.go TestServeFull",
		"a request is unreadable, or not whole in 60 s":                     "policy/postfix/server_test.go TestServeUnfinished",
		"the client has no address (unknown)":                               "policy/gather/enough_test.go TestGatherNoAddress",
		"all clients have one address, or private ones":                     "cmd/policyd-rdns/internal/daemon/natguard_test.go TestNATGuard",
		"many nameless clients are in one IPv6 prefix, as a translator has": "cmd/policyd-rdns/internal/daemon/carriers_test.go TestCarriers",
		"the daemon panics over a request":                                  "policy/postfix/server_test.go TestServePanic",
		"the log cannot be written":                                         "cmd/policyd-rdns/trouble_test.go TestFullDisk",
		"the daemon is down":                                                "cmd/policyd-rdns/e2e/badday_test.go TestPostfixKilled",
		"the store of history is away, slow, full or damaged":               "cmd/policyd-rdns/e2e/historyredis_test.go TestHistoryRedisFaults",
	}
}

// TestTroubleIsTested holds the manual's troubles to the tests that show them.
func TestTroubleIsTested(t *testing.T) {
	tests := troubleTests()
	for _, trouble := range manual.Troubles() {
		file, name, _ := strings.Cut(tests[trouble.When], " ")
		text, err := os.ReadFile("../../" + file)
		if name == "" || err != nil || !strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {") {
			t.Errorf("%q: no test %q in %q, %v", trouble.When, name, file, err)
		}
		delete(tests, trouble.When)
	}
	for when := range tests {
		t.Errorf("the manual does not tell of %q", when)
	}
}

// TestManualMemory holds the manual's formula to what TestMemory measures by.
func TestManualMemory(t *testing.T) {
	conf, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	const MiB = 1 << 20
	bytes := daemon.MemoryBase + conf.Resolver.CacheEntries*daemon.MemoryEntry + conf.Server.Connections*daemon.MemoryConnection
	want := fmt.Sprintf("At most %d MiB + %d bytes for each of cache_entries + %d KiB for each of max_connections: %d MiB as it comes.",
		daemon.MemoryBase/MiB, daemon.MemoryEntry, daemon.MemoryConnection>>10, (bytes+MiB/2)/MiB)
	_, page, _ := call("", "man", "policyd-rdns.8")
	if !strings.Contains(strings.ReplaceAll(page, "\n", " "), want) {
		t.Errorf("policyd-rdns(8) lacks %q", want)
	}
}

// TestDemo runs the demonstration: each client is judged, by the rule that it
// is there to show.
func TestDemo(t *testing.T) {
	status, stdout, stderr := call("", "demo")
	if status != 0 || stderr != "" {
		t.Fatalf("demo = %d, %q", status, stderr)
	}
	for _, want := range []string{
		"reject  no reverse name",
		"reject  reverse name resolves elsewhere",
		"reject  generic name, foreign HELO",
		"reject  HELO is our name",
		"defer   no reverse name",
		"defer   reverse name does not resolve",
		"dunno   logged in",
		"defer   generic name and HELO",
		"550 5.7.1 <user@example.net>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.net",
		"ip-203-0-113-10.provider.local",
		"vps123.hosting.internal",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("demo lacks %q:\n%s", want, stdout)
		}
	}
	if strings.ContainsFunc(stdout, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }) {
		t.Errorf("demo prints what is not printable ASCII:\n%q", stdout)
	}
}

// TestREADMEWhy asks the log why a client was refused, as the README says.
func TestREADMEWhy(t *testing.T) {
	dns, _ := startWorld(t, "14.113.0.203.in-addr.arpa. PTR mail.example.org.\nmail.example.org. A 198.51.100.7\n")
	folder := t.TempDir()
	conf, log := filepath.Join(folder, "config.toml"), filepath.Join(folder, "decisions.log")
	writeConfig(t, conf, dns, anyPort, fmt.Sprintf("[log]\nfile = %q\n", log))
	line := strings.ReplaceAll(exampleLine(t), "\n", "")
	line = strings.Replace(line, "2026-11-23T09:00:00.000Z", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), 1)
	writeFile(t, log, line+"\n")
	status, stdout, stderr := call("", append(arguments(t, wishes(t)["Why was X refused"]), "-c", conf)...)
	if status != 0 || !strings.Contains(stdout, "203.0.113.14") || !strings.Contains(stdout, "policyd-rdns allow 203.0.113.14") {
		t.Errorf("why = %d, %q,\n%s", status, stderr, stdout)
	}
}

// exampleLine is the line of the decision log that the README shows. It is one: what it
// says of its rule is what the built-in rules make of its facts.
func exampleLine(t *testing.T) string {
	t.Helper()
	_, text, _ := strings.Cut(readme(t), "\n    time=")
	text, _, _ = strings.Cut(text, "\n\n")
	line := "time=" + strings.ReplaceAll(text, "\n    ", " ")
	r, err := journal.Parse([]byte(line))
	if err != nil {
		t.Fatalf("README.md: %v", err)
	}
	rules := policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer}
	d := rules.Judge(&r.Request, &r.Facts)
	if now := config.Defaults().Texts(nil).Reply(&r.Request, &r.Facts, &d).Action; d.Rule != r.Decision.Rule || now != r.Reply {
		t.Errorf("the line of README.md has %s, %s; judged anew it is %s, %s", r.Decision.Rule, r.Reply, d.Rule, now)
	}
	return line
}
