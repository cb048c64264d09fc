package frame

import (
	"strconv"
	"strings"
)

// pairs reads a line that is logfmt: ts=2026-11-23T09:00:00Z msg="a message". It is
// false, false for what is none.
func (f *finder) pairs(s string) (found, pairs bool) {
	e := entry{wanted: f.wanted}
	for rest := s; rest != ""; rest = trimBlanks(rest) {
		key, value, ok := strings.Cut(rest, "=")
		if !ok || !nameWord(key) {
			return false, false
		}
		if value == "" || value[0] != '"' {
			end := wordEnd(value)
			value, rest = value[:end], value[end:]
		} else {
			end := stringEnd(value)
			rest = value[end:]
			var err error
			if value, err = strconv.Unquote(value[:end]); err != nil {
				return false, false
			}
		}
		if rest != "" && !blank(rest[0]) {
			return false, false
		}
		if kindOf("", key) != message || loggers(key) {
			e.field("", key, value)
		}
	}
	return f.entry(&e), true
}

// loggers reports whether a key is one that loggers write their message under. Under
// others there is what the message is about, of strangers too.
func loggers(key string) bool {
	return key == "msg" || key == "message" || key == "line" || key == "log"
}
