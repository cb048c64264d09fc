package journal

import (
	"encoding/json"
	"errors"
	"math"
	"strings"

	"policyd-rdns/policy/journal/scan"
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
		key, value, after, err := scan.Pair(rest)
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
		switch {
		case row.array != nil:
			l := list{buf: dst, json: true}
			row.array(&l, value)
			return l.buf
		case row.bare() && scan.Scalar(value) == len(value) && value != "null":
			return append(dst, value...)
		}
	}
	dst, _ = appendQuoted(dst, value, math.MaxInt)
	return dst
}

// copyTexts writes a list of texts that was read from logfmt.
func (l *list) copyTexts(v string) {
	l.open()
	for text := range scan.List(v) {
		l.element()
		l.text(text, math.MaxInt)
	}
	l.close()
}

// copyNames writes names that were read from logfmt.
func (l *list) copyNames(v string) { l.copyObjects(v, nameMembers, splitName) }

// copyErrors writes dns_errors that were read from logfmt.
func (l *list) copyErrors(v string) { l.copyObjects(v, errorMembers, splitError) }

func (l *list) copyObjects(v string, members []string, split func(string) [3]string) {
	l.open()
	for text := range scan.List(v) {
		l.element()
		of := split(text)
		for i, key := range members {
			switch {
			case !l.member(key, of[i] == ""):
			case key == "to":
				l.copyForward(of[i])
			default:
				l.text(of[i], math.MaxInt)
			}
		}
		l.endMembers()
	}
	l.close()
}

// copyForward writes what a name resolves to, as read from logfmt: an array of addresses,
// or a word.
func (l *list) copyForward(v string) {
	if scan.Word(v) {
		l.plain(v)
		return
	}
	addrs := list{buf: l.buf, json: true}
	addrs.copyTexts(strings.ReplaceAll(v, "+", ","))
	l.buf = addrs.buf
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
		default:
			dst = appendUTF16(dst, r)
		}
	}
	return dst
}
