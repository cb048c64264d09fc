package doctor

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

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
	f.Title = plain.Text(f.Title, maxTitle)
	f.Why = plain.Text(f.Why, maxWhy)
	for i, line := range f.Do {
		if plain.Text(line, maxDo) != line {
			f.Do[i] = unprintable
		}
	}
}

// brief is foreign text within a sentence.
func brief(s string) string { return plain.Brief(s) }

// quoteShell is text as one word of a shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// and lists words as one does: "a, b and c".
func and(words []string) string { return plain.List(words, "and") }

// withNew is a list with those of some values behind it that it does not have.
func withNew[T comparable](list []T, values ...T) []T {
	for _, v := range values {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
