package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/manual"
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
// config.example.toml, comments and all, but for the lists of results: the page
// explains them.
func TestManHoldsTheExample(t *testing.T) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	_, text := manPage(t, "policyd-rdns.toml.5")
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, ".B ", "")), " ")
	result := regexp.MustCompile(`^ +("[a-z_]+" ?)+$`)
	for line := range strings.Lines(string(example)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "#")
		if !result.MatchString(line) && !strings.Contains(text, strings.Join(strings.Fields(line), " ")) {
			t.Errorf("policyd-rdns.toml(5) lacks %s", line)
		}
	}
}

// TestManFolder writes all pages where a package wants them.
func TestManFolder(t *testing.T) {
	folder := t.TempDir()
	if status, stdout, stderr := call("", "man", "--folder", folder, "--epoch", "1795392000"); status != 0 || stdout+stderr != "" {
		t.Fatalf("man --folder = %d, %q, %q", status, stdout, stderr)
	}
	for _, name := range manual.Pages() {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if want, _ := manPage(t, name, "--epoch", "1795392000"); err != nil || string(got) != want {
			t.Errorf("%s: %v, %d bytes; want the %d of man %s", name, err, len(got), len(want), name)
		}
	}
}

// TestManIsSet has man(1) set the pages: it has nothing to complain about. No line
// is longer than 80 bytes unless it is an example.
func TestManIsSet(t *testing.T) {
	man := needProgram(t, "man", "man-db")
	for _, page := range manual.Pages() {
		roff, _ := manPage(t, page)
		cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "-")
		cmd.Stdin = strings.NewReader(roff)
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("man %q: %v\n%s", page, err, &complaints)
		}
		example := false
		for line := range strings.Lines(roff) {
			example = line == ".nf\n" || example && line != ".fi\n"
			if !example && len(line) > 80+1 {
				t.Errorf("man %q: %d bytes: %s", page, len(line), line)
			}
		}
	}
}
