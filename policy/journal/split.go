package journal

import (
	"errors"
	"fmt"
	"strings"

	"policyd-rdns/policy/journal/scan"
)

// fields are the values of a line as text, those of known keys.
type fields struct {
	value  [maxFields]string
	has    fieldSet
	arrays fieldSet // of JSON
}

// keys are those of the table, to be searched.
var keys = Keys()

// set keeps a value. Of a key that is there twice the last counts. Lines come
// from a writer that keeps the order, so that the key is looked for from the
// one after the last; from is where to begin, and the result where the next may
// be.
func (f *fields) set(key, value string, array bool, from int) int {
	for i := from; i < len(keys); i++ {
		if keys[i] == key {
			f.put(field(i), value, array)
			return i + 1
		}
	}
	for i := range from {
		if keys[i] == key {
			f.put(field(i), value, array)
			return i + 1
		}
	}
	return from
}

func (f *fields) put(of field, value string, array bool) {
	f.value[of] = value
	f.has.add(of)
	if array {
		f.arrays.add(of)
	} else {
		f.arrays.drop(of) // of another value of the key
	}
}

// of is the value of a key.
func (f *fields) of(key field) value {
	return value{f.value[key], f.arrays.has(key)}
}

// split reads the fields of a line.
func (f *fields) split(line string) error {
	if strings.HasPrefix(line, "{") {
		return f.splitJSON(line)
	}
	return f.splitLogfmt(line)
}

// errTwoLines is what is wrong with the beginning of a line whose end was not written,
// with the next line behind it.
var errTwoLines = errors.New("two lines in one")

func (f *fields) splitLogfmt(line string) error {
	next := 0
	for rest := strings.TrimLeft(line, " "); rest != ""; {
		if i := foreseen(rest, next); i >= 0 {
			n, err := f.take(i, rest[len(beginnings[i]):])
			if err != nil {
				return err
			}
			next, rest = i+1, scan.Behind(rest, len(beginnings[i])+n)
			continue
		}
		key, value, after, err := scan.Pair(rest)
		if err != nil {
			return err
		}
		if key == keys[0] && f.has.has(0) { // its time
			return errTwoLines
		}
		next = f.set(key, value, false, next)
		rest = after
	}
	return nil
}

// beginnings are the keys of the table, as their fields begin in logfmt.
var beginnings = func() (all []string) {
	for _, key := range keys {
		all = append(all, key+"=")
	}
	return all
}()

// foreseen is the field that s begins with, if it is next or one behind; -1: it is not, as
// in no line of the daemon.
func foreseen(s string, next int) int {
	for i := next; i < len(beginnings); i++ {
		if b := beginnings[i]; b[0] == s[0] && strings.HasPrefix(s, b) {
			return i
		}
	}
	return -1
}

// take takes the value of a field that s begins with, which is n bytes long.
func (f *fields) take(i int, s string) (n int, err error) {
	var value string
	switch {
	case s == "" || s[0] != '"':
		if n = strings.IndexByte(s, ' '); n < 0 {
			n = len(s)
		}
		value = s[:n]
	case table[i].kind == kindSaid && table[i].take == nil: // only for people
		n, err = scan.Skip(s)
	default:
		value, n, err = scan.Unquote(s)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", keys[i], err)
	}
	f.put(field(i), value, false)
	return n, nil
}
