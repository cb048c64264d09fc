package plain

import (
	"bytes"
	"io"
	"strings"
)

// unbroken is the most that a word may have, in characters, so as to be never broken:
// every address is shorter, with what stands around it.
const unbroken = 50

// Fold breaks a line that is longer than width between words, and goes on behind as
// many spaces as hang says. Words of more than 50 characters are broken where the line
// ends, and no shorter ones: no address is. Colours do not count. Width 0: it is not
// broken. The line has no newline, and what is returned has none at its end.
func Fold(line string, width, hang int) string {
	if width <= 0 || Visible(line) <= width {
		return line
	}
	hang = max(min(hang, width-unbroken), 0)
	var b strings.Builder
	room := width // in this line
	begun := false
	for len(line) > 0 {
		gap := len(line) - len(strings.TrimLeft(line, " "))
		word := line[gap:]
		if i := strings.IndexByte(word, ' '); i >= 0 {
			word = word[:i]
		}
		line = line[gap+len(word):]
		long := Visible(word)
		if begun && gap+long > room && (long <= unbroken || gap+unbroken > room) {
			b.WriteString("\n" + strings.Repeat(" ", hang))
			room, gap = width-hang, 0
		}
		b.WriteString(strings.Repeat(" ", gap))
		room -= gap
		for long > max(room, unbroken) {
			var part string
			part, word = cutVisible(word, room)
			b.WriteString(part + "\n" + strings.Repeat(" ", hang))
			room, long = width-hang, Visible(word)
		}
		b.WriteString(word)
		room -= long
		begun = begun || long > 0
	}
	return b.String()
}

// Visible is how many characters of a text are seen: the codes of [Paint] are not.
func Visible(s string) int {
	n := len(s)
	for {
		code := strings.IndexByte(s, 0x1b)
		if code < 0 {
			return n
		}
		end := strings.IndexByte(s[code:], 'm')
		if end < 0 {
			return n
		}
		n -= end + 1
		s = s[code+end+1:]
	}
}

// cutVisible cuts a text behind as many characters as are seen.
func cutVisible(s string, n int) (before, after string) {
	for i := 0; i < len(s); i++ {
		if s[i] == 0x1b {
			if end := strings.IndexByte(s[i:], 'm'); end >= 0 {
				i += end
				continue
			}
		}
		if n == 0 {
			return s[:i], s[i:]
		}
		n--
	}
	return s, ""
}

// Folder is a writer that has its lines folded for a terminal: see [Fold]. What follows
// of a line stands below its last column, which is what stands behind two spaces.
type Folder struct {
	out   io.Writer
	width int
	rest  []byte // a line that has not ended
}

// NewFolder folds what goes to out, if that is a terminal.
func NewFolder(out io.Writer) *Folder { return &Folder{out: out, width: Width(out)} }

// Write is that of [io.Writer]. A line is written when it has ended.
func (f *Folder) Write(p []byte) (int, error) {
	if f.width == 0 {
		return f.out.Write(p)
	}
	f.rest = append(f.rest, p...)
	end := bytes.LastIndexByte(f.rest, '\n')
	if end < 0 {
		return len(p), nil
	}
	var b strings.Builder
	for line := range strings.Lines(string(f.rest[:end+1])) {
		line = strings.TrimSuffix(line, "\n")
		b.WriteString(Fold(line, f.width, lastColumn(line, f.width/2)) + "\n")
	}
	f.rest = append(f.rest[:0], f.rest[end+1:]...)
	if _, err := io.WriteString(f.out, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lastColumn is where the last column of a line begins that does so before some place.
func lastColumn(line string, before int) int {
	column, place := 0, 0 // the place is among what is seen
	for i := 0; i < len(line) && place < before; i++ {
		if line[i] == 0x1b {
			if end := strings.IndexByte(line[i:], 'm'); end >= 0 {
				i += end
				continue
			}
		}
		if line[i] != ' ' && i > 1 && line[i-1] == ' ' && line[i-2] == ' ' {
			column = place
		}
		place++
	}
	return column
}
