package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
)

const exampleFile = "../../config.example.toml"

// manPage is a page as the program writes it, and as text without roff.
func manPage(t *testing.T, args ...string) (roff, text string) {
	t.Helper()
	status, roff, stderr := call("", append([]string{"man"}, args...)...)
	if status != 0 || stderr != "" {
		t.Fatalf("man %q = %d, %q", args, status, stderr)
	}
	text = strings.NewReplacer(`\-`, "-", `\(dq`, `"`, `\(aq`, "'", `\(ga`, "`", `\(ti`, "~", `\fB`, "", `\fI`, "", `\fR`, "").Replace(roff)
	return roff, text
}

// TestManNamesEveryCommandAndFlag holds policyd-rdns(8) to the commands and the
// line for Postfix.
func TestManNamesEveryCommandAndFlag(t *testing.T) {
	_, text := manPage(t, "--epoch", "1795392000")
	root := newRoot()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		_, section, ok := strings.Cut(text, "\n.SS \""+cmd.Name())
		section, _, _ = strings.Cut(section, "\n.S")
		if !ok {
			t.Errorf("policyd-rdns(8) lacks the command %s", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" && !strings.Contains(section, "--"+f.Name) {
				t.Errorf("policyd-rdns(8) lacks %s --%s", cmd.Name(), f.Name)
			}
		})
	}
	for _, want := range []string{
		`.TH POLICYD-RDNS 8 "2026-11-23" "policyd-rdns `,
		"\n    check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }\n",
		"inet:" + config.Defaults().Server.Listen[0],
		"--helo name", "SIGHUP", "Wrong usage", "-c, --config file",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("policyd-rdns(8) lacks %q:\n%s", want, text)
		}
	}
}

// TestManHoldsTheExample holds policyd-rdns.toml(5) to the words of
// config.example.toml, comments and all.
func TestManHoldsTheExample(t *testing.T) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	_, text := manPage(t, "--toml", exampleFile)
	text = strings.Join(strings.Fields(text), " ")
	for line := range strings.Lines(string(example)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "#")
		line = strings.TrimPrefix(line, " Rules.")
		if !strings.Contains(text, strings.Join(strings.Fields(line), " ")) {
			t.Errorf("policyd-rdns.toml(5) lacks %s", line)
		}
	}
}

// TestManIsSet has man(1) set the pages: it has nothing to complain about. No line
// is longer than 80 bytes unless it is an example.
func TestManIsSet(t *testing.T) {
	man := needProgram(t, "man", "man-db")
	for _, args := range [][]string{nil, {"--toml", exampleFile}} {
		roff, _ := manPage(t, args...)
		cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "-")
		cmd.Stdin = strings.NewReader(roff)
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("man %q: %v\n%s", args, err, &complaints)
		}
		example := false
		for line := range strings.Lines(roff) {
			example = line == ".nf\n" || example && line != ".fi\n"
			if !example && len(line) > 80+1 {
				t.Errorf("man %q: %d bytes: %s", args, len(line), line)
			}
		}
	}
}
