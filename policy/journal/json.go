package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"policyd-rdns/policy/journal/scan"
)

// splitJSON reads any JSON object. A null is no value; neither is what no line of this
// log has, but a list of one value is that value, as Elasticsearch gives fields.
//
// It reads the line by itself: by encoding/json, replay of a log in JSON takes four times as long.
func (f *fields) splitJSON(line string) error {
	s := scan.Scanner{In: line}
	next := 0
	s.Object(func(key string) {
		text, kind := s.Value()
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
	if s.Bad || s.Next() != 0 {
		return notJSON(line)
	}
	return nil
}

// notJSON is what is wrong with a text that a scanner does not read.
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
	s, n := scan.Scanner{In: array}, 0
	s.All('[', ']', func() {
		text, kind = s.Value()
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
	s := scan.Scanner{In: v.text}
	odd := false
	s.All('[', ']', func() {
		var e element
		if s.Next() == '{' {
			s.Object(func(key string) {
				text, ok := s.Texts()
				if i := slices.Index(members, key); ok && i >= 0 {
					e.member[i] = text
				}
			})
		} else {
			var kind byte
			e.text, kind = s.Value()
			odd = odd || kind != '"'
		}
		yield(e)
	})
	if odd {
		return errors.New("want an array of texts or of objects of texts")
	}
	return nil
}
