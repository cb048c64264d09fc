package plain

import "strings"

// Indent moves each line of a text by two spaces. It ends with a newline.
func Indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
