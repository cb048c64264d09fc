package plain

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc..."},
		{"a\x1b[31m\n\x7f", 20, "a?[31m??"},
		{"é\u202e\xff", 20, "???"},
		{"aé", 2, "a?..."}, // cut within a rune
	}
	for _, tt := range tests {
		if got := Text(tt.in, tt.limit); got != tt.want {
			t.Errorf("Text(%q, %d) = %q; want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Dash(""), "-"},
		{Dash("a"), "a"},
		{Plural(0, "error", "errors"), "0 errors"},
		{Plural(1, "other", "others"), "1 other"},
		{Plural(1234, "error", "errors"), "1234 errors"},
		{Number(0), "0"},
		{Number(999), "999"},
		{Number(1000), "1,000"},
		{Number(12345678), "12,345,678"},
		{Indent("a\nb\n"), "  a\n  b\n"},
		{Indent("a"), "  a\n"},
		{Cell(strings.Repeat("é", 40)), strings.Repeat("?", 30) + "..."},
		{Line(strings.Repeat("a", 256)), strings.Repeat("a", 255) + "..."},
	} {
		if test.got != test.want {
			t.Errorf("got %q; want %q", test.got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"one", 10, []string{"one"}},
		{"one two three", 7, []string{"one two", "three"}},
		{" one\n two\tthree ", 6, []string{"one", "two", "three"}},
		{"a much-longer-word b", 4, []string{"a", "much-longer-word", "b"}},
	} {
		if got := Wrap(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("Wrap(%q, %d) = %q; want %q", test.text, test.width, got, test.want)
		}
	}
}

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
