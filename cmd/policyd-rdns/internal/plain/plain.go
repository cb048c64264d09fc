// Package plain makes text that strangers chose fit to be shown.
package plain

import "strings"

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
