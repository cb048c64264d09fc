package plain

import "testing"

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
