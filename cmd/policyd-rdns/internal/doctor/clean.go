package doctor

import "strings"

// Bounds of the texts of a finding, in bytes. A list of restrictions may be long
// and is of use only as a whole.
const (
	maxTitle = 300
	maxWhy   = 1500
	maxDo    = 8000
)

// unprintable stands for a line that could not be pasted as it is.
const unprintable = "# (the line holds what cannot be printed here: change it with an editor)"

// clean makes all texts of a finding printable and bounds them. A line to paste
// that would be changed by that is no longer one, and goes.
func (f *Finding) clean() {
	f.Title = printable(f.Title, maxTitle)
	f.Why = printable(f.Why, maxWhy)
	for i, line := range f.Do {
		if printable(line, maxDo) != line {
			f.Do[i] = unprintable
		}
	}
}

// printable is text with all but printable ASCII replaced, cut at limit bytes.
func printable(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s)
}

// brief is foreign text within a sentence.
func brief(s string) string { return printable(s, 100) }

// quoteShell is text as one word of a shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// and lists words as one does: "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
