package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fields are the values of a line as text, those of known keys.
type fields struct {
	value  [maxFields]string
	has    fieldSet
	arrays fieldSet // of JSON
	plain  bool     // the line is JSON as [Format.Append] writes it
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
	array := f.arrays.has(key)
	return value{f.value[key], array, array && f.plain}
}

// split reads the fields of a line.
func (f *fields) split(line string) error {
	if f.splitPlainJSON(line) {
		return nil
	}
	if line == "" || line[0] != '{' {
		return f.splitLogfmt(line)
	}
	*f = fields{}
	return f.splitJSON(line)
}

// errTwoLines is what is wrong with the beginning of a line whose end was not written,
// with the next line behind it.
var errTwoLines = errors.New("two lines in one")

func (f *fields) splitLogfmt(line string) error {
	next := 0
	for rest := strings.TrimLeft(line, " "); rest != ""; {
		key, value, after, err := pair(rest)
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

// pair reads the first key and value of logfmt; rest is what follows, without
// the space between.
func pair(s string) (key, value, rest string, err error) {
	key, rest, ok := strings.Cut(s, "=")
	if !ok || key == "" || strings.IndexByte(key, ' ') >= 0 || strings.IndexByte(key, '"') >= 0 {
		return "", "", "", fmt.Errorf("%.60q: want key=value", s)
	}
	if rest == "" || rest[0] != '"' {
		value, rest, _ = strings.Cut(rest, " ")
	} else {
		var n int
		if value, n, err = unquote(rest); err != nil {
			return "", "", "", fmt.Errorf("%s: %w", key, err)
		}
		rest = rest[n:]
	}
	for rest != "" && rest[0] == ' ' {
		rest = rest[1:]
	}
	return key, value, rest, nil
}

// unquote reads the JSON string at the beginning of s and says how long it is,
// quotes included.
func unquote(s string) (value string, n int, err error) {
	plain, escapes := true, 0
	for n = 1; n < len(s) && s[n] != '"'; n++ {
		switch {
		case s[n] < ' ' || s[n] >= 0x7f:
			plain = false
		case s[n] == '\\':
			n++
			escapes++
			plain = plain && n < len(s) && (s[n] == '"' || s[n] == '\\')
		}
	}
	if n >= len(s) {
		return "", 0, errors.New("no closing quote")
	}
	n++
	switch {
	case !plain:
		value, err = unquoteAny(s[:n])
		return value, n, err
	case escapes > 0:
		return unescape(s[1 : n-1]), n, nil
	}
	return s[1 : n-1], n, nil
}

// unquoteAny reads a JSON string with any escapes.
func unquoteAny(s string) (string, error) {
	var value string
	err := json.Unmarshal([]byte(s), &value)
	return value, err
}

// unescape takes the backslash from before each quote and backslash.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// splitPlainJSON reads the JSON that [Format.Append] writes: one object of texts,
// numbers, truth values and arrays, without a space between them. It gives up on any
// other, which may be JSON all the same.
func (f *fields) splitPlainJSON(line string) bool {
	if line == "" || line[0] != '{' {
		return false
	}
	next := 0
	for rest := line; ; {
		// Behind the brace or the comma.
		if len(rest) < 2 || rest[1] != '"' {
			return false
		}
		key, n, err := unquote(rest[1:])
		rest = rest[1+n:]
		if err != nil || len(rest) < 2 || rest[0] != ':' {
			return false
		}
		array := rest[1] == '['
		if array && !arrays(key) {
			return false
		}
		value, n, ok := plainValue(rest[1:])
		rest = rest[1+n:]
		if !ok || rest == "" {
			return false
		}
		next = f.set(key, value, array, next)
		switch {
		case rest == "}":
			f.plain = true
			return true
		case rest[0] != ',':
			return false
		}
	}
}

// plainValue reads a value of [Format.Append] at the beginning of s.
func plainValue(s string) (value string, n int, ok bool) {
	if s[0] == '"' {
		value, n, err := unquote(s)
		return value, n, err == nil
	}
	if s[0] == '[' {
		n, ok := plainArray(s, nil)
		return s[:n], n, ok
	}
	if strings.HasPrefix(s, "true") {
		return s[:4], 4, true
	}
	// A number without sign and exponent; RFC 8259 section 6 has no leading
	// zeros, and digits on both sides of the point.
	whole := digits(s)
	if whole == 0 || s[0] == '0' && whole > 1 {
		return "", 0, false
	}
	n = whole
	if n < len(s) && s[n] == '.' {
		part := digits(s[n+1:])
		if part == 0 {
			return "", 0, false
		}
		n += 1 + part
	}
	return s[:n], n, true
}

// digits counts the digits at the beginning of s.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// splitJSON reads any JSON object. A null is no value; neither is what no line of this
// log has, but a list of one text is that text, as Elasticsearch gives fields.
func (f *fields) splitJSON(line string) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &raw); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	for k, v := range raw {
		text := string(v)
		switch v[0] {
		case '"':
			if err := json.Unmarshal(v, &text); err != nil {
				return fmt.Errorf("reading JSON: %s: %w", k, err)
			}
		case '[':
			if arrays(k) {
				break
			}
			var list []any
			if err := json.Unmarshal(v, &list); err != nil || len(list) != 1 {
				continue
			}
			one, ok := list[0].(string)
			if text = one; !ok {
				text = fmt.Sprint(list[0])
			}
		case '{', 'n':
			continue
		}
		f.set(k, text, v[0] == '[' && arrays(k), 0)
	}
	return nil
}

// arrays reports whether the values of a key are arrays in JSON. Collectors make one of
// other values too.
func arrays(key string) bool {
	i := slices.Index(keys, key)
	return i >= 0 && table[i].array != nil
}
