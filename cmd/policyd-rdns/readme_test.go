package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/policy"
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

// TestREADMENamesEveryKey holds the README's table to the keys of the decision log.
func TestREADMENamesEveryKey(t *testing.T) {
	keys := journal.Keys()
	_, table, _ := strings.Cut(readme(t), "| keys | what they hold |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, key := range keys {
		if key != "time" && key != "level" && key != "msg" && !strings.Contains(table, "`"+key+"`") {
			t.Errorf("the README's table lacks %q", key)
		}
	}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for i, key := range strings.Split(cells[min(1, len(cells)-1)], "`") {
			if i%2 == 1 && !slices.Contains(keys, key) {
				t.Errorf("the README's table has %q, which the log does not write", key)
			}
		}
	}
}

// TestREADMEShowsWhatIs holds the commands and lines of the README to the
// program.
func TestREADMEShowsWhatIs(t *testing.T) {
	text := readme(t)
	if n := strings.Count(text, "\n"); n > 150 {
		t.Errorf("README.md has %d lines; want at most 150", n)
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
	for _, cmd := range newRoot().Commands() {
		if name := cmd.Name(); name != "help" && !cmd.Hidden && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not name the command %s", name)
		}
	}
}

// TestREADMEChecks holds the README's table of checks to the checks that there are.
func TestREADMEChecks(t *testing.T) {
	_, table, _ := strings.Cut(readme(t), "| check | outcomes |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:]
	if len(rows) == 0 {
		t.Fatal("README.md has no table of checks")
	}
	for _, row := range rows {
		cells := strings.Split(row, "|")
		name := strings.Split(cells[1], "`")[1]
		check, ok := policy.CheckByName(name)
		if !ok {
			t.Errorf("README.md tells of a check %s, which there is not", name)
			continue
		}
		for _, result := range check.Results() {
			if !strings.Contains(cells[2], "`"+result.String()+"`") {
				t.Errorf("README.md does not name the outcome %s of %s", result, name)
			}
		}
	}
}

// readmeTrouble names for each row of the README's "When things go wrong" a test
// that makes it happen.
func readmeTrouble() map[string]string {
	return map[string]string{
		"one zone fails or is silent":                                       "policy/gather/world_test.go TestSlowDNS",
		"the servers fail or are slow":                                      "resolver/stale_test.go TestStale",
		"no DNS server answers at all":                                      "cmd/policyd-rdns/e2e/badday_test.go TestPostfixDNSAway",
		"more lookups than `max_inflight`":                                  "policy/gather/overload_test.go TestSiege",
		"more connections than `max_connections`":                           "policy/postfix/accept_test.go TestServeFull",
		"a request is unreadable, or not whole in 60 s":                     "policy/postfix/server_test.go TestServeUnfinished",
		"the client has no address (`unknown`)":                             "policy/gather/enough_test.go TestGatherNoAddress",
		"all clients have one address, or private ones":                     "cmd/policyd-rdns/internal/daemon/natguard_test.go TestNATGuard",
		"many nameless clients are in one IPv6 prefix, as a translator has": "cmd/policyd-rdns/internal/daemon/carriers_test.go TestCarriers",
		"the daemon panics over a request":                                  "policy/postfix/server_test.go TestServePanic",
		"the log cannot be written":                                         "cmd/policyd-rdns/trouble_test.go TestFullDisk",
		"the daemon is down":                                                "cmd/policyd-rdns/e2e/badday_test.go TestPostfixKilled",
	}
}

// TestREADMETroubleIsTested holds the README's table of troubles to the tests
// that show them.
func TestREADMETroubleIsTested(t *testing.T) {
	trouble := readmeTrouble()
	_, table, _ := strings.Cut(readme(t), "| when | then |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := 0
	for row := range strings.Lines(table) {
		when := strings.TrimSpace(strings.Split(row, "|")[1])
		file, name, _ := strings.Cut(trouble[when], " ")
		text, err := os.ReadFile("../../" + file)
		if name == "" || err != nil || !strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {") {
			t.Errorf("the README's %q: no test %q in %q, %v", when, name, file, err)
		}
		rows++
	}
	if rows != len(trouble) {
		t.Errorf("the README's table has %d rows; want %d", rows, len(trouble))
	}
}

// TestREADMEMemory holds the README's formula to what TestMemory measures by.
func TestREADMEMemory(t *testing.T) {
	conf, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	const MiB = 1 << 20
	bytes := daemon.MemoryBase + conf.Resolver.CacheEntries*daemon.MemoryEntry + conf.Server.Connections*daemon.MemoryConnection
	want := fmt.Sprintf("Memory: at most %d MiB + %d bytes for each of `cache_entries` + %d KiB for each of `max_connections`: %d MiB as it comes.",
		daemon.MemoryBase/MiB, daemon.MemoryEntry, daemon.MemoryConnection>>10, (bytes+MiB/2)/MiB)
	if !strings.Contains(strings.ReplaceAll(readme(t), "\n", " "), want) {
		t.Errorf("README.md lacks %q", want)
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
		"dunno   would defer: generic name and HELO",
		"550 5.7.1 <user@example.net>: Recipient address rejected: cannot find your reverse hostname, [203.0.113.10]",
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
