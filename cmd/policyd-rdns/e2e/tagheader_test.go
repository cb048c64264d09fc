package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// strayHeader is one as a stranger may send it.
const strayHeader = "X-Policyd-Rdns: rule=harmless; name=proper; fcrdns=pass; helo=match"

// TestPostfixHeaderOfStrangers: header_checks are about the header that the daemon adds
// as about any other; what doctor proposes takes off those of strangers alone.
func TestPostfixHeaderOfStrangers(t *testing.T) {
	t.Parallel()
	postcat := testbed.NeedProgram(t, "postcat", "postfix")
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), gentleRules))
	postfix.start(t, smtpdService{name: "smtp", options: []string{strings.ReplaceAll(atRecipient, "POLICY", policyService("inet:"+rdns.tcp))}})
	headers := func(addr string) []string {
		client := mailClient{addr: addr, helo: gentleHELO(addr)}
		c := client.connect(t, postfix.addrs["smtp"])
		defer c.quit(t)
		c.must(t, "MAIL FROM:<sender@example.net>")
		c.must(t, "RCPT TO:<user@example.com>")
		c.must(t, "RCPT TO:<other@example.com>")
		c.must(t, "DATA")
		reply := c.say(t, strayHeader+"\r\nSubject: test\r\n\r\ntest\r\n.")
		_, id, _ := strings.Cut(reply, "queued as ")
		out, err := exec.Command(postcat, "-c", postfix.path("etc"), "-h", postfix.path("queue", "incoming", id)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var ours []string
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "X-Policyd-Rdns:") {
				ours = append(ours, strings.TrimSpace(line))
			}
		}
		return ours
	}
	want := func(when, addr string, want ...string) {
		t.Helper()
		if got := headers(addr); !slices.Equal(got, want) {
			t.Errorf("%s, mail of %s has %q; want %q", when, addr, got, want)
		}
	}
	want("without header_checks", "203.0.113.20", taggedBy20, strayHeader)

	f := postfix.tagFinding(t, rdns)
	if f.ID != "tag.foreign" || f.Level != doctor.Warning {
		t.Errorf("without header_checks doctor finds %s %s; want warning tag.foreign", f.Level, f.ID)
	}
	for _, line := range f.Do {
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(os.Environ(), "MAIL_CONFIG="+postfix.path("etc"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	postfix.process.await(t, "reload -- version")
	want("as doctor says", "203.0.113.20", taggedBy20)
	want("as doctor says", "203.0.113.22")
	if f := postfix.tagFinding(t, rdns); f.ID != "tag.foreign" || f.Level != doctor.OK {
		t.Errorf("as doctor says it finds %s %s; want ok tag.foreign", f.Level, f.ID)
	}

	// The line as one would write it takes off ours, too.
	testbed.WriteFile(t, postfix.path("etc", "policyd-rdns.header_checks"), "/^X-Policyd-Rdns:/ IGNORE\n")
	if f := postfix.tagFinding(t, rdns); f.ID != "tag.stripped" || f.Level != doctor.Error {
		t.Errorf("where all are taken off doctor finds %s %s; want error tag.stripped", f.Level, f.ID)
	}
}

// tagFinding is what doctor says of the header of tags.
func (p *postfixInstance) tagFinding(t *testing.T, d *rdnsInstance) doctor.Finding {
	t.Helper()
	testbed.Age(t, p.path("etc", "main.cf")) // else postconf waits
	cmd := program(t, "doctor", "--json", "-c", d.config)
	cmd.Env = append(os.Environ(), "MAIL_CONFIG="+p.path("etc"))
	out, _ := cmd.Output() // the status is about much else
	var r struct{ Findings []doctor.Finding }
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool { return strings.HasPrefix(f.ID, "tag.") })
	if i < 0 {
		t.Fatalf("doctor says nothing of tags:\n%s", out)
	}
	return r.Findings[i]
}
