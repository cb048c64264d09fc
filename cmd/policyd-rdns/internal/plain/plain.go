// Package plain is text for terminals and pages: text that strangers chose is made
// fit to be shown, and words are put into lines, columns and colours.
package plain

import (
	"strconv"
	"strings"
)

// Text is s for a terminal, and for an eye that a page's direction of writing
// could deceive: all but printable ASCII becomes "?", and what is longer than
// limit bytes is cut, with "..." behind it.
func Text(s string, limit int) string {
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

// Line is [Text] of at most 255 bytes, the longest name of the DNS.
func Line(s string) string { return Text(s, 255) }

// Cell is [Text] for a column of a table, of at most 60 bytes.
func Cell(s string) string { return Text(s, 60) }

// Dash is s, or a dash in its place if it is empty.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Plural is a number with its noun, in the form for one or for many.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// Number is a number with its thousands apart: "12,345".
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Wrap breaks a text between words into lines of at most width bytes. A word that
// is longer has a line of its own.
func Wrap(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last < 0 || len(lines[last])+1+len(word) > width {
			lines = append(lines, word)
		} else {
			lines[last] += " " + word
		}
	}
	return lines
}

// Indent moves each line of a text by two spaces. It ends with a newline.
func Indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
