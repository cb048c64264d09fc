package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
			t.r.bad(path, "%s = %s: want %s", name, show(raw), wanted(raw, key))
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
		// Dates are in a location of their own, and so is a time without an offset.
		switch v.Location().String() {
		case "date-local":
			return v.Format(time.DateOnly), true
		case "datetime-local", "time-local":
			return "", false
		}
		return v.Format(time.RFC3339), true
	}
	return "", false
}

// wanted says what to write for a value that is of no use in a list.
func wanted(v any, key string) string {
	if key == "until" {
		if _, ok := v.(int64); ok {
			return "a day such as 2027-03-31"
		}
	}
	if at, ok := v.(time.Time); ok {
		if at.Location().String() == "time-local" {
			return "a day such as 2027-03-31"
		}
		return "a day, or a time with its offset: " + at.Format("2006-01-02 or 2006-01-02T15:04:05Z")
	}
	return "text in quotes"
}

// Bounds of an @file and of one of its lines, in bytes.
const (
	maxListFile = 256 << 20
	maxListLine = 64 << 10
)

// readList reads the file that an "@file" names.
func (r *reader) readList(at listValue, path string) []listValue {
	name := at.text[1:]
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.dir, name)
	}
	text, err := readBounded(name, maxListFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no file %.200s: after an @ comes the name of a file with entries", name)
		}
		r.bad(path, "%s = %q: %v", at.from, at.text, err)
		return nil
	}
	r.sum.Write(text)
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as editors put there
	values := make([]listValue, 0, bytes.Count(text, []byte{'\n'})+1)
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxListLine)
	n := 1
	for ; lines.Scan(); n++ {
		entry, _, _ := strings.Cut(lines.Text(), "#")
		if entry = strings.TrimSpace(entry); entry != "" {
			values = append(values, listValue{entry, "", name, n})
		}
	}
	if lines.Err() != nil {
		r.problems = append(r.problems, Problem{name, n, fmt.Sprintf("a line of more than %d KiB: want one entry a line", maxListLine>>10)})
	}
	return values
}

// readBounded reads a file up to its bound.
func readBounded(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("more than %d MiB", most>>20)
	}
	return text, err
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
