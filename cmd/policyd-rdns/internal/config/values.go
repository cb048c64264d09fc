package config

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listValue is one value of a list with the place that it came from.
type listValue struct {
	text string
	from string // as in messages: `server.networks[1] = "192.0.2.1/24"` or `"@file"`
	file string // of the value
	line int
}

// list gives the values of a key that is a single value or a list of them.
// Truth values and dates become text. "@file" is replaced by the entries of
// the file, one a line, blank lines and what follows a # left out.
func (t *table) list(key string) []listValue {
	v, ok := t.take(key)
	if !ok {
		return nil
	}
	raws, isList := v.([]any)
	if !isList {
		raws = []any{v}
	}
	var values []listValue
	for i, raw := range raws {
		path, name := t.at(key), t.name(key)
		if isList {
			path += "[" + strconv.Itoa(i) + "]"
		}
		text, ok := asRead(raw)
		if !ok {
			t.r.bad(path, "%s = %s: want text in quotes", name, show(raw))
			continue
		}
		from := listValue{text, name, t.r.file, t.r.lines.At(path)}
		if !strings.HasPrefix(text, "@") {
			values = append(values, from)
			continue
		}
		values = append(values, t.r.readList(from, path)...)
	}
	t.r.values[t.at(key)] = values
	return values
}

// asRead is a single value as text: itself, true or false, a date.
func asRead(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	case time.Time:
		// Dates are in a location of their own; a time of day would be lost.
		if v.Location().String() == "date-local" {
			return v.Format(time.DateOnly), true
		}
	}
	return "", false
}

// maxListFile bounds an @file.
const maxListFile = 256 << 20

// readList reads the file that an "@file" names.
func (r *reader) readList(at listValue, path string) []listValue {
	name := at.text[1:]
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		r.bad(path, "%s = %q: %v", at.from, at.text, err)
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxListFile+1))
	switch {
	case err != nil:
		r.bad(path, "%s = %q: %v", at.from, at.text, err)
		return nil
	case len(text) > maxListFile:
		r.bad(path, "%s = %q: more than %d MiB", at.from, at.text, maxListFile>>20)
		return nil
	}
	r.sum.Write(text)
	values := make([]listValue, 0, bytes.Count(text, []byte{'\n'})+1)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		entry, _, _ := strings.Cut(lines.Text(), "#")
		if entry = strings.TrimSpace(entry); entry != "" {
			values = append(values, listValue{entry, "", name, n})
		}
	}
	if err := lines.Err(); err != nil {
		r.problems = append(r.problems, Problem{name, len(values) + 1, err.Error()})
	}
	return values
}

// badValue notes what is wrong with one value of a list. The error names the
// value.
func (r *reader) badValue(v listValue, err error) {
	r.problems = append(r.problems, v.problem(err.Error()))
}

// doubtfulValue notes what is doubtful about one value of a list.
func (r *reader) doubtfulValue(v listValue, why string) {
	r.warnings = append(r.warnings, v.problem(fmt.Sprintf("%.60q: %s", v.text, why)))
}

func (v listValue) problem(text string) Problem {
	if v.from != "" {
		text = v.from + " = " + text
	}
	return Problem{v.file, v.line, text}
}

// each adds the values of a list one by one.
func (t *table) each(key string, add func(string) error) {
	for _, v := range t.list(key) {
		if err := add(v.text); err != nil {
			t.r.badValue(v, err)
		}
	}
}

// written are the values of a key as they stand in the file.
func (t *table) written(key string) []string {
	raws, isList := t.raw[key].([]any)
	if !isList {
		raws = []any{t.raw[key]}
	}
	var values []string
	for _, raw := range raws {
		if text, ok := asRead(raw); ok {
			values = append(values, text)
		}
	}
	return slices.Clip(values)
}
