package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// TestReportNotice sends a report if somebody in it is probably wanted, and else does
// nothing.
func TestReportNotice(t *testing.T) {
	longAlone(t)
	folder := t.TempDir()
	conf, log, taken := filepath.Join(folder, "config.toml"), filepath.Join(folder, "decisions.log"), filepath.Join(folder, "taken")
	testbed.WriteFile(t, conf, week.Config+"\n[log]\nfile = \""+log+"\"\n")
	testbed.WriteFile(t, log, "")
	testbed.WriteFile(t, log+".1", string(week.Record(t))) // it was rotated at midnight
	testbed.WriteFile(t, filepath.Join(folder, "sendmail"), "#!/bin/sh\ncat >"+taken+"\n")
	if err := os.Chmod(filepath.Join(folder, "sendmail"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	for _, tt := range []struct {
		args []string
		want []string // parts of what was sent; none: nothing was
	}{
		{[]string{"--mail", "postmaster"}, []string{"To: postmaster\nSubject: policyd-rdns: ", " probably refused wrongly\n", "PROBABLY WANTED", "policyd-rdns allow "}},
		{[]string{"--hook", "cat >" + taken}, []string{"PROBABLY WANTED", "policyd-rdns allow "}},
		{[]string{"--json", "--hook", "cat >" + taken}, []string{`"wanted":{`, `"rules":[`}},
		{[]string{"--mail", "postmaster", "--since", "2027-01-01"}, nil},
		{[]string{"--hook", "cat >" + taken, "--since", "2027-01-01"}, nil},
	} {
		_ = os.Remove(taken)
		status, stdout, stderr := call("", append([]string{"report", "-c", conf}, tt.args...)...)
		if status != 0 || stdout != "" || stderr != "" {
			t.Errorf("report %q = %d, %q, %q", tt.args, status, stdout, stderr)
		}
		got, err := os.ReadFile(taken)
		if (err == nil) != (tt.want != nil) {
			t.Errorf("report %q: sent %v; want %v", tt.args, err == nil, tt.want != nil)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(got), want) {
				t.Errorf("report %q sent\n%.500s\nwant %q", tt.args, got, want)
			}
		}
	}
	for _, args := range [][]string{{"--mail", "-f"}, {"--mail", "a b"}, {"--mail", "postmaster", "--html", "x.html"}} {
		if status, _, _ := call("", append([]string{"report", "-c", conf}, args...)...); status != 2 {
			t.Errorf("report %q = %d; want 2", args, status)
		}
	}
}

// TestReportOfNoLog: a log without anybody who was refused is quiet, and where none came in
// it is told: by mail, and by the status that the unit ends with.
func TestReportOfNoLog(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken")
	testbed.WriteFile(t, filepath.Join(folder, "sendmail"), "#!/bin/sh\ncat >"+taken+"\n")
	if err := os.Chmod(filepath.Join(folder, "sendmail"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	passed := string(journal.Logfmt.Append(nil, &journal.Record{Request: policy.Request{
		Time: time.Date(2026, time.November, 28, 3, 4, 5, 0, time.UTC), Client: netip.MustParseAddr("203.0.113.20"),
	}}))
	const message = "time=2026-11-28T03:04:05.000Z level=INFO msg=listening address=127.0.0.1:10040\n"
	for _, tt := range []struct {
		log, args string
		status    int
	}{
		{passed, "--mail postmaster", 0},
		{passed, "--mail postmaster --since 2027-01-01", 0},
		{passed, "--hook cat", 0},
		{message, "--mail postmaster", 0}, // it arrives, and nobody came
		{passed[:80] + "\n" + passed, "--mail postmaster", 0},
		{"", "--mail postmaster", 1},
		{"", "--hook cat", 1},
		{passed[:80] + "\n", "--mail postmaster", 1},
	} {
		_ = os.Remove(taken)
		status, _, stderr := call(tt.log, append([]string{"report", "-"}, strings.Fields(tt.args)...)...)
		mail, _ := os.ReadFile(taken)
		const says = "no decision log came in"
		mailed := strings.Contains(string(mail), "To: postmaster\nSubject: policyd-rdns: "+says)
		if status != tt.status || strings.Contains(stderr, says) != (status != 0) || mailed != (status != 0 && strings.Contains(tt.args, "--mail")) {
			t.Errorf("report %s of %q = %d, %q, and sent %q; want %d", tt.args, tt.log, status, stderr, mail, tt.status)
		}
	}
}
