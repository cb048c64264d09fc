package plain

import (
	"slices"
	"testing"
)

func TestWords(t *testing.T) {
	tests := []struct{ got, want string }{
		{Number(0), "0"},
		{Number(999), "999"},
		{Number(1000), "1,000"},
		{Number(-1000), "-1,000"},
		{Number(-999), "-999"},
		{Number(1234567), "1,234,567"},
		{Grouped("12345", "_"), "12_345"},
		{Plural(0, "mail"), "0 mails"},
		{Plural(1, "mail"), "1 mail"},
		{Plural(1000, "mail"), "1,000 mails"},
		{Times(1), "once"},
		{Times(2), "twice"},
		{Times(3), "3 times"},
		{Percent(0, 0), "-"},
		{Percent(0, 5), "0.0%"},
		{Percent(5, 5), "100.0%"},
		{Percent(1, 10_000), "< 0.1%"},
		{Percent(9999, 10_000), "> 99.9%"},
		{Percent(1, 3), "33.3%"},
		{Clip("abc", 3), "abc"},
		{Clip("aéb", 2), "a..."}, // cut within a letter
		{OrDash(""), "-"},
		{OrDash("a"), "a"},
		{List(nil, "and"), ""},
		{List([]string{"a"}, "and"), "a"},
		{List([]string{"a", "b"}, "or"), "a or b"},
		{List([]string{"a", "b", "c"}, "and"), "a, b and c"},
		{Sentence("  a\x1b \u202eb  c"), "a? ?b c"},
	}
	for i, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%d: got %q; want %q", i, tt.got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"", nil},
		{"a b\n c", []string{"a b c"}},
		{"ab cd ef", []string{"ab cd", "ef"}},
		{"abcdefg h", []string{"abcdefg", "h"}},
	}
	for _, tt := range tests {
		if got := Wrap(tt.text, 5); !slices.Equal(got, tt.want) {
			t.Errorf("Wrap(%q, 5) = %q; want %q", tt.text, got, tt.want)
		}
	}
}
