package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestAllow makes exemptions, lists them, and takes them out, as the command does.
func TestAllow(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "config.toml"), filepath.Join(dir, "exempt.toml")
	dns, _ := testbed.StartWorld(t, "mail.example.org. A 203.0.113.10\n10.113.0.203.in-addr.arpa. PTR mail.example.org.\n")
	log := filepath.Join(dir, "decisions.log")
	writeFile(t, log, "")
	writeFile(t, path, "exempt_file = \"exempt.toml\"\n[server]\nlisten = [\"unix:"+dir+"/socket\"]\n[resolver]\nservers = [\""+dns+"\"]\n[log]\nfile = \""+log+"\"\n")
	for _, tt := range []struct {
		args   string
		status int
		stdout string // a part
		stderr string
	}{
		{"--list", 0, "no exemptions in " + file, ""},
		{"203.0.113.1 --for 30d --why ticket", 0, "203.0.113.1 is exempt until ", ""},
		{"203.0.113.2", 0, "203.0.113.2 is exempt for good", ""},
		{"mail.example.org", 0, "mail.example.org is exempt for good", ""},
		{"other.example.org", 1, "", "no client is known to have such a confirmed name"},
		{"0.0.0.0/0", 1, "", "0.0.0.0/0"},
		{"203.0.113.0/24", 1, "", "with --yes it is done"},
		{"203.0.113.0/24 --yes", 0, "203.0.113.0/24 is exempt for good", ""},
		{"user@example.net --sender", 0, "user@example.net is exempt", "warning: anyone may claim"},
		{"--list", 0, "user@example.net", ""},
		{"--remove 203.0.113.2", 0, "the exemption of 203.0.113.2 is gone", ""},
		{"--remove 203.0.113.2", 1, "", "203.0.113.2 is exempt by 203.0.113.0/24 alone"},
		{"", 2, "", "allow wants one address, network or name"},
		{"a b", 2, "", "allow wants one address, network or name"},
		{"--list 203.0.113.1", 2, "", "stand alone"},
		{"--list --remove 203.0.113.1", 2, "", "stand alone"},
		{"--remove 203.0.113.1 --yes", 2, "", "stand alone"},
		{"203.0.113.1 --for x", 2, "", "want a duration such as 30d"},
		{"203.0.113.1 --for 1d --until 2027-01-01", 2, "", "want one of them"},
	} {
		status, stdout, stderr := call("", append(append([]string{"allow"}, strings.Fields(tt.args)...), "-c", path)...)
		if status != tt.status || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.status == 0 && tt.stderr == "" && stderr != "" {
			t.Errorf("allow %s = %d, %q, %q; want %d, %q, %q", tt.args, status, stdout, stderr, tt.status, tt.stdout, tt.stderr)
		}
	}
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range conf.Origins {
		if conf.Origins[i].Source == config.Listed {
			n++
		}
	}
	if text, err := os.ReadFile(file); n != 4 || err != nil {
		t.Errorf("%d exemptions left, %v; want 4:\n%s", n, err, text)
	}
	if status, _, stderr := call("", "allow", "203.0.113.1"); status != 1 || !strings.Contains(stderr, `exempt_file = "/etc/policyd-rdns/exempt.toml"`) {
		t.Errorf("without exempt_file: %d, %q; want 1 and the line to add", status, stderr)
	}
}

// TestWhichFile: a command says which configuration it has read, and those that read none
// say nothing.
func TestWhichFile(t *testing.T) {
	path := testbed.TempFile(t, "config.toml", "[server]\nlisten = [\"unix:"+t.TempDir()+"/socket\"]\n")
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log := testbed.TempLog(t, nil)
	want := "policyd-rdns: configuration " + path + " (" + conf.Hash + ")\n"
	for _, args := range [][]string{{"configtest"}, {"report", log}, {"replay", log}, {"allow", "--list"}, {"explain", "203.0.113.10"}} {
		if _, _, stderr := callAsIs("", append(args, "-c", path)...); !strings.Contains(stderr, want) {
			t.Errorf("%q says %q; want %q", args, stderr, want)
		}
	}
	for _, args := range []string{"version", "classify", "completion bash", "log " + log + " -c " + path, "configtest -c none"} {
		if _, _, stderr := callAsIs("", strings.Fields(args)...); strings.Contains(stderr, "configuration") {
			t.Errorf("%s says %q", args, stderr)
		}
	}
}
