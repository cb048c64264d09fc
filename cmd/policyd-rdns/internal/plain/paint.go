package plain

import (
	"io"
	"os"
)

// Paint writes in colours, if there is a terminal to show them.
type Paint bool

// PaintFor is whether to write to w in colours.
func PaintFor(w io.Writer) Paint { return Paint(Terminal(w)) }

func (p Paint) as(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold is s in bold letters.
func (p Paint) Bold(s string) string { return p.as("1", s) }

// Red is s in red: somebody has to act, or mail is lost.
func (p Paint) Red(s string) string { return p.as("31", s) }

// Yellow is s in yellow: less than red.
func (p Paint) Yellow(s string) string { return p.as("33", s) }

// Green is s in green: all is well.
func (p Paint) Green(s string) string { return p.as("32", s) }

// Dim is s in pale letters: it matters less.
func (p Paint) Dim(s string) string { return p.as("2", s) }

// Terminal reports whether somebody watches who can see colours
// (https://no-color.org).
func Terminal(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && Interactive(w)
}

// Interactive reports whether a stream is a terminal, at which somebody may sit.
func Interactive(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // a character device too
	return err != nil || !os.SameFile(info, null)
}
