package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// took is how long a lookup took, which no golden file can hold.
var took = regexp.MustCompile(` +[0-9.]+(s|ms|µs)\n`)

const explainZone = `
$TTL 300
14.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 198.51.100.7
13.113.0.203.in-addr.arpa. PTR ip-203-0-113-13.dyn.example.net.
ip-203-0-113-13.dyn.example.net. A 203.0.113.13
20.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 203.0.113.20
40.113.0.203.in-addr.arpa. PTR a\010b\027[31m.example.com.
!servfail 30.113.0.203.in-addr.arpa
`

// TestExplain compares whole explanations with golden files; -update writes
// them.
func TestExplain(t *testing.T) {
	dns, _ := startWorld(t, explainZone)
	config := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, config, dns, anyPort, "[helo]\nown_names = [\"mx.example.net\"]\n")
	tests := []struct {
		golden string
		args   string
		status int
	}{
		{"well-set-up", "203.0.113.20 --helo mail.example.com", 0},
		{"no-reverse-name", "203.0.113.10 --helo mail.example.org", 1},
		{"resolves-elsewhere", "203.0.113.14 --helo mail.example.org --stage client", 1},
		{"generic", "203.0.113.13 --helo ubuntu.example.net --recipient user@example.net", 1},
		{"reverse-zone-fails", "203.0.113.30 --helo mail.example.com", 1},
		{"hostile", "203.0.113.40 --helo \x1b[31mred", 1},
		{"forged", "203.0.113.20 --helo mx.example.net --stage client", 1},
	}
	for _, test := range tests {
		args := append([]string{"explain", "-c", config}, strings.Split(test.args, " ")...)
		status, stdout, stderr := call("", args...)
		got := took.ReplaceAllString(strings.ReplaceAll(stdout, dns, "DNS"), "  TIME\n")
		for c := policy.CheckHELOName + 1; c < policy.NumChecks; c++ { // a further check has a line of its own
			got = regexp.MustCompile(`(?m)^  `+c.String()+` .*\n`).ReplaceAllString(got, "")
		}
		golden := filepath.Join("testdata/explain", test.golden+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if status != test.status || stderr != "" || got != string(want) {
			t.Errorf("explain %s = %d, %q; want %d\ngot:\n%s\nwant:\n%s", test.args, status, stderr, test.status, got, want)
		}
	}
}

// TestExplainExemption pastes the rule that explain offers in front of the
// others: the client passes.
func TestExplainExemption(t *testing.T) {
	dns, _ := startWorld(t, explainZone)
	config := filepath.Join(t.TempDir(), "config.toml")
	for _, args := range []string{"203.0.113.10 --helo x.example.org", "203.0.113.13 --helo ubuntu.example.net", "203.0.113.20 --helo 203.0.113.20"} {
		writeConfig(t, config, dns, anyPort, "")
		call := func() (status int, e map[string]any) {
			status, stdout, stderr := call("", append([]string{"explain", "--json", "-c", config}, strings.Split(args, " ")...)...)
			if err := json.Unmarshal([]byte(stdout), &e); err != nil {
				t.Fatalf("explain %s: %v: %s%s", args, err, stdout, stderr)
			}
			return status, e
		}
		status, e := call()
		exempt, _ := e["exempt"].(string)
		if status != 1 || e["action"] != "reject" || exempt == "" {
			t.Errorf("explain %s = %d, %v; want a reject with an exemption", args, status, e)
		}
		writeConfig(t, config, dns, anyPort, exempt)
		if status, e := call(); status != 0 || e["action"] != "dunno" {
			t.Errorf("explain %s after the exemption = %d, %v; want dunno:\n%s", args, status, e, exempt)
		}
		// Nobody else is let in by it.
		if status, _, _ := explainCall("-c", config, "203.0.113.99", "--helo", "x.example.org"); status != 1 {
			t.Errorf("explain of another client after the exemption = %d; want a reject:\n%s", status, exempt)
		}
	}
}

// TestExplainAttributes: what a rule can ask of the request besides the client.
func TestExplainAttributes(t *testing.T) {
	dns, _ := startWorld(t, explainZone)
	config := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, config, dns, anyPort, `
[[rule]]
name   = "of a context"
when   = { context = "submission", encrypted = true }
action = "dunno"
`)
	for args, want := range map[string]string{
		"":                                   "no reverse name",
		"--context submission":               "no reverse name",
		"--encrypted":                        "no reverse name",
		"--context submission --encrypted":   "of a context",
		"--authenticated":                    "logged in",
		"--authenticated --context anything": "logged in",
	} {
		_, stdout, stderr := explainCall(append(strings.Fields(args), "--json", "-c", config, "203.0.113.10", "--helo", "x.example.org")...)
		var e map[string]any
		if err := json.Unmarshal([]byte(stdout), &e); err != nil || e["rule"] != want {
			t.Errorf("explain %s: %v, rule %v, %s; want %s", args, err, e["rule"], stderr, want)
		}
	}
}

// explainCall explains a client.
func explainCall(args ...string) (status int, stdout, stderr string) {
	return call("", append([]string{"explain"}, args...)...)
}
