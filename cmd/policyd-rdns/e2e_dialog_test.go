package main

import (
	"fmt"
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
)

// dialog is one SMTP session with a service of its own, word by word, and the
// decisions in it.
type dialog struct {
	name string
	// options of the service; POLICY is the restriction that asks the program.
	options []string
	through bool // postscreen
	chroot  bool
	// talk is what is said, a line each:
	//	+ command    has to be accepted, whatever the reply
	//	> command    with the whole reply in the lines that follow
	//	< reply
	//	.            Postfix closes the connection
	// The banner comes before it.
	talk string
	// log has a line for each decision: state, action and rule, and the greeting
	// behind a bar where it matters.
	log string
}

// runDialogs holds the dialogs, one after the other, with one program.
func runDialogs(t *testing.T, config string, dialogs []dialog) []journal.Record {
	t.Helper()
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, config+fmt.Sprintf("\n[server]\nlisten = [\"127.0.0.1:0\"]\n[resolver]\nservers = [%q]\n[helo]\nown_names = [\"mx.example.com\"]\n", unbound.addr))
	ask := strings.NewReplacer(
		"POLICY", policyService("inet:"+rdns.tcp),
		"CONTEXT", fmt.Sprintf("check_policy_service { inet:%s, timeout=10s, policy_context=submission }", rdns.tcp))
	var services []smtpdService
	for _, d := range dialogs {
		s := smtpdService{name: d.name, chroot: d.chroot, through: d.through}
		for _, option := range d.options {
			s.options = append(s.options, ask.Replace(option))
		}
		services = append(services, s)
	}
	postfix.start(t, services...)
	for _, d := range dialogs {
		t.Run(d.name, func(t *testing.T) {
			d.hold(t, dialSMTP(t, postfix.addrs[d.name]))
		})
	}
	records := rdns.stopped(t)
	checkDialogLogs(t, dialogs, records)
	return records
}

// checkDialogLogs compares the decisions in the log to those of the dialogs.
func checkDialogLogs(t *testing.T, dialogs []dialog, records []journal.Record) {
	t.Helper()
	for _, d := range dialogs {
		for want := range strings.Lines(strings.TrimSpace(d.log)) {
			if len(records) == 0 {
				t.Fatalf("%s: no decision in the log; want %s", d.name, want)
			}
			r := &records[0]
			got := fmt.Sprintf("%s %s %s", r.Request.State, r.Decision.Action, r.Decision.Rule)
			want, helo, greeted := strings.Cut(strings.TrimSpace(want), " | ")
			if strings.TrimSpace(got) != want || greeted && r.Request.HELO != helo {
				t.Errorf("%s: decision %s, greeted with %q; want %s, %q", d.name, got, r.Request.HELO, want, helo)
			}
			records = records[1:]
		}
	}
	if len(records) > 0 {
		t.Errorf("%d more decisions in the log, the first of them %+v", len(records), records[0])
	}
}

// hold says what the dialog says and compares the replies.
func (d *dialog) hold(t *testing.T, c *smtpClient) {
	t.Helper()
	said := "the banner"
	var got string
	var want []string
	check := func() {
		t.Helper()
		if want := strings.Join(want, "\n"); want != "" && got != want {
			t.Errorf("%s was answered\n\t%s; want\n\t%s", said, got, want)
		}
		want = nil
	}
	for line := range strings.Lines(d.talk) {
		word, text, _ := strings.Cut(strings.Trim(line, "\t\n"), " ")
		switch word {
		case "+":
			check()
			said, got = text, ""
			c.must(t, text)
		case ">":
			check()
			said, got = text, c.say(t, text)
		case "<":
			want = append(want, text)
		case ".":
			check()
			c.closed(t)
			return
		}
	}
	check()
	c.quit(t)
}
