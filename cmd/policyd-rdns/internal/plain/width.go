package plain

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// narrowest is the width that is kept to on a terminal that has less, in characters: an
// IPv6 address in brackets has to have room in a line.
const narrowest = 60

// Width is how many characters a line of a terminal has, at least 60; 0 if w is no
// terminal: then lines are as long as they are, for programs to read. A terminal that
// does not know is as wide as COLUMNS says, or else 80.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	columns := 0
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
		columns = int(size.Col)
	}
	if columns == 0 {
		columns, _ = strconv.Atoi(os.Getenv("COLUMNS")) // what is no number is none
	}
	if columns <= 0 {
		columns = 80
	}
	return max(columns, narrowest)
}

// isTerminal reports whether somebody may watch.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // a character device too
	return err != nil || !os.SameFile(info, null)
}
