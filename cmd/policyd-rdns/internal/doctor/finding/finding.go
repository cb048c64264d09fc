// Package finding is what doctor says of one thing that it looked at.
package finding

import (
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// Level says how much a finding matters.
type Level string

// The levels, worst first. Only an Error has to be mended.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Info    Level = "info"
	OK      Level = "ok"
)

// Finding is one thing that was looked at and what came of it. Its JSON form is
// stable: fields are added, never renamed. All texts are printable ASCII.
type Finding struct {
	// ID names the check: "call.timeout". It stays the same over versions.
	ID string `json:"id"`
	// Level says how much it matters.
	Level Level `json:"level"`
	// Title is what was found, one line.
	Title string `json:"title"`
	// Why says why it matters; empty for most that are OK.
	Why string `json:"why,omitempty"`
	// Do are the lines that mend it, to be pasted as they are: commands, or
	// lines of a file. What is no such line begins with "#".
	Do []string `json:"do,omitempty"`
}

// Rank is greater the more it matters.
func (l Level) Rank() int {
	switch l {
	case Error:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// Bounds of the texts of a finding, in bytes. A list of restrictions may be long
// and is of use only as a whole.
const (
	maxTitle = 300
	maxWhy   = 1500
	// MaxDo is of one line of Do.
	MaxDo = 8000
)

// unprintable stands for a line that could not be pasted as it is.
const unprintable = "# (the line holds what cannot be printed here: change it with an editor)"

// Clean makes all texts of a finding printable and bounds them. A line to paste
// that would be changed by that is no longer one, and goes.
func (f *Finding) Clean() {
	f.Title = plain.Text(f.Title, maxTitle)
	f.Why = plain.Text(f.Why, maxWhy)
	for i, line := range f.Do {
		if plain.Text(line, MaxDo) != line {
			f.Do[i] = unprintable
		}
	}
}

// QuoteShell is text as one word of a shell.
func QuoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
