package scan

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// Behind is what stands behind n bytes of s and the spaces there.
func Behind(s string, n int) string {
	for n < len(s) && s[n] == ' ' {
		n++
	}
	return s[n:]
}

// Pair reads the first key and value of logfmt; rest is what follows, without
// the space between.
func Pair(s string) (key, value, rest string, err error) {
	n := keyLen(s)
	if n == 0 {
		return "", "", "", fmt.Errorf("%.60q: want key=value", s)
	}
	key, rest = s[:n], s[n+1:]
	if rest == "" || rest[0] != '"' {
		value, rest, _ = strings.Cut(rest, " ")
	} else {
		if value, n, err = Unquote(rest); err != nil {
			return "", "", "", fmt.Errorf("%s: %w", key, err)
		}
		rest = rest[n:]
	}
	return key, value, Behind(rest, 0), nil
}

// keyLen is how long the key is that stands before a "=" at the beginning of s; 0: there
// is none.
func keyLen(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '=':
			return i
		case ' ', '"':
			return 0
		}
	}
	return 0
}

// List reads a list of logfmt.
func List(v string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := v != ""; more; {
			end, escaped := 0, false
			for end < len(v) && v[end] != ',' {
				if v[end] == '\\' && end+1 < len(v) {
					escaped = true
					end++
				}
				end++
			}
			e := v[:end]
			if escaped {
				e = Unescape(e)
			}
			if more = end < len(v); more {
				v = v[end+1:]
			}
			if !yield(e) {
				return
			}
		}
	}
}

// Word reports whether a text is like a word of this log: a lower-case letter, and
// then these, digits and hyphens. There is no point and no colon in it, and so it is no
// address.
func Word(s string) bool {
	for i := range len(s) {
		letter := s[i] == '_' || 'a' <= s[i] && s[i] <= 'z'
		if !letter && (i == 0 || s[i] != '-' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return len(s) > 0
}

// Time reads a time as the daemon writes it, of which a line of a client that is known
// has six. By time.Parse each takes three times as long.
func Time(v string) (t time.Time, ok bool) {
	const form = "0000-00-00T00:00:00.000Z"
	if len(v) != len(form) {
		return t, false
	}
	for i := range len(form) {
		if form[i] != '0' && v[i] != form[i] || form[i] == '0' && (v[i] < '0' || v[i] > '9') {
			return t, false
		}
	}
	two := func(i int) int { return 10*int(v[i]-'0') + int(v[i+1]-'0') }
	year, month, day := 100*two(0)+two(2), time.Month(two(5)), two(8)
	hour, minute, second, milli := two(11), two(14), two(17), 10*two(20)+int(v[22]-'0')
	t = time.Date(year, month, day, hour, minute, second, milli*int(time.Millisecond), time.UTC)
	_, m, d := t.Date()
	return t, m == month && d == day && hour < 24 && minute < 60 && second < 60
}
