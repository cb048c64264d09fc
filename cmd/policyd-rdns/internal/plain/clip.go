package plain

import "strings"

// Clip is s, or as much of it as is whole letters of its first limit bytes, with
// "..." behind it. Unlike [Text] it leaves the letters as they are.
func Clip(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "..."
	}
	return s
}
