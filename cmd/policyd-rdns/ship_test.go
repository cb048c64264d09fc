package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal"
)

const watchingPage = "../../contrib/prometheus/README.md"

// watchingBlock is the block of the page that has a text in it.
func watchingBlock(t *testing.T, with string) string {
	t.Helper()
	page, err := os.ReadFile(watchingPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile(`(?m)(?:^    .*\n)+`).FindAllString(string(page), -1) {
		if strings.Contains(block, with) {
			return regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")
		}
	}
	t.Fatalf("%s has no block with %q", watchingPage, with)
	return ""
}

// replaced is a text with parts of it replaced, each of which has to be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in\n%s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// startRsyslog runs rsyslogd on a configuration until the test ends.
func startRsyslog(t *testing.T, program, text string) {
	t.Helper()
	folder := t.TempDir()
	conf := filepath.Join(folder, "rsyslog.conf")
	writeFile(t, conf, fmt.Sprintf("global(workDirectory=%q)\n", folder)+text)
	cmd := exec.Command(program, "-n", "-i", filepath.Join(folder, "pid"), "-f", conf)
	var stderr testbed.Log
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || strings.Contains(stderr.String(), "error") {
			t.Errorf("rsyslogd: %v\n%s\n%s", err, stderr.String(), text)
		}
	})
}

// TestRsyslog runs the page's lines for rsyslog, there and at a receiver: lines of the log
// come through as they were, the longest that there is as well.
func TestRsyslog(t *testing.T) {
	program := needProgram(t, "rsyslogd", "rsyslog")
	folder, addr := testbed.WorkFolder(t), testbed.FreeAddrs(t, 1)[0]
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	log, kept, received := filepath.Join(folder, "decisions.log"), filepath.Join(folder, "kept.log"), filepath.Join(folder, "received.log")
	var want []byte
	for _, line := range []string{"time=2026-11-23T09:00:00.000Z level=INFO msg=decision id=3jy1foo8k683h client=203.0.113.14 long=", `{"time":"2026-11-23T09:00:00.000Z","level":"INFO","msg":"decision","long":"`} {
		want = append(want, line+"\n"+line+strings.Repeat("x", journal.MaxLine-1-len(line))+"\n"...)
	}
	writeFile(t, log, string(want))
	block := watchingBlock(t, "imfile")
	forward := regexp.MustCompile(`(?m)^.*omfwd.*\n`)
	file := regexp.MustCompile(`(?m)^.*"imfile".*\n`)
	startRsyslog(t, program, fmt.Sprintf("global(maxMessageSize=\"16k\")\nmodule(load=\"imtcp\")\ninput(type=\"imtcp\" address=%q port=%q)\n", host, port)+
		replaced(t, file.ReplaceAllString(forward.ReplaceAllString(block, ""), ""), "global(maxMessageSize=\"16k\")\n", "", "/var/log/policyd-rdns.log", received))
	for range 100 { // or the first try of the sender is in vain, and the next in half a minute
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	startRsyslog(t, program, replaced(t, block, "/var/log/policyd-rdns/decisions.log", log, "/var/log/policyd-rdns.log", kept, "192.0.2.53", host, `"514"`, `"`+port+`"`))
	for _, name := range []string{kept, received} {
		var got []byte
		for range 250 {
			if got, _ = os.ReadFile(name); bytes.Equal(got, want) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s has %d bytes; want %d: %.200q", filepath.Base(name), len(got), len(want), got)
		}
		if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s may be read by anybody: %v", filepath.Base(name), info.Mode())
		}
	}
}

// TestWatchingYAML: in the blocks for Filebeat and Promtail no colon stands before a comma
// or a brace: YAML takes it for a part of the key, so that nothing is found by it.
func TestWatchingYAML(t *testing.T) {
	for _, with := range []string{"filebeat.inputs:", "scrape_configs:"} {
		if block := watchingBlock(t, with); regexp.MustCompile(`\w:\s*[,}]`).MatchString(block) {
			t.Errorf("a key with a colon in\n%s", block)
		}
	}
}
