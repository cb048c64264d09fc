package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver/world"
)

// A scenario is one file: a comment, and sections that begin with a line such
// as "-- zone --". zone is a DNS world, config.toml the configuration, dialog
// what Postfix says (>) and hears (<), log what each decision line holds at
// least; "-key" there is a key that it must not hold.
type scenario map[string]string

func readScenario(t *testing.T, path string) scenario {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := scenario{}
	section := ""
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(name, " --") {
			section = strings.TrimSuffix(name, " --")
			continue
		}
		s[section] += line
	}
	for _, want := range []string{"zone", "dialog", "log"} {
		if s[want] == "" {
			t.Fatalf("%s: no section %q", path, want)
		}
	}
	return s
}

// TestScenarios runs the real program, on a DNS world of its own, against what
// the scenario files say, in both formats of the log.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("scenario files: %v, %v", files, err)
	}
	for _, file := range files {
		s := readScenario(t, file)
		for _, format := range []string{"logfmt", "json"} {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+format, func(t *testing.T) {
				t.Parallel()
				s.run(t, format)
			})
		}
	}
}

func (s scenario) run(t *testing.T, format string) {
	dns, _ := startWorld(t, s["zone"])
	path := filepath.Join(t.TempDir(), "config.toml")
	settings := map[string]string{
		"server":   `listen = ["127.0.0.1:0"]`,
		"resolver": fmt.Sprintf("servers = [%q]", dns),
		"log":      fmt.Sprintf("format = %q", format),
	}
	if err := os.WriteFile(path, []byte(withSettings(s["config.toml"], settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, "serve", "-c", path)
	d.talk(t, s["dialog"])
	lines := d.stop(t)
	s.checkLog(t, path, lines)
}

// checkLog holds the decision lines against the scenario, and judges each
// again by what it says.
func (s scenario) checkLog(t *testing.T, path string, lines []string) {
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := nonEmpty(s["log"])
	if len(lines) != len(want) {
		t.Errorf("%d decisions were logged, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
		return
	}
	for i, line := range lines {
		r, err := journal.Parse([]byte(line))
		if err != nil {
			t.Errorf("Parse(%s): %v", line, err)
			continue
		}
		fields := bytes.TrimSpace(journal.Logfmt.Append(nil, &r))
		for _, token := range tokens(want[i]) {
			if key, ok := strings.CutPrefix(token, "-"); ok {
				if strings.Contains(" "+string(fields), " "+key+"=") {
					t.Errorf("decision %d holds %s:\n%s", i+1, key, fields)
				}
			} else if !slices.Contains(tokens(string(fields)), token) {
				t.Errorf("decision %d lacks %s:\n%s", i+1, token, fields)
			}
		}
		again := conf.Rules.Judge(&r.Request, &r.Facts)
		if again.Undetermined && r.Request.Cut != 0 {
			continue // for the rest of a text
		}
		if again.Action == policy.Tag && r.Decision.Action == policy.DUNNO {
			again.Action = policy.DUNNO // the message has the header already
		}
		if got, was := summary(&again), summary(&r.Decision); got != was || again.Undetermined {
			t.Errorf("judged again: %s, was %s:\n%s", got, was, line)
		}
	}
}

// summary is what a log line says of a decision.
func summary(d *policy.Decision) string {
	return fmt.Sprint(d.Action, " ", d.Decided, " ", d.Rule, " ", d.Downgraded, " ", d.Would, " ", d.Mode, " ", d.Checks)
}

// tokens splits a line at spaces outside of quotes.
func tokens(line string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(line, func(c rune) bool {
		if c == '"' && !escaped {
			quoted = !quoted
		}
		escaped = c == '\\' && !escaped
		return c == ' ' && !quoted
	})
}

func nonEmpty(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// withSettings puts settings into the tables of a configuration.
func withSettings(config string, settings map[string]string) string {
	var out strings.Builder
	for line := range strings.Lines(config) {
		out.WriteString(line)
		table := strings.Trim(strings.TrimSpace(line), "[]")
		if setting, ok := settings[table]; ok && strings.HasPrefix(line, "["+table+"]") {
			out.WriteString(setting + "\n")
			delete(settings, table)
		}
	}
	for table, setting := range settings {
		fmt.Fprintf(&out, "\n[%s]\n%s\n", table, setting)
	}
	return out.String()
}

// startWorld serves a DNS world on the loopback until the test ends.
func startWorld(t testing.TB, zone string) (server string, w *world.World) {
	t.Helper()
	return testbed.StartWorld(t, zone)
}

// aDaemon is a running serve.
type aDaemon struct {
	cmd     *exec.Cmd
	address string // that it listens on
	mu      sync.Mutex
	lines   []string
	read    chan struct{} // closed when all of its log was read
	waiting map[string]chan string
}

// startDaemon starts the program and waits until it listens.
func startDaemon(t *testing.T, args ...string) *aDaemon {
	t.Helper()
	d := newDaemonProcess(t, args...)
	d.start(t)
	return d
}

// newDaemonProcess is the program, not started yet.
func newDaemonProcess(t *testing.T, args ...string) *aDaemon {
	t.Helper()
	return &aDaemon{cmd: program(t, args...), read: make(chan struct{}), waiting: map[string]chan string{}}
}

func (d *aDaemon) start(t *testing.T) {
	t.Helper()
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	listening := d.expect("msg=listening", `"msg":"listening"`)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go d.readLog(stderr)
	t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // fails if it has ended
	line := d.await(t, listening)
	for _, token := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(` ,"}=`, c) }) {
		if strings.HasPrefix(token, "127.0.0.1:") {
			d.address = token
		}
	}
}

// expect gives a channel for the next log line that holds one of the texts.
func (d *aDaemon) expect(texts ...string) chan string {
	found := make(chan string, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, text := range texts {
		d.waiting[text] = found
	}
	return found
}

// await waits for what is expected.
func (d *aDaemon) await(t *testing.T, line <-chan string) string {
	t.Helper()
	select {
	case l := <-line:
		return l
	case <-d.read:
		t.Fatalf("the program has ended:\n%s", strings.Join(d.logged(), "\n"))
	case <-time.After(60 * time.Second):
		t.Fatalf("the program does not go on:\n%s", strings.Join(d.logged(), "\n"))
	}
	return ""
}

func (d *aDaemon) readLog(stderr io.Reader) {
	defer close(d.read)
	log := bufio.NewScanner(stderr)
	log.Buffer(nil, 1<<20)
	for log.Scan() {
		d.mu.Lock()
		d.lines = append(d.lines, log.Text())
		for text, found := range d.waiting {
			if strings.Contains(log.Text(), text) {
				delete(d.waiting, text)
				select {
				case found <- log.Text():
				default: // by another of its texts
				}
			}
		}
		d.mu.Unlock()
	}
}

func (d *aDaemon) logged() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// talk speaks with the program as Postfix would.
func (d *aDaemon) talk(t *testing.T, dialog string) {
	t.Helper()
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	replies := bufio.NewReader(conn)
	for line := range strings.Lines(dialog) {
		line = strings.TrimSuffix(line, "\n")
		switch text := strings.TrimPrefix(line[min(1, len(line)):], " "); {
		case strings.HasPrefix(line, ">"):
			if _, err := io.WriteString(conn, text+"\n"); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(line, "<"):
			got, err := replies.ReadString('\n')
			if err != nil || got != text+"\n" {
				t.Fatalf("reply %q, %v; want %q", got, err, text)
			}
		case line != "" && line[0] != '#':
			t.Fatalf("dialog line %q: want > or <", line)
		}
	}
}

// stop ends the program as a service manager does and gives its decision
// lines.
func (d *aDaemon) stop(t *testing.T) []string {
	t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.read:
	case <-time.After(60 * time.Second):
		t.Fatal("the program does not stop")
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v:\n%s", err, strings.Join(d.logged(), "\n"))
	}
	var decisions []string
	for _, line := range d.logged() {
		if strings.Contains(line, "msg=decision") || strings.Contains(line, `"msg":"decision"`) {
			decisions = append(decisions, line)
		}
	}
	return decisions
}
