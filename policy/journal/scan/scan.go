// Package scan reads JSON (RFC 8259) and the strings of it, as quickly as a log of a million
// lines wants it.
package scan

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// maxDepth bounds the objects and arrays within each other.
const maxDepth = 100

// Scanner reads JSON from In. It notes in Bad that something is wrong with
// it: what comes after that is of no use.
type Scanner struct {
	In    string // what is read
	at    int    // what was read of it
	depth int
	Bad   bool // it is no JSON
}

// Next is the byte that comes next, behind white space; 0: none.
func (s *Scanner) Next() byte {
	for s.at < len(s.In) {
		c := s.In[s.at]
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		s.at++
	}
	return 0
}

// take reads a byte if it comes next.
func (s *Scanner) take(c byte) bool {
	if s.Next() != c {
		return false
	}
	s.at++
	return true
}

func (s *Scanner) want(c byte) { s.Bad = !s.take(c) || s.Bad }

// All reads what stands between two brackets, with commas between: each is read by one.
func (s *Scanner) All(begin, end byte, one func()) {
	s.want(begin)
	if s.depth++; s.depth > maxDepth {
		s.Bad = true
	}
	for first := true; !s.Bad && !(first && s.take(end)); first = false {
		if one(); s.take(end) {
			break
		}
		s.want(',')
	}
	s.depth--
}

// Object reads an object. member has to read the value of a key.
func (s *Scanner) Object(member func(key string)) {
	s.All('{', '}', func() {
		key := s.text()
		if s.want(':'); !s.Bad {
			member(key)
		}
	})
}

// Value reads any value. Its kind is its first byte. The text is that of a string, or
// else the value as it stands there.
func (s *Scanner) Value() (text string, kind byte) {
	kind = s.Next()
	begin := s.at
	switch kind {
	case '"':
		return s.text(), kind
	case '{':
		s.Object(func(string) { s.Value() })
	case '[':
		s.All('[', ']', func() { s.Value() })
	default:
		n := Scalar(s.In[s.at:])
		s.Bad = s.Bad || n == 0
		s.at += n
	}
	return s.In[begin:s.at], kind
}

// Texts reads a value that is a text, or an array of texts, which logfmt has with + between
// them. ok: it is one.
func (s *Scanner) Texts() (joined string, ok bool) {
	if s.Next() != '[' {
		text, kind := s.Value()
		return text, kind == '"'
	}
	n, ok := 0, true
	s.All('[', ']', func() {
		text, kind := s.Value()
		ok = ok && kind == '"'
		if n++; n > 1 {
			text = joined + "+" + text
		}
		joined = text
	})
	return joined, ok
}

// text reads a string.
func (s *Scanner) text() string {
	if s.Next() != '"' {
		s.Bad = true
		return ""
	}
	text, n, err := Unquote(s.In[s.at:])
	s.Bad = s.Bad || err != nil
	s.at += n
	return text
}

// Scalar is the length of the number or the word that s begins with, 0: it is none. What the
// daemon writes is told without json.Valid, by which replay of JSON takes a twentieth longer.
func Scalar(s string) int {
	n, digits := 0, true
	for n < len(s) && !endsScalar(s[n]) {
		digits = digits && '0' <= s[n] && s[n] <= '9'
		n++
	}
	switch v := s[:n]; {
	case v == "true", n > 0 && digits && (s[0] != '0' || n == 1), json.Valid([]byte(v)):
		return n
	}
	return 0
}

// endsScalar reports whether a byte stands behind a number or a word.
func endsScalar(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

// Unquote reads the JSON string at the beginning of s. n is its length, quotes included.
// By encoding/json alone replay takes a fifth longer: json.Unmarshal is for
// the escapes that hardly ever come.
func Unquote(s string) (value string, n int, err error) {
	end := 1
	for end < len(s) && s[end] != '"' && s[end] != '\\' && s[end] >= ' ' && s[end] < utf8.RuneSelf {
		end++
	}
	if end < len(s) && s[end] == '"' {
		return s[1:end], end + 1, nil
	}
	plain := true // but for escaped quotes and backslashes
	for ; end < len(s) && s[end] != '"'; end++ {
		plain = plain && s[end] >= ' ' && s[end] < utf8.RuneSelf
		if s[end] == '\\' {
			end++
			plain = plain && end < len(s) && (s[end] == '"' || s[end] == '\\')
		}
	}
	if end >= len(s) {
		return "", 0, errors.New("no closing quote")
	}
	if plain {
		return Unescape(s[1:end]), end + 1, nil
	}
	value, err = unquoteAny([]byte(s[:end+1]))
	return value, end + 1, err
}

// unquoteAny reads a JSON string with whatever escapes. It is apart from Unquote, whose
// value would be allocated for every string if it were handed to encoding/json there.
func unquoteAny(b []byte) (value string, err error) {
	err = json.Unmarshal(b, &value)
	return value, err
}

// Unescape takes away each backslash that stands before another byte.
func Unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
