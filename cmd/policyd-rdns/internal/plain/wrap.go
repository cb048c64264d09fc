package plain

import "strings"

// Wrap breaks a text between words into lines of at most width bytes. A word that is
// longer has a line of its own.
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
