package plain

import (
	"io"
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	long := strings.Repeat("x", 70)
	address := "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]"
	tests := []struct {
		line        string
		width, hang int
		want        string
	}{
		{strings.Repeat("a ", 100), 0, 4, strings.Repeat("a ", 100)},
		{"a b", 60, 4, "a b"},
		{"client " + address + " and " + address + ": b", 60, 4, "client " + address + " and\n    " + address + ": b"},
		{"client " + address + " and " + address + ": b", 60, 59, "client " + address + " and\n          " + address + ": b"},
		{long + " a", 60, 2, strings.Repeat("x", 60) + "\n  " + strings.Repeat("x", 10) + " a"},
		{"ab  " + long + " c", 60, 4, "ab  " + strings.Repeat("x", 56) + "\n    " + strings.Repeat("x", 14) + " c"},
		// Colours take no room, and are not cut.
		{"\x1b[31m" + strings.Repeat("a", 30) + "\x1b[0m " + strings.Repeat("b", 29), 60, 2, "\x1b[31m" + strings.Repeat("a", 30) + "\x1b[0m " + strings.Repeat("b", 29)},
		{"\x1b[2m" + long + "\x1b[0m", 60, 0, "\x1b[2m" + strings.Repeat("x", 60) + "\n" + strings.Repeat("x", 10) + "\x1b[0m"},
	}
	for _, tt := range tests {
		if got := Fold(tt.line, tt.width, tt.hang); got != tt.want {
			t.Errorf("Fold(%q, %d, %d) =\n%s; want\n%s", tt.line, tt.width, tt.hang, got, tt.want)
		}
	}
}

// FuzzFold: no line is too long, nothing is lost but spaces, and no short word is broken.
func FuzzFold(f *testing.F) {
	f.Add("a  b c", uint8(60), uint8(4))
	f.Add("    2001:db8::1  \x1b[31mreject\x1b[0m  "+strings.Repeat("x", 200), uint8(80), uint8(40))
	f.Add("\x1b[ \x1b", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, line string, width, hang uint8) {
		if strings.ContainsAny(line, "\n\x1b") {
			return
		}
		most := narrowest + int(width)
		got := Fold(line, most, int(hang))
		for part := range strings.SplitSeq(got, "\n") {
			if Visible(part) > most {
				t.Errorf("%d characters; want at most %d: %q", Visible(part), most, part)
			}
		}
		none := strings.NewReplacer(" ", "", "\n", "")
		if none.Replace(got) != none.Replace(line) {
			t.Errorf("Fold(%q) = %q: it is another text", line, got)
		}
		for word := range strings.SplitSeq(line, " ") {
			if len(word) <= unbroken && !strings.Contains(got, word) {
				t.Errorf("Fold(%q) = %q: %q is broken", line, got, word)
			}
		}
	})
}

func TestFolder(t *testing.T) {
	var b strings.Builder
	f := Folder{out: &b, width: 60}
	for _, part := range []string{"  helo  mismatch  ", "mail.example.org resolves to 192.0.2.1, 192.0.2.2, 192.0.2.3\n\nshort\nunfinished"} {
		if n, err := io.WriteString(&f, part); n != len(part) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	want := "  helo  mismatch  mail.example.org resolves to 192.0.2.1,\n          192.0.2.2, 192.0.2.3\n\nshort\n"
	if b.String() != want {
		t.Errorf("written\n%s; want\n%s", b.String(), want)
	}
	b.Reset()
	f = Folder{out: &b}
	if _, _ = io.WriteString(&f, "to no terminal"); b.String() != "to no terminal" {
		t.Errorf("written %q", b.String())
	}
}

func TestColumns(t *testing.T) {
	cells := [][]string{
		{"NAME", "N", "ADDRESS", "WHY"},
		{"a name of some length", "7", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "a reason that has some words, so that it is folded"},
		{"b", "12", "\x1b[31m192.0.2.1\x1b[0m", ""},
	}
	c := Columns{Widths: []int{21, 2, 38, 50}, Right: []bool{false, true, false, false}, Margin: " "}
	tests := []struct {
		width int
		want  string
	}{
		{0, ` NAME                    N  ADDRESS                                 WHY
 a name of some length   7  2001:db8:ffff:ffff:ffff:ffff:ffff:ffff  a reason that has some words, so that it is folded
 b                      12  ` + "\x1b[31m192.0.2.1\x1b[0m\n"},
		{60, ` NAME                    N
     ADDRESS
     WHY
 a name of some length   7
     2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
     a reason that has some words, so that it is folded
 b                      12
     ` + "\x1b[31m192.0.2.1\x1b[0m\n"},
	}
	for _, tt := range tests {
		c.Width = tt.width
		got := ""
		for _, row := range cells {
			got += c.Row(row)
		}
		if got != tt.want {
			t.Errorf("%d wide:\n%s; want\n%s", tt.width, got, tt.want)
		}
	}
}
