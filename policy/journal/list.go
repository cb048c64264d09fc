package journal

import (
	"math"
	"strings"

	"policyd-rdns/policy/journal/scan"
)

// value is what a line has of a key.
type value struct {
	text  string
	array bool // it is an array of JSON, and the text is that
}

// element is one of a list: a text, or the members of an object.
type element struct {
	text   string
	member [3]string
}

// elements hands the elements of a list to yield: those of a list of objects with members
// of these keys, which split takes from what logfmt has.
func (v value) elements(members []string, split func(string) [3]string, yield func(element)) error {
	if v.array {
		return v.arrayElements(members, yield)
	}
	for text := range scan.List(v.text) {
		e := element{text: text}
		if split != nil {
			e.member = split(text)
		}
		yield(e)
	}
	return nil
}

// texts hands the elements of a list of texts to yield.
func (v value) texts(yield func(string)) error {
	return v.elements(nil, nil, func(e element) { yield(e.text) })
}

// list writes a list: texts or objects in an array of JSON; or, of logfmt, a text with
// commas between its elements.
type list struct {
	buf     []byte
	json    bool
	begin   int  // where in the buffer it begins
	some    bool // there is an element
	members int  // that were written of the element
	odd     bool // one of them may need quotes in logfmt
	cut     bool // it holds less than there was
}

func (l *list) open() {
	if l.json {
		l.buf = append(l.buf, '[')
	}
}

// element begins an element.
func (l *list) element() {
	if l.some {
		l.buf = append(l.buf, ',')
	}
	l.some, l.members = true, 0
}

// member begins a member of an element, and reports whether it is written: all of logfmt,
// of JSON the first and those that are not empty.
func (l *list) member(key string, empty bool) bool {
	switch {
	case !l.json && l.members > 0:
		l.buf = append(l.buf, '>')
	case l.json && empty && l.members > 0:
		return false
	case l.json:
		l.buf = append(append(append(l.buf, "{,"[b2i(l.members > 0)], '"'), key...), `":`...)
	}
	l.members++
	return true
}

// endMembers ends an element that has members.
func (l *list) endMembers() {
	if l.json {
		l.buf = append(l.buf, '}')
	}
}

// quote begins or ends a text.
func (l *list) quote() {
	if l.json {
		l.buf = append(l.buf, '"')
	}
}

// plain adds a text that needs no escapes.
func (l *list) plain(s string) {
	l.quote()
	l.buf = append(l.buf, s...)
	l.quote()
}

// text adds a text, at most so many bytes of it.
func (l *list) text(s string, most int) {
	l.quote()
	l.part(s, most)
	l.quote()
}

// part adds to a text, at most so many bytes of it as they are written in the end.
func (l *list) part(s string, most int) {
	if bare(s) && strings.IndexByte(s, ',') < 0 && len(s) <= most {
		l.buf = append(l.buf, s...)
		return
	}
	l.odd = true
	_, n := listed(s, most)
	l.cut = l.cut || n < len(s)
	if l.json {
		l.buf, _ = appendEscaped(l.buf, s[:n], math.MaxInt)
		return
	}
	for i := range n {
		if s[i] == ',' || s[i] == '\\' {
			l.buf = append(l.buf, '\\')
		}
		l.buf = append(l.buf, s[i])
	}
}

// close ends the list.
func (l *list) close() {
	switch value := l.buf[l.begin:]; {
	case l.json:
		l.buf = append(l.buf, ']')
	case l.odd && !bare(value):
		l.buf, _ = appendQuoted(l.buf[:l.begin], string(value), math.MaxInt)
	}
}

// listed is how many bytes a text takes as written, in an element of a list that
// has quotes, and how many bytes of the text are within a bound.
func listed(s string, most int) (size, n int) {
	for i, r := range s {
		one := 0
		switch {
		case r == ',':
			one = len(`\\,`)
		case r == '\\':
			one = len(`\\\\`)
		case r == '"':
			one = len(`\"`)
		case r >= ' ' && r < 0x7f:
			one = 1
		case r < 0x10000:
			one = len(`\u0000`)
		default:
			one = 2 * len(`\u0000`)
		}
		if size+one > most {
			return size, i
		}
		size += one
	}
	return size, len(s)
}
