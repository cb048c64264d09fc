package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

// taggedHeader is the header of a tag by rules, from a client with these results.
func taggedHeader(t *testing.T, name, fcrdns, helo string, rules ...string) string {
	t.Helper()
	d := policy.Decision{Tags: rules}
	for check, text := range map[policy.Check]string{policy.CheckName: name, policy.CheckFCrDNS: fcrdns, policy.CheckHELO: helo} {
		r, ok := check.Result(text)
		if !ok {
			t.Fatalf("%s has no result %s", check, text)
		}
		d.Checks[check] = r
	}
	return d.Header()
}

// contribFile is a file of contrib/.
func contribFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "contrib", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestContribScores: what the rules for rspamd and SpamAssassin make of headers that are
// as the daemon writes them.
func TestContribScores(t *testing.T) {
	const consumer = "strangers from consumer lines"
	for _, file := range []struct{ path, rule string }{
		{"rspamd/policyd-rdns.lua", `(?m)^tag\['(\w+)'\].*'X-Policyd-Rdns=/(.*)/\{header\}'`},
		{"spamassassin/policyd-rdns.cf", `(?m)^header +(\w+) +X-Policyd-Rdns =~ /(.*)/m$`},
	} {
		rules := regexp.MustCompile(file.rule).FindAllStringSubmatch(contribFile(t, file.path), -1)
		if len(rules) != 5 {
			t.Errorf("%s has %d rules; want 5", file.path, len(rules))
		}
		for _, test := range []struct{ header, want string }{
			{taggedHeader(t, "proper", "pass", "match", "x"), "RDNS_TAGGED"},
			{taggedHeader(t, "generic", "pass", "match", consumer), "RDNS_TAGGED RDNS_CONSUMER RDNS_GENERIC"},
			{taggedHeader(t, "generic", "pass", "unresolved", "x", consumer), "RDNS_TAGGED RDNS_CONSUMER RDNS_GENERIC RDNS_HELO"},
			{taggedHeader(t, "proper", "mismatch", "mismatch", consumer, "x"), "RDNS_TAGGED RDNS_CONSUMER RDNS_FORGED RDNS_HELO"},
			{taggedHeader(t, "none", "none", "none", "name=generic"), "RDNS_TAGGED RDNS_FORGED"},
			{taggedHeader(t, "temperror", "temperror", "temperror", "more "+consumer), "RDNS_TAGGED"},
		} {
			_, value, _ := strings.Cut(test.header, ": ")
			var got []string
			for _, rule := range rules {
				if regexp.MustCompile("(?m)" + rule[2]).MatchString(value) {
					got = append(got, rule[1])
				}
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("%s: %s scores %q; want %q", file.path, test.header, s, test.want)
			}
		}
	}
}

// TestContribHeaderChecks: Postfix takes off headers of rules that are not ours.
func TestContribHeaderChecks(t *testing.T) {
	postmap := needProgram(t, "postmap", "postfix")
	table, err := filepath.Abs(filepath.Join("..", "..", "contrib", "postfix", "policyd-rdns.header_checks"))
	if err != nil {
		t.Fatal(err)
	}
	const consumer = "strangers from consumer lines"
	for header, want := range map[string]string{
		taggedHeader(t, "proper", "pass", "match", consumer):                  "",
		taggedHeader(t, "proper", "pass", "match", consumer, "another rule"):  "",
		"X-Policyd-Rdns: rule=" + consumer:                                    "",
		taggedHeader(t, "proper", "pass", "match", "x"):                       "IGNORE",
		taggedHeader(t, "proper", "pass", "match", consumer, "x"):             "IGNORE",
		taggedHeader(t, "proper", "pass", "match", "no "+consumer):            "IGNORE",
		"X-Policyd-Rdns: rule=" + consumer + ", ; name=proper":                "IGNORE",
		"x-policyd-rdns:" + strings.Repeat(" ", 3) + "rule=" + consumer + "x": "IGNORE",
		"Subject: X-Policyd-Rdns: rule=x":                                     "",
	} {
		out, _ := exec.Command(postmap, "-q", header, "regexp:"+table).Output() // 1: nothing
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s: %q; want %q", header, got, want)
		}
	}
}
