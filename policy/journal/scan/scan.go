// Package scan reads JSON (RFC 8259) and the strings of it, as quickly as a log of a million
// lines wants it.
package scan

import (
	"encoding/json"
	"errors"
	"math/bits"
	"strconv"
	"unicode/utf16"
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

// nul is what Next gives for a NUL byte, which is of no JSON, as nul is not.
const nul = 0xff

// Next is the byte that comes next, behind white space; 0: none.
func (s *Scanner) Next() byte {
	for s.at < len(s.In) {
		c := s.In[s.at]
		switch c {
		case ' ', '\t', '\n', '\r':
			s.at++
		case 0:
			return nul
		default:
			return c
		}
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
	n, kind, err := stringEnd(s)
	switch {
	case err != nil:
		return "", 0, err
	case kind == verbatim:
		return s[1 : n-1], n, nil
	case kind == plain:
		return Unescape(s[1 : n-1]), n, nil
	}
	if value, ok := unhex(s[1 : n-1]); ok {
		return value, n, nil
	}
	value, err = unquoteAny([]byte(s[:n]))
	return value, n, err
}

// Skip is Unquote of a string that nobody wants to know.
func Skip(s string) (n int, err error) {
	n, kind, err := stringEnd(s)
	if err == nil && kind == any {
		_, n, err = Unquote(s)
	}
	return n, err
}

// How a string is written.
const (
	verbatim = iota // as it is
	plain           // the same but for escaped quotes and backslashes
	any
)

// stringEnd finds the end of the string at the beginning of s, behind its quote.
func stringEnd(s string) (n, kind int, err error) {
	n = 1
	for {
		if n < len(s) {
			n += clean(s[n:])
		}
		switch {
		case n >= len(s):
			return 0, 0, errors.New("no closing quote")
		case s[n] == '"':
			return n + 1, kind, nil
		case s[n] != '\\':
			kind = any
			n++
			continue
		}
		if n++; n < len(s) && (s[n] == '"' || s[n] == '\\') {
			kind = max(kind, plain)
		} else {
			kind = any
		}
		n++
	}
}

// clean is how many bytes s begins with that stand for themselves in a string: printable
// ASCII but quotes and backslashes. It looks at eight at once.
func clean(s string) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; n+8 <= len(s); n += 8 {
		b := s[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// Of a byte that is 0, or below what is taken off, the top bit is set.
		if odd := (x | (x-' '*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops; odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for n < len(s) && s[n] != '"' && s[n] != '\\' && s[n] >= ' ' && s[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// unquoteAny reads a JSON string with whatever escapes. It is apart from Unquote, whose
// value would be allocated for every string if it were handed to encoding/json there.
func unquoteAny(b []byte) (value string, err error) {
	err = json.Unmarshal(b, &value)
	return value, err
}

// unhex reads what stands between quotes and has escapes as the daemon writes them: of
// quotes, backslashes, and \u with the four digits of a character that is no half of a pair.
func unhex(s string) (value string, ok bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c >= utf8.RuneSelf:
			return "", false
		case c != '\\':
			b = append(b, c)
			continue
		}
		if i++; s[i] == '"' || s[i] == '\\' {
			b = append(b, s[i])
			continue
		}
		if s[i] != 'u' || len(s) < i+5 {
			return "", false
		}
		r, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
		if err != nil || utf16.IsSurrogate(rune(r)) {
			return "", false
		}
		b = utf8.AppendRune(b, rune(r))
		i += 4
	}
	return string(b), true
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
