package plain

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestPaint: colours on a terminal alone.
func TestPaint(t *testing.T) {
	if got, want := Paint(true).Red("a")+Paint(true).Bold("b"), "\x1b[31ma\x1b[0m\x1b[1mb\x1b[0m"; got != want {
		t.Errorf("painted %q; want %q", got, want)
	}
	if got := Paint(false).Red("a"); got != "a" {
		t.Errorf("not painted, but %q; want a", got)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Terminal(new(bytes.Buffer)) || Terminal(null) {
		t.Error("a buffer or /dev/null is taken for a terminal")
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Indent("a\nb\n"), "  a\n  b\n"},
		{Counted(1, "decision was", "decisions were"), "1 decision was"},
		{Counted(2000, "decision was", "decisions were"), "2,000 decisions were"},
		{Indent("a"), "  a\n"},
		{Cell(strings.Repeat("é", 40)), strings.Repeat("?", 30) + "..."},
		{Line(strings.Repeat("a", 256)), strings.Repeat("a", 255) + "..."},
	} {
		if test.got != test.want {
			t.Errorf("got %q; want %q", test.got, test.want)
		}
	}
}
