package document

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

// Value is one value of a list with the place that it came from.
type Value struct {
	Text string
	from string // as in messages: `server.networks[1] = "192.0.2.1/24"` or `"@file"`
	file string // of the value
	line int
}

// List gives the values of a key that is a single value or a list of them.
// Truth values and dates become text. "@file" is replaced by the entries of
// the file, one a line, blank lines and what follows a # left out.
func (t *Table) List(key string) []Value {
	v, ok := t.Take(key)
	if !ok {
		return nil
	}
	raws, isList := v.([]any)
	if !isList {
		raws = []any{v}
	}
	var values []Value
	for i, raw := range raws {
		path, name := t.At(key), t.Name(key)
		if isList {
			path += "[" + strconv.Itoa(i) + "]"
		}
		text, ok := asRead(raw)
		if !ok {
			t.R.Bad(path, "%s = %s: want %s", name, show(raw), wanted(raw, key))
			continue
		}
		from := Value{text, name, t.R.File, t.R.Lines.At(path)}
		if !strings.HasPrefix(text, "@") {
			values = append(values, from)
			continue
		}
		values = append(values, t.R.readList(from, path)...)
	}
	t.R.Values[t.At(key)] = values
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
	// MaxListLine is the longest line.
	MaxListLine = 64 << 10
)

// readList reads the file that an "@file" names.
func (r *Reader) readList(at Value, path string) []Value {
	name := at.Text[1:]
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}
	text, err := ReadBounded(name, maxListFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no file %.200s: after an @ comes the name of a file with entries", name)
		}
		r.Bad(path, "%s = %q: %v", at.from, at.Text, err)
		return nil
	}
	r.Sum.Write(text)
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as editors put there
	values := make([]Value, 0, bytes.Count(text, []byte{'\n'})+1)
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, MaxListLine)
	n := 1
	for ; lines.Scan(); n++ {
		entry, _, _ := strings.Cut(lines.Text(), "#")
		if entry = strings.TrimSpace(entry); entry != "" {
			values = append(values, Value{entry, "", name, n})
		}
	}
	if lines.Err() != nil {
		r.Problems = append(r.Problems, Problem{name, n, fmt.Sprintf("a line of more than %d KiB: want one entry a line", MaxListLine>>10)})
	}
	return values
}

// ReadBounded reads a file up to its bound.
func ReadBounded(name string, most int64) ([]byte, error) {
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

// BadValue notes what is wrong with one value of a list. The error names the
// value.
func (r *Reader) BadValue(v Value, err error) {
	r.Problems = append(r.Problems, v.problem(err.Error()))
}

// DoubtfulValue notes what is doubtful about one value of a list.
func (r *Reader) DoubtfulValue(v Value, why string) {
	r.Warnings = append(r.Warnings, v.problem(fmt.Sprintf("%.60q: %s", v.Text, why)))
}

func (v Value) problem(text string) Problem {
	if v.from != "" {
		text = v.from + " = " + text
	}
	return Problem{v.file, v.line, text}
}

// Each adds the values of a list one by one.
func (t *Table) Each(key string, add func(string) error) {
	for _, v := range t.List(key) {
		if err := add(v.Text); err != nil {
			t.R.BadValue(v, err)
		}
	}
}

// Written are the values of a key as they stand in the file.
func (t *Table) Written(key string) []string {
	raws, isList := t.Raw[key].([]any)
	if !isList {
		raws = []any{t.Raw[key]}
	}
	var values []string
	for _, raw := range raws {
		if text, ok := asRead(raw); ok {
			values = append(values, text)
		}
	}
	return slices.Clip(values)
}
