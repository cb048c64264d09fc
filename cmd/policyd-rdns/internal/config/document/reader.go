// Package document reads a TOML file as tables whose keys are taken one by one, and collects
// all that is wrong with it, each problem with its line, key and value and with what would
// be right. It knows no key.
package document

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document/lines"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// Reader reads the values of a file and collects what is wrong with them. It takes the
// file as plain maps and lists, not into a struct: only so can it tell every wrong type,
// unknown key and bad value at once.
type Reader struct {
	File     string // as in messages
	Dir      string // that @file is relative to
	Text     string
	Lines    lines.Index
	Sum      hash.Hash          // over everything that was read
	Problems []Problem          // what is wrong
	Warnings []Problem          // what is doubtful
	Values   map[string][]Value // of each list, by its path
	Unknown  []UnknownKey
	Homes    map[string][]string // the tables in which each known key belongs
}

// New makes a reader of a file's text. Messages name the path, and "@file" is relative
// to its folder.
func New(path string, text []byte) *Reader {
	r := &Reader{
		File: path, Dir: filepath.Dir(path), Text: string(text), Sum: sha256.New(),
		Homes: map[string][]string{}, Values: map[string][]Value{},
	}
	r.Sum.Write(text)
	return r
}

// UnknownKey is a key that nobody took, in the table where it stands.
type UnknownKey struct {
	Table Table
	Key   string
}

// Wrong is how much is wrong so far, unknown keys included.
func (r *Reader) Wrong() int { return len(r.Problems) + len(r.Unknown) }

// Decode reads the whole file. A file that is no TOML ends all further
// reading.
func (r *Reader) Decode() (Table, error) {
	var raw map[string]any
	if _, err := toml.Decode(r.Text, &raw); err != nil {
		var perr toml.ParseError
		if errors.As(err, &perr) {
			return Table{}, Problem{r.File, perr.Position.Line, "not TOML: " + perr.Message + r.syntaxHint(perr.Position.Line, perr.Message)}
		}
		return Table{}, Problem{r.File, 0, err.Error()}
	}
	r.Lines = lines.Parse(r.Text)
	return Table{R: r, Raw: raw}, nil
}

// Single reads one value of TOML, as Raw of a table has it.
func Single(text string) (any, error) {
	var v map[string]any
	_, err := toml.Decode("value = "+text, &v)
	return v["value"], err
}

// bareValue is a line of a key with a value that has no quotes.
var bareValue = regexp.MustCompile(`^\s*([A-Za-z0-9_.-]+)\s*=\s*([A-Za-z0-9_.:/@+-]+)\s*(#.*)?$`)

// bareNot is an entry with a sign that other languages have, bareTable entries without
// braces around them.
var (
	bareNot   = regexp.MustCompile(`^[^"]*[a-z_]\s*(!=|<>)\s*["\[]`)
	bareTable = regexp.MustCompile(`^\s*[a-z]+\s*=\s*\[?\s*[a-z_]+\s*=`)
)

// syntaxHint is what was probably meant by a line that is no TOML: text without
// quotes, or with those of a word processor.
func (r *Reader) syntaxHint(line int, message string) string {
	lines := strings.Split(r.Text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := lines[line-1]
	if strings.ContainsAny(text, "“”„‟‘’«»") {
		return `; quotes are straight ones: "`
	}
	m := bareValue.FindStringSubmatch(text)
	key, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch {
	case strings.HasSuffix(message, "already been defined.") && key == "unless":
		return " Several stand in a list: unless = [{ … }, { … }]"
	case bareNot.MatchString(text):
		return `; what is not so is written name = "!proper"`
	case (key == "when" || key == "unless") && bareTable.MatchString(text):
		return "; its entries stand in braces: " + key + ` = { client = "192.0.2.1" }`
	case key == "until":
		return "; want a day such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z"
	case m == nil:
		return ""
	case slices.Contains([]string{"true", "yes", "on", "false", "no", "off"}, strings.ToLower(m[2])):
		return "; want true or false, in lower case"
	}
	return fmt.Sprintf("; text and durations stand in quotes: %.60s = %.60q", m[1], m[2])
}

// Bad notes a problem at a path. shown is how messages name the path, value
// what stands there.
func (r *Reader) Bad(path, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{r.File, r.Lines.At(path), fmt.Sprintf(format, args...)})
}

// Doubtful notes a warning at a path.
func (r *Reader) Doubtful(path, format string, args ...any) {
	r.Warnings = append(r.Warnings, Problem{r.File, r.Lines.At(path), fmt.Sprintf(format, args...)})
}

// Table is one TOML table, of which keys are taken one by one. What is left at
// the end is unknown.
type Table struct {
	R     *Reader
	Path  string // in the file: "rule[1].when"
	Shown string // in messages: `rule[2] "no ptr": when`; empty: Path
	Raw   map[string]any
	Known []string // the keys that were taken
}

// At is the path of a key of the table in the file.
func (t *Table) At(key string) string { return lines.Join(t.Path, key) }

// Name is how messages name a key of the table.
func (t *Table) Name(key string) string {
	if t.Shown != "" {
		return t.Shown + key
	}
	return t.At(key)
}

// Take gives a key's value, and whether it is there.
func (t *Table) Take(key string) (any, bool) {
	if !slices.Contains(t.Known, key) {
		t.Known = append(t.Known, key)
	}
	v, ok := t.Raw[key]
	return v, ok
}

// Bad notes a problem with the value of a key.
func (t *Table) Bad(key string, value any, want string) {
	t.R.Bad(t.At(key), "%s = %s: %s", t.Name(key), show(value), want)
}

// End keeps every key that nobody took in Unknown, and remembers where the others belong.
func (t *Table) End() {
	t.R.Remember(t)
	for _, key := range slices.Sorted(maps.Keys(t.Raw)) {
		if !slices.Contains(t.Known, key) {
			t.R.Unknown = append(t.R.Unknown, UnknownKey{*t, key})
		}
	}
}

// Sub gives a table within this one. One that is not there is empty.
func (t *Table) Sub(key string) Table {
	sub := Table{R: t.R, Path: t.At(key)}
	v, ok := t.Take(key)
	if !ok {
		return sub
	}
	if sub.Raw, ok = v.(map[string]any); !ok {
		want := "want a table [" + key + "]"
		if IsTable(v) {
			want += ", in single brackets, once"
		}
		t.Bad(key, v, want)
	}
	return sub
}

// Tables gives the tables of an array of them, or a single one.
func (t *Table) Tables(key string) []Table {
	v, ok := t.Take(key)
	if !ok {
		return nil
	}
	var raws []any
	switch v := v.(type) {
	case map[string]any:
		return []Table{{R: t.R, Path: t.At(key), Raw: v}}
	case []map[string]any:
		for _, m := range v {
			raws = append(raws, m)
		}
	case []any:
		raws = v
	default:
		t.Bad(key, v, "want a table { … }, or a list of them")
	}
	var tables []Table
	for i, raw := range raws {
		path := t.At(key) + "[" + strconv.Itoa(i) + "]"
		m, ok := raw.(map[string]any)
		if !ok {
			t.R.Bad(path, "%s[%d] = %s: want a table { … }", t.Name(key), i, show(raw))
			continue
		}
		tables = append(tables, Table{R: t.R, Path: path, Raw: m})
	}
	return tables
}

// Blocks gives the tables of an array of them, which have to stand in double brackets:
// only then can another be pasted at the end of the file.
func (t *Table) Blocks(key string) []Table {
	if v, ok := t.Raw[key]; ok {
		line := ""
		if n := t.R.Lines.At(t.At(key)); n > 0 {
			line = strings.Trim(strings.Split(t.R.Text, "\n")[n-1], "\ufeff \t\r")
		}
		if !strings.HasPrefix(line, "[[") {
			t.Take(key)
			t.Bad(key, v, "write [["+key+"]] in double brackets, once for each, with its keys below")
			return nil
		}
	}
	return t.Tables(key)
}

// Remember keeps in which table each key that it knows belongs.
func (r *Reader) Remember(t *Table) {
	home := anIndex.ReplaceAllString(t.Path, "")
	for _, key := range t.Known {
		if !slices.Contains(r.Homes[key], home) {
			r.Homes[key] = append(r.Homes[key], home)
		}
	}
}

// anIndex is the number of a table among several of its name.
var anIndex = regexp.MustCompile(`\[\d+\]`)

// Text gives a string, and whether there is one.
func (t *Table) Text(key string, into *string) bool {
	v, ok := t.Take(key)
	if !ok {
		return false
	}
	s, ok := v.(string)
	if !ok {
		t.Bad(key, v, "want a text in quotes")
		return false
	}
	*into = s
	return true
}

// Choice gives the place of a string among those that are allowed.
func (t *Table) Choice(key string, into *int, allowed ...string) {
	s := allowed[*into]
	t.Text(key, &s)
	i := slices.Index(allowed, s)
	if i < 0 {
		t.Bad(key, s, "want "+quotedList(allowed))
		return
	}
	*into = i
}

func quotedList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return plain.List(quoted, "or")
}

// Boolean gives true or false.
func (t *Table) Boolean(key string, into *bool) {
	if v, ok := t.Take(key); ok {
		if b, ok := v.(bool); ok {
			*into = b
		} else {
			t.Bad(key, v, "want true or false")
		}
	}
}

// Whole gives a whole number within bounds.
func (t *Table) Whole(key string, into *int, least, most int) {
	if v, ok := t.Take(key); ok {
		n, ok := v.(int64)
		if !ok || n < int64(least) || n > int64(most) {
			how := ""
			switch v.(type) {
			case string:
				how = ", without quotes"
			case float64:
				how = ", without a point"
			}
			t.Bad(key, v, fmt.Sprintf("want a whole number from %d to %d%s", least, most, how))
			return
		}
		*into = int(n)
	}
}

// Duration gives a duration within bounds. It has to carry its unit, as the example
// does, which is TOML.
func (t *Table) Duration(key string, into *time.Duration, least, most time.Duration, why, example string) {
	v, ok := t.Take(key)
	if !ok {
		return
	}
	s, ok := v.(string)
	if !ok {
		t.Bad(key, v, "want a duration with its unit, in quotes, such as "+example)
		return
	}
	d, err := plain.ParseDuration(s)
	switch {
	case err != nil:
		t.Bad(key, v, "want a duration such as "+example)
	case d < least || d > most:
		t.Bad(key, v, fmt.Sprintf("want %s to %s%s", plain.DurationText(least), plain.DurationText(most), why))
	default:
		*into = d
	}
}

// show is a value as in the file, or near to it, cut short.
func show(v any) string {
	var s string
	switch v := v.(type) {
	case string:
		s = strconv.Quote(v)
	case time.Time:
		s = v.Format(time.RFC3339)
	case map[string]any:
		if s = "{…}"; len(v) == 0 {
			s = "{}"
		}
	case []map[string]any:
		s = "[{…}]"
	case []any:
		var parts []string
		for _, e := range v[:min(len(v), 4)] {
			parts = append(parts, show(e))
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case float64:
		if s = fmt.Sprint(v); !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
	default:
		s = fmt.Sprint(v)
	}
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:77], "") + "…"
	}
	return s
}

// IsTable reports whether a value is a table, or a list of them.
func IsTable(v any) bool {
	switch v := v.(type) {
	case map[string]any, []map[string]any:
		return true
	case []any:
		return len(v) > 0 && IsTable(v[0])
	}
	return false
}
