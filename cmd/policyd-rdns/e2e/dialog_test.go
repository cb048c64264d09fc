package e2e

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
	// as is the address of the client, if it begins as is usual: its HELO is
	// mail.example.org, and it has a message from sender@example.net.
	as string
	// talk is what is said, a line each:
	//	+ command    has to be accepted, whatever the reply
	//	> command    with the whole reply in the lines that follow
	//	< reply
	//	.            Postfix closes the connection
	talk string
	// log has a line for each decision: state, action and rule, and the HELO
	// behind a bar where it matters.
	log string
}

// runDialogs holds the dialogs, one after the other, with one program.
func runDialogs(t *testing.T, config string, dialogs []dialog) {
	t.Helper()
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, config+fmt.Sprintf("\n[server]\nlisten = [\"127.0.0.1:0\"]\n[resolver]\nservers = [%q]\n[helo]\nown_names = [\"mx.example.com\"]\n", unbound.addr))
	ask := strings.NewReplacer(
		"POLICY", policyService("inet:"+rdns.tcp),
		"CONTEXT", fmt.Sprintf("check_policy_service { inet:%s, timeout=10s, policy_context=submission }", rdns.tcp))
	var services []smtpdService
	for _, d := range dialogs {
		s := smtpdService{name: d.name, through: d.through}
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
	checkDialogLogs(t, dialogs, rdns.stopped(t))
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
			want, helo, heloGiven := strings.Cut(strings.TrimSpace(want), " | ")
			if strings.TrimSpace(got) != want || heloGiven && r.Request.HELO != helo {
				t.Errorf("%s: decision %s, HELO %q; want %s, %q", d.name, got, r.Request.HELO, want, helo)
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
	if d.as != "" {
		c.must(t, "XCLIENT ADDR="+d.as)
		c.must(t, "EHLO mail.example.org")
		c.must(t, "MAIL FROM:<sender@example.net>")
	}
	lines := strings.Split(strings.Trim(d.talk, "\t\n"), "\n")
	for i := range lines {
		lines[i] = strings.Trim(lines[i], "\t")
	}
	for len(lines) > 0 {
		said := lines[0]
		lines = lines[1:]
		switch {
		case said == ".":
			c.closed(t)
			return
		case strings.HasPrefix(said, "+ "):
			c.must(t, said[2:])
		case strings.HasPrefix(said, "> "):
			var want []string
			for len(lines) > 0 && strings.HasPrefix(lines[0], "< ") {
				want = append(want, lines[0][2:])
				lines = lines[1:]
			}
			if got := c.say(t, said[2:]); got != strings.Join(want, "\n") {
				t.Errorf("%s was answered\n\t%s; want\n\t%s", said[2:], got, strings.Join(want, "\n\t"))
			}
		default:
			t.Fatalf("%q: want +, >, < or a dot", said)
		}
	}
	c.quit(t)
}
