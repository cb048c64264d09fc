package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// value is what a line has of a key.
type value struct {
	text  string
	array bool // it is an array of JSON, and the text is that
	plain bool // such as plainArray reads
}

// element is one of a list: a text, or in JSON also an object with what the lists of
// objects have.
type element struct {
	text                            string
	name, to, about, server, reason string
}

// set takes a member of an object. Others are passed over.
func (e *element) set(key, text string) {
	switch key {
	case "name":
		e.name = text
	case "to":
		e.to = text
	case "about":
		e.about = text
	case "server":
		e.server = text
	case "reason":
		e.reason = text
	}
}

// elements hands the elements of a list to yield.
func (v value) elements(yield func(element)) error {
	switch {
	case v.plain:
		plainArray(v.text, yield)
		return nil
	case v.array:
		return anyArray(v.text, yield)
	case v.text == "":
		return nil
	}
	for _, text := range splitList(v.text) {
		yield(element{text: text})
	}
	return nil
}

// count is at least how many elements there are.
func (v value) count() int {
	if v.array {
		return strings.Count(v.text, "{")
	}
	return strings.Count(v.text, ",") + 1
}

// splitList reads a list of logfmt.
func splitList(v string) []string {
	if strings.IndexByte(v, '\\') < 0 {
		return strings.Split(v, ",")
	}
	var elems []string
	var e []byte
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && i+1 < len(v):
			i++
			e = append(e, v[i])
		case c == ',':
			elems, e = append(elems, string(e)), e[:0]
		default:
			e = append(e, c)
		}
	}
	return append(elems, string(e))
}

var errArray = errors.New("want an array of texts or of objects of texts")

// plainArray reads the array that s begins with, as [Format.Append] writes it: of texts,
// or of objects of texts and of arrays of texts, without a space between. yield may be
// nil. It gives up on any other, which may be JSON all the same.
func plainArray(s string, yield func(element)) (n int, ok bool) {
	if strings.HasPrefix(s, "[]") {
		return 2, true
	}
	for n = 1; ; n++ {
		var e element
		size := 0
		if n < len(s) && s[n] == '{' {
			size, ok = plainObject(s[n:], &e)
		} else {
			e.text, size, ok = plainText(s[n:])
		}
		if n += size; !ok || n == len(s) {
			return 0, false
		}
		if yield != nil {
			yield(e)
		}
		switch s[n] {
		case ']':
			return n + 1, true
		case ',':
		default:
			return 0, false
		}
	}
}

// plainObject reads the object that s begins with.
func plainObject(s string, e *element) (n int, ok bool) {
	for n = 1; ; n++ {
		key, size, ok := plainText(s[n:])
		if n += size; !ok || len(s)-n < 2 || s[n] != ':' {
			return 0, false
		}
		var text string
		if n++; s[n] == '[' {
			text, size, ok = plainTexts(s[n:])
		} else {
			text, size, ok = plainText(s[n:])
		}
		if n += size; !ok || n == len(s) {
			return 0, false
		}
		e.set(key, text)
		switch s[n] {
		case '}':
			return n + 1, true
		case ',':
		default:
			return 0, false
		}
	}
}

// plainTexts reads the array of texts that s begins with; joined, as logfmt would have
// them.
func plainTexts(s string) (joined string, n int, ok bool) {
	first := true
	for n = 1; ; n++ {
		text, size, ok := plainText(s[n:])
		if n += size; !ok || n == len(s) {
			return "", 0, false
		}
		if first {
			joined, first = text, false
		} else {
			joined += "+" + text
		}
		switch s[n] {
		case ']':
			return joined, n + 1, true
		case ',':
		default:
			return "", 0, false
		}
	}
}

// plainText reads the string that s begins with.
func plainText(s string) (text string, n int, ok bool) {
	if s == "" || s[0] != '"' {
		return "", 0, false
	}
	text, n, err := unquote(s)
	return text, n, err == nil
}

// anyArray reads any array of texts, or of objects. Of an object's members those count
// that are texts, or arrays of texts.
func anyArray(s string, yield func(element)) error {
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(s), &all); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	for _, raw := range all {
		var e element
		var members map[string]json.RawMessage
		switch {
		case json.Unmarshal(raw, &e.text) == nil:
		case json.Unmarshal(raw, &members) == nil:
			for key, value := range members {
				var texts []string
				if json.Unmarshal(value, &texts) != nil {
					texts = make([]string, 1)
					_ = json.Unmarshal(value, &texts[0]) // else it is none
				}
				e.set(key, strings.Join(texts, "+"))
			}
		default:
			return errArray
		}
		yield(e)
	}
	return nil
}
