package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// splitJSON reads any JSON object. A null is no value; neither is what no line of this
// log has, but a list of one value is that value, as Elasticsearch gives fields.
//
// It reads the line by itself: by encoding/json, replay of a log in JSON takes four times as long.
func (f *fields) splitJSON(line string) error {
	s := scanner{in: line}
	next := 0
	s.object(func(key string) {
		text, kind := s.value()
		array := kind == '[' && isArray(key)
		if kind == '[' && !array {
			text, kind = only(text)
		}
		if kind != '{' && kind != '[' && kind != 'n' {
			next = f.set(key, text, false, next)
		} else if array {
			next = f.set(key, text, true, next)
		}
	})
	if s.bad || s.next() != 0 {
		return notJSON(line)
	}
	return nil
}

// notJSON is what is wrong with a text that scanner does not read.
func notJSON(text string) error {
	var any json.RawMessage
	if err := json.Unmarshal([]byte(text), &any); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	return errors.New("reading JSON: nested too deeply")
}

// isArray reports whether the values of a key are arrays in JSON. Collectors make one of
// other values too.
func isArray(key string) bool {
	i := slices.Index(keys, key)
	return i >= 0 && table[i].array != nil
}

// only is the one value of an array; of another number of them its kind is '['.
func only(array string) (text string, kind byte) {
	s, n := scanner{in: array}, 0
	s.all('[', ']', func() {
		text, kind = s.value()
		n++
	})
	if n != 1 {
		kind = '['
	}
	return text, kind
}

// elements of an array of JSON are texts, or objects with members of these keys, whose
// values are texts or arrays of texts. Other members are passed over.
func (v value) arrayElements(members []string, yield func(element)) error {
	s := scanner{in: v.text}
	odd := false
	s.all('[', ']', func() {
		var e element
		if s.next() == '{' {
			s.object(func(key string) {
				text, ok := s.texts()
				if i := slices.Index(members, key); ok && i >= 0 {
					e.member[i] = text
				}
			})
		} else {
			var kind byte
			e.text, kind = s.value()
			odd = odd || kind != '"'
		}
		yield(e)
	})
	if odd {
		return errors.New("want an array of texts or of objects of texts")
	}
	return nil
}

// maxDepth bounds the objects and arrays within each other.
const maxDepth = 100

// scanner reads JSON (RFC 8259). It notes that something is wrong with it: what comes
// after that is of no use.
type scanner struct {
	in    string
	at    int // what was read of it
	depth int
	bad   bool
}

// next is the byte that comes next, behind white space; 0: none.
func (s *scanner) next() byte {
	for s.at < len(s.in) {
		c := s.in[s.at]
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		s.at++
	}
	return 0
}

// take reads a byte if it comes next.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) want(c byte) { s.bad = !s.take(c) || s.bad }

// all reads what stands between two brackets, with commas between: each is read by one.
func (s *scanner) all(begin, end byte, one func()) {
	s.want(begin)
	if s.depth++; s.depth > maxDepth {
		s.bad = true
	}
	for first := true; !s.bad && !(first && s.take(end)); first = false {
		if one(); s.take(end) {
			break
		}
		s.want(',')
	}
	s.depth--
}

// object reads an object. member has to read the value of a key.
func (s *scanner) object(member func(key string)) {
	s.all('{', '}', func() {
		key := s.text()
		if s.want(':'); !s.bad {
			member(key)
		}
	})
}

// value reads any value. Its kind is its first byte. The text is that of a string, or
// else the value as it stands there.
func (s *scanner) value() (text string, kind byte) {
	kind = s.next()
	begin := s.at
	switch kind {
	case '"':
		return s.text(), kind
	case '{':
		s.object(func(string) { s.value() })
	case '[':
		s.all('[', ']', func() { s.value() })
	default:
		n := scalar(s.in[s.at:])
		s.bad = s.bad || n == 0
		s.at += n
	}
	return s.in[begin:s.at], kind
}

// texts reads a value that is a text, or an array of texts, which logfmt has with + between
// them. ok: it is one.
func (s *scanner) texts() (joined string, ok bool) {
	if s.next() != '[' {
		text, kind := s.value()
		return text, kind == '"'
	}
	n, ok := 0, true
	s.all('[', ']', func() {
		text, kind := s.value()
		ok = ok && kind == '"'
		if n++; n > 1 {
			text = joined + "+" + text
		}
		joined = text
	})
	return joined, ok
}

// text reads a string.
func (s *scanner) text() string {
	if s.next() != '"' {
		s.bad = true
		return ""
	}
	text, n, err := unquote(s.in[s.at:])
	s.bad = s.bad || err != nil
	s.at += n
	return text
}

// scalar is the length of the number or the word that s begins with, 0: it is none. What the
// daemon writes is told without json.Valid, by which replay of JSON takes a twentieth longer.
func scalar(s string) int {
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
