package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestREADMENamesEveryKey holds the README's table to what the decision log
// writes of a record in which everything is set.
func TestREADMENamesEveryKey(t *testing.T) {
	client := netip.MustParseAddr("203.0.113.10")
	addrs := []netip.Addr{client}
	r := journal.Record{
		ID: "1", Config: "2", Elapsed: time.Millisecond, Reply: "550 5.7.1 no",
		Request: policy.Request{
			Time: time.Unix(0, 0), Client: client, ClientText: "x", ClientName: "x", ReverseClientName: "x", HELO: "x",
			State: "RCPT", Sender: "x", Recipient: "x", Instance: "x", QueueID: "x", Authenticated: true, Encrypted: true,
			Server: client, Context: "x",
		},
		Facts: policy.Facts{
			PTR: resolver.Found, MoreNames: true, OwnClient: true, OwnHELO: true, Errors: []string{"x"}, Questions: 2, Cached: true, Stale: true, Outage: true, Overload: true,
			Names: []policy.Name{{
				Name: "x", Valid: true, Verdict: hostname.Verdict{Generic: true},
				Lead: policy.Lead{Outcome: resolver.Found, Addrs: addrs},
			}},
			HELO: policy.Greeting{Lead: policy.Lead{Outcome: resolver.None}},
		},
		Decision: policy.Decision{
			Decided: policy.Reject, Rule: "x", Downgraded: true, Would: []policy.Verdict{{Action: policy.Reject, Rule: "y"}},
			Checks: policy.Checks{policy.Found, policy.Pass, policy.Generic, policy.Full, policy.FQDN, policy.Match, policy.Generic},
		},
	}
	var fields map[string]any
	if err := json.Unmarshal(journal.JSON.Append(nil, &r), &fields); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(readme(t), "| keys | what they hold |")
	table, _, _ = strings.Cut(table, "\n\n")
	for key := range fields {
		if key != "time" && key != "level" && key != "msg" && !strings.Contains(table, "`"+key+"`") {
			t.Errorf("the README's table lacks %q", key)
		}
	}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for i, key := range strings.Split(cells[min(1, len(cells)-1)], "`") {
			if _, written := fields[key]; i%2 == 1 && !written {
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
	l, err := postfix.Listen("127.0.0.1:0", 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, line, _ := strings.Cut(mainCF(l), l.Addr().String())
	if !strings.Contains(text, "check_policy_service { inet:127.0.0.1:10040"+line) {
		t.Errorf("README.md lacks the line that serve shows: %s", mainCF(l))
	}
	for _, cmd := range newRoot().Commands() {
		if name := cmd.Name(); name != "help" && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not name the command %s", name)
		}
	}
	for _, check := range policy.AllChecks() {
		if !strings.Contains(text, "`"+check.String()+"`") {
			t.Errorf("README.md does not name the check %s", check)
		}
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
		"reject  reverse name not confirmed",
		"reject  generic name and a greeting not its own",
		"reject  greets with our name",
		"defer   no reverse name",
		"defer   reverse name not confirmed",
		"dunno   logged in",
		"dunno   would reject: generic name and greeting",
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
