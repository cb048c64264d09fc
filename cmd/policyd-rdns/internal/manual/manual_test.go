package manual

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write testdata anew")

// program is a command like ours.
func program() *cobra.Command {
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

const file = `# prog: every setting. What is left out keeps
# its default.

# How much.
much = 5

[other]
# Two of a kind, "a"
# or "b".
one = "a"
two = ["-b"]

# Alone.
three = 3

[http]
listen = []

# Rules. The first that holds decides. The entries:
#
#   ptr        "found" "none"
#   a, b       true
#              or false
#
# To use the examples, remove "#":
#
#[[rule]]
#name   = "own users"
#
#[[rule]]
#name   = "others"
`

func head() Head {
	return Head{Version: "1.2~rc-3", Date: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)}
}

// TestPages compares pages with those in testdata, which were looked at.
func TestPages(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer) error{
		"testdata/program.8": func(b *bytes.Buffer) error { return Program(b, program(), head()) },
		"testdata/file.5": func(b *bytes.Buffer) error {
			return Configuration(b, "file", strings.Replace(file, "listen = []", "# Where.\nlisten = []", 1), head())
		},
	} {
		var page bytes.Buffer
		if err := write(&page); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if *update {
			if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(page.Bytes(), want) {
			t.Errorf("%s differs (-update writes it anew):\n%s", name, page.Bytes())
		}
	}
}

func TestParseExampleErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{file, `file: line 16: "[http]\nlisten = []": a key without a comment`},
		{"# a\n\n# b\n\nc = 1\n\n# Rules. x", `file: line 3: "# b": a comment without a key`},
		{"# a\n\nc = 1\n\n# Rules. x", `file: line 3: "c = 1": a key without a comment`},
		{"# a\n\n# b\nc = 1\nnonsense\n\n# Rules. x", `file: line 3: "# b\nc = 1\nnonsense": want comments, then keys`},
		{"# a\n\n# b\nc = 1\n# d\ne = 1\n\n# Rules. x", `file: line 3: "# b\nc = 1\n# d\ne = 1": want comments, then keys`},
		{"# a\n", `file: want a line that begins with "# Rules."`},
	} {
		err := Configuration(&bytes.Buffer{}, "file", c.text, head())
		if err == nil || err.Error() != c.want {
			t.Errorf("Configuration(%.40q) = %v; want %s", c.text, err, c.want)
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
