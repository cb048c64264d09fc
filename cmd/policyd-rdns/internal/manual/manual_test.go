package manual

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

var update = flag.Bool("update", false, "write testdata anew")

// command is a program like ours.
func command() *cobra.Command {
	root := &cobra.Command{Use: "prog", Short: "do things", Long: "prog does things.\n\n  prog do it     does it"}
	do := &cobra.Command{
		Use: "do [WHAT...]", Short: "do a thing",
		Long: "do does what it's told: C:\\x, ~ and `x`. Then\n.it ends, with --all or \"-\".\n\n  prog do -a 'x y'\n\n  .x\n\n'tis all.",
		Run:  func(*cobra.Command, []string) {},
	}
	do.Flags().BoolP("all", "a", false, "everything")
	do.Flags().String("in", "here", "in this `place`")
	do.Flags().Bool("never", false, "not shown")
	_ = do.Flags().MarkHidden("never")
	hidden := &cobra.Command{Use: "hide", Short: "not shown", Hidden: true, Run: do.Run}
	version := &cobra.Command{Use: "version", Short: "print the version", Run: do.Run}
	root.AddCommand(do, hidden, version)
	return root
}

func head() Head {
	return Head{Version: "1.2~rc-3", Date: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)}
}

// TestProgram compares the page of a program with that in testdata, which was looked at.
func TestProgram(t *testing.T) {
	const golden = "testdata/program.8"
	var page bytes.Buffer
	if err := Write(&page, "policyd-rdns.8", command(), head()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page.Bytes(), want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", golden, page.Bytes())
	}
}

// TestNames: a page is asked for by the name of its file.
func TestNames(t *testing.T) {
	err := Write(&bytes.Buffer{}, "policyd-rdns.9", command(), head())
	if want := `no manual page "policyd-rdns.9": there are policyd-rdns.8, policyd-rdns.toml.5, policyd-rdns-log.5`; err == nil || err.Error() != want {
		t.Errorf("Write = %v; want %s", err, want)
	}
}

// plainText is a page as text without roff.
func plainText(t *testing.T, name string) string {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, name, command(), head()); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(`\-`, "-", `\(dq`, `"`, `\(aq`, "'", `\(ga`, "`", `\(ti`, "~").Replace(page.String())
	return strings.Join(strings.Fields(text), " ")
}

// TestTables holds the pages of the formats to what the tables say: every setting,
// entry, check with each of its results, and key of the log is explained.
func TestTables(t *testing.T) {
	type want struct{ page, term, text string }
	var all []want
	file := config.ReadManual()
	for _, table := range file.Tables {
		for _, s := range table.Settings {
			for _, line := range s.Lines {
				all = append(all, want{"policyd-rdns.toml.5", line, s.Text})
			}
		}
	}
	for _, key := range policy.EntryKeys() {
		if c, ok := policy.CheckByName(key); ok {
			all = append(all, want{"policyd-rdns.toml.5", key, c.Question()})
			for _, r := range c.Results() {
				all = append(all, want{"policyd-rdns.toml.5", `"` + r.String() + `"`, c.Doc(r)}, want{"policyd-rdns-log.5", r.String(), c.Doc(r)})
			}
			continue
		}
		all = append(all, want{"policyd-rdns.toml.5", key, policy.EntryValues(key)})
	}
	for _, key := range journal.Manual() {
		all = append(all, want{"policyd-rdns-log.5", key.Name, "(" + key.Kind + ") " + key.Doc})
	}
	pages := map[string]string{}
	for _, name := range Pages() {
		pages[name] = plainText(t, name)
	}
	for _, w := range all {
		text := strings.Join(strings.Fields(w.text), " ")
		if rest := pages[w.page]; !strings.Contains(rest, ".B "+w.term+" ") || !strings.Contains(rest, text) {
			t.Errorf("%s lacks %s: %s", w.page, w.term, text)
		}
	}
}

// TestLogExample: the line of policyd-rdns-log(5) is one, and that of JSON the same.
func TestLogExample(t *testing.T) {
	log := decisionLog()
	line := strings.ReplaceAll(log.Logfmt, "\n", "")
	r, err := journal.Parse([]byte(line))
	if err != nil || r.Decision.Action != policy.Reject || r.Decision.Checks[policy.CheckFCrDNS] != policy.Mismatch {
		t.Errorf("%s is %+v, %v; want a reject of a name that resolves elsewhere", line, r.Decision, err)
	}
	json, err := journal.AppendJSON(nil, line)
	if want := strings.ReplaceAll(log.JSON, "\n", "") + "\n"; err != nil || string(json) != want {
		t.Errorf("JSON of the example = %s, %v; want %s", json, err, want)
	}
	for _, text := range []string{log.Logfmt, log.JSON} {
		for line := range strings.Lines(text) {
			if len(line) > 80 {
				t.Errorf("%d bytes: %s", len(line), line)
			}
		}
	}
}

func TestFilled(t *testing.T) {
	long := strings.Repeat("word ", 20)
	for _, c := range []struct{ text, want string }{
		{"one two", "one two\n"},
		{"One. Two. Three", "One.\nTwo.\nThree\n"},
		{"and so on ... it goes", "and so on ... it goes\n"},
		{"a\n.b", "a .b\n"},
		{".b 'c", "\\&.b \\(aqc\n"},
		{long, strings.TrimSpace(long[:80]) + "\n" + strings.TrimSpace(long[80:]) + "\n"},
	} {
		if got := filled(c.text); got != c.want {
			t.Errorf("filled(%q) = %q; want %q", c.text, got, c.want)
		}
	}
}
