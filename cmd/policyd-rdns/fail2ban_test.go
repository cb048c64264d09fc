package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

const fail2banFilter = "../../contrib/fail2ban/filter.d/policyd-rdns.conf"

// failRegexps are the regular expressions of the filter, with fail2ban's own
// words for them replaced.
func failRegexps(t *testing.T) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(fail2banFilter)
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`(?m)^(_\w+) = (.*)$`)
	pairs := []string{"<ADDR>", `(?P<addr>[0-9a-fA-F:.]+)`}
	for _, v := range variable.FindAllStringSubmatch(string(text), -1) {
		pairs = append(pairs, "%("+v[1]+")s", v[2])
	}
	_, list, _ := strings.Cut(string(text), "\nfailregex = ")
	list, _, _ = strings.Cut(list, "\n\n")
	var all []*regexp.Regexp
	for line := range strings.Lines(list) {
		all = append(all, regexp.MustCompile(strings.NewReplacer(pairs...).Replace(strings.TrimSpace(line))))
	}
	if len(all) != 2 {
		t.Fatalf("%d regular expressions in %s; want 2", len(all), fail2banFilter)
	}
	return all
}

// fail2banLog is a decision log of one format, with hostile clients in it, and
// the clients that were rejected.
func fail2banLog(t *testing.T, format journal.Format) (lines []string, rejected []string) {
	t.Helper()
	add := func(r *journal.Record) {
		lines = append(lines, strings.TrimSuffix(string(format.Append(nil, r)), "\n"))
		client := ""
		if r.Decision.Action == policy.Reject {
			client = r.Request.Client.String()
		}
		rejected = append(rejected, client)
	}
	for line := range bytes.Lines(week.Record(t)) {
		if r, err := journal.Parse(line); err == nil {
			add(&r)
		}
	}
	for _, helo := range append(testbed.HostileHELOs(),
		`x client=198.51.100.1 y`, `x" client=198.51.100.1 y="`, `x\" client=198.51.100.1 `, `","client":"198.51.100.1`, `\","client":"198.51.100.1`, `action=reject client=198.51.100.1`) {
		for _, action := range []policy.Action{policy.Reject, policy.DUNNO, policy.Defer} {
			q := policy.Request{
				Time: time.Now(), Client: netip.MustParseAddr("203.0.113.99"), HELO: helo, State: "RCPT",
				Sender: helo, Recipient: helo, Instance: "1a.2b.203.0.113.99",
			}
			d := policy.Decision{Action: action, Decided: action, Rule: helo, Would: []policy.Ruling{{Action: policy.Reject, Rule: helo}}}
			r := journal.Record{ID: "abc", Config: "def", Request: q, Decision: d, Elapsed: time.Millisecond}
			switch action {
			case policy.Reject:
				r.Reply = "550 5.7.1 your HELO " + helo
			case policy.Defer: // of a reject that waits, and of one that a doubt made milder
				r.Reply = "DEFER_IF_PERMIT 4.7.1 your HELO " + helo
				r.Decision.Waiting = 4 * 60 * 60
				add(&r)
				r.Decision.Waiting, r.Decision.Decided, r.Decision.Downgraded = 0, policy.Reject, true
			}
			add(&r)
		}
	}
	return lines, rejected
}

// forms are a line as fail2ban hands it on: from a file, with what it takes for
// the time cut out, and from the journal.
func forms(line string) []string {
	stamp := regexp.MustCompile(`^(time=|\{"time":")[0-9T:.-]+Z`)
	return []string{line, stamp.ReplaceAllString(line, ""), "mx policyd-rdns[4711]: " + line}
}

// TestFail2banFilter finds those who were rejected in real log lines, and nobody
// else, whatever a client has put into them.
func TestFail2banFilter(t *testing.T) {
	longAlone(t)
	regexps := failRegexps(t)
	for _, format := range []journal.Format{journal.Logfmt, journal.JSON} {
		lines, rejected := fail2banLog(t, format)
		found := 0
		for i, line := range lines {
			for _, form := range forms(line) {
				got := ""
				for _, re := range regexps {
					if m := re.FindStringSubmatch(form); m != nil {
						got = m[re.SubexpIndex("addr")]
					}
				}
				if got != rejected[i] {
					t.Errorf("%q found in %s; want %q", got, form, rejected[i])
				}
			}
			if rejected[i] != "" {
				found++
			}
		}
		if found < 100 {
			t.Errorf("%d rejects in the log; want more", found)
		}
	}
}

// TestFail2ban has fail2ban itself read the same lines.
func TestFail2ban(t *testing.T) {
	longAlone(t)
	program := needProgram(t, "fail2ban-regex", "fail2ban")
	filter, err := filepath.Abs(fail2banFilter)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []journal.Format{journal.Logfmt, journal.JSON} {
		lines, rejected := fail2banLog(t, format)
		path := filepath.Join(t.TempDir(), "decisions.log")
		writeFile(t, path, strings.Join(lines, "\n")+"\n")
		out, err := exec.Command(program, "--usedns", "no", "-o", "<ip> <time>", path, filter).CombinedOutput()
		if err != nil {
			t.Fatalf("fail2ban-regex: %v\n%s", err, out)
		}
		var want strings.Builder
		for i, client := range rejected {
			if client == "" {
				continue
			}
			r, err := journal.Parse([]byte(lines[i]))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&want, "%s %s\n", client, r.Request.Time.Format("2006-01-02"))
		}
		got := regexp.MustCompile(`(?m) ([0-9.]+)$`).ReplaceAllStringFunc(string(out), func(s string) string {
			var seconds float64
			_, _ = fmt.Sscan(s, &seconds)
			return " " + time.Unix(int64(seconds), 0).UTC().Format("2006-01-02")
		})
		if got != want.String() {
			t.Errorf("fail2ban-regex finds\n%.600s\nwant\n%.600s", got, want.String())
		}
	}
}
