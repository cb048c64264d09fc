package journal

import (
	"encoding/json"
	"errors"
	"math"
	"unicode/utf8"
)

// AppendJSON adds a line that [Parse] or [Read] has read as one of JSON, with
// its newline: all keys with their values, unknown ones too. What it adds is
// printable ASCII.
func AppendJSON(dst []byte, line string) ([]byte, error) {
	if line != "" && line[0] == '{' {
		if !json.Valid([]byte(line)) {
			return dst, errors.New("not JSON")
		}
		return append(appendASCII(dst, line), '\n'), nil
	}
	begun := false
	for rest := line; rest != ""; {
		key, value, after, err := pair(rest)
		if err != nil {
			return dst, err
		}
		rest = after
		dst = append(dst, "{,"[b2i(begun)])
		begun = true
		dst, _ = appendQuoted(dst, key, math.MaxInt)
		dst = append(dst, ':')
		if _, n, ok := plainValue(value + " "); ok && n == len(value) && unquoted(key) {
			dst = append(dst, value...)
		} else {
			dst, _ = appendQuoted(dst, value, math.MaxInt)
		}
	}
	if !begun {
		dst = append(dst, '{')
	}
	return append(dst, '}', '\n'), nil
}

// unquoted says of a key that its value is a number or true.
func unquoted(key string) bool {
	switch key {
	case "ms", "questions", "downgraded", "more_names", "own_client", "own_helo", "authenticated", "encrypted",
		"cached", "stale", "outage", "overload":
		return true
	}
	return false
}

// appendASCII adds JSON with all that is not ASCII escaped. That can only stand
// in strings. The white space between its parts becomes spaces.
func appendASCII(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r < ' ':
			dst = append(dst, ' ')
		case r < 0x7f:
			dst = append(dst, byte(r))
		case r < utf8.RuneSelf:
			dst = append(dst, '\\', 'u', '0', '0', '7', 'f')
		default:
			dst = appendUTF16(dst, r)
		}
	}
	return dst
}
