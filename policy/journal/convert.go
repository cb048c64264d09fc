package journal

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
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
		dst = appendAsJSON(dst, key, value)
	}
	if !begun {
		dst = append(dst, '{')
	}
	return append(dst, '}', '\n'), nil
}

// appendAsJSON adds a value of logfmt as JSON has it.
func appendAsJSON(dst []byte, key, value string) []byte {
	if f, ok := fieldOf(key); ok && value != "" {
		row := &table[f]
		if row.array != nil {
			return row.array(dst, value)
		}
		if _, n, ok := plainValue(value + " "); row.bare() && ok && n == len(value) && value[0] != '"' && value[0] != '[' {
			return append(dst, value...)
		}
	}
	dst, _ = appendQuoted(dst, value, math.MaxInt)
	return dst
}

// textsAsJSON adds a list as an array of texts.
func textsAsJSON(dst []byte, v string) []byte {
	return arrayOf(dst, v, func(dst []byte, text string) []byte {
		dst, _ = appendQuoted(dst, text, math.MaxInt)
		return dst
	})
}

// namesAsJSON adds names as an array of objects.
func namesAsJSON(dst []byte, v string) []byte {
	return arrayOf(dst, v, func(dst []byte, text string) []byte {
		name, to := text, ""
		if i := strings.LastIndexByte(text, '>'); i >= 0 {
			name, to = text[:i], text[i+1:]
		}
		dst, _ = appendQuoted(append(dst, `{"name":`...), name, math.MaxInt)
		if to != "" {
			dst = forwardAsJSON(append(dst, `,"to":`...), to)
		}
		return append(dst, '}')
	})
}

// forwardAsJSON adds what a name resolves to: an array of addresses, or a word.
func forwardAsJSON(dst []byte, v string) []byte {
	if isWord(v) {
		dst, _ = appendQuoted(dst, v, math.MaxInt)
		return dst
	}
	dst = append(dst, '[')
	for i, addr := range strings.Split(v, "+") {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = appendQuoted(dst, addr, math.MaxInt)
	}
	return append(dst, ']')
}

// errorsAsJSON adds dns_errors as an array of objects.
func errorsAsJSON(dst []byte, v string) []byte {
	return arrayOf(dst, v, func(dst []byte, text string) []byte {
		about, server, reason := splitError(text)
		dst, _ = appendQuoted(append(dst, `{"about":`...), about, math.MaxInt)
		if server != "" {
			dst, _ = appendQuoted(append(dst, `,"server":`...), server, math.MaxInt)
		}
		dst, _ = appendQuoted(append(dst, `,"reason":`...), reason, math.MaxInt)
		return append(dst, '}')
	})
}

// arrayOf adds the elements of a list of logfmt, each as one has it.
func arrayOf(dst []byte, v string, one func(dst []byte, text string) []byte) []byte {
	dst = append(dst, '[')
	for i, text := range splitList(v) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, text)
	}
	return append(dst, ']')
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
