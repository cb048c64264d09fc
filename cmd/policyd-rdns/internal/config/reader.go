package config

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

	"policyd-rdns/cmd/policyd-rdns/internal/config/lines"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// reader reads the values of a configuration file and collects what is wrong
// with them. It takes the file as plain maps and lists, not into a struct: only
// so can it tell every wrong type, unknown key and bad value at once.
type reader struct {
	file     string // as in messages
	dir      string // that @file is relative to
	text     string
	lines    lines.Index
	sum      hash.Hash // over everything that was read
	problems []Problem
	warnings []Problem
	values   map[string][]listValue // of each list, by its path
	unknown  []unknownKey
	homes    map[string][]string // the tables in which each known key belongs
}

func newReader(path string, text []byte) *reader {
	r := &reader{file: path, dir: filepath.Dir(path), text: string(text), sum: sha256.New(), homes: map[string][]string{}, values: map[string][]listValue{}}
	r.sum.Write(text)
	return r
}

// decode reads the whole file. A file that is no TOML ends all further
// reading.
func (r *reader) decode() (table, error) {
	var raw map[string]any
	if _, err := toml.Decode(r.text, &raw); err != nil {
		var perr toml.ParseError
		if errors.As(err, &perr) {
			return table{}, Problem{r.file, perr.Position.Line, "not TOML: " + perr.Message + r.syntaxHint(perr.Position.Line, perr.Message)}
		}
		return table{}, Problem{r.file, 0, err.Error()}
	}
	r.lines = lines.Parse(r.text)
	return table{r: r, raw: raw}, nil
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
func (r *reader) syntaxHint(line int, message string) string {
	lines := strings.Split(r.text, "\n")
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

// bad notes a problem at a path. shown is how messages name the path, value
// what stands there.
func (r *reader) bad(path, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, r.lines.At(path), fmt.Sprintf(format, args...)})
}

func (r *reader) doubtful(path, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{r.file, r.lines.At(path), fmt.Sprintf(format, args...)})
}

// table is one TOML table, of which keys are taken one by one. What is left at
// the end is unknown.
type table struct {
	r     *reader
	path  string // in the file: "rule[1].when"
	shown string // in messages: `rule[2] "no ptr": when`; empty: path
	raw   map[string]any
	known []string
}

func (t *table) at(key string) string { return lines.Join(t.path, key) }

// name is how messages name a key of the table.
func (t *table) name(key string) string {
	if t.shown != "" {
		return t.shown + key
	}
	return t.at(key)
}

// take gives a key's value, and whether it is there.
func (t *table) take(key string) (any, bool) {
	if !slices.Contains(t.known, key) {
		t.known = append(t.known, key)
	}
	v, ok := t.raw[key]
	return v, ok
}

// bad notes a problem with the value of a key.
func (t *table) bad(key string, value any, want string) {
	t.r.bad(t.at(key), "%s = %s: %s", t.name(key), show(value), want)
}

// end keeps every key that nobody took for tellUnknown.
func (t *table) end() {
	t.r.remember(t)
	for _, key := range slices.Sorted(maps.Keys(t.raw)) {
		if !slices.Contains(t.known, key) {
			t.r.unknown = append(t.r.unknown, unknownKey{*t, key})
		}
	}
}

// table gives a table within this one. One that is not there is empty.
func (t *table) table(key string) table {
	sub := table{r: t.r, path: t.at(key)}
	v, ok := t.take(key)
	if !ok {
		return sub
	}
	if sub.raw, ok = v.(map[string]any); !ok {
		want := "want a table [" + key + "]"
		if isTable(v) {
			want += ", in single brackets, once"
		}
		t.bad(key, v, want)
	}
	return sub
}

// tables gives the tables of an array of them, or a single one.
func (t *table) tables(key string) []table {
	v, ok := t.take(key)
	if !ok {
		return nil
	}
	var raws []any
	switch v := v.(type) {
	case map[string]any:
		return []table{{r: t.r, path: t.at(key), raw: v}}
	case []map[string]any:
		for _, m := range v {
			raws = append(raws, m)
		}
	case []any:
		raws = v
	default:
		t.bad(key, v, "want a table { … }, or a list of them")
	}
	var tables []table
	for i, raw := range raws {
		path := t.at(key) + "[" + strconv.Itoa(i) + "]"
		m, ok := raw.(map[string]any)
		if !ok {
			t.r.bad(path, "%s[%d] = %s: want a table { … }", t.name(key), i, show(raw))
			continue
		}
		tables = append(tables, table{r: t.r, path: path, raw: m})
	}
	return tables
}

// text gives a string, and whether there is one.
func (t *table) text(key string, into *string) bool {
	v, ok := t.take(key)
	if !ok {
		return false
	}
	s, ok := v.(string)
	if !ok {
		t.bad(key, v, "want a text in quotes")
		return false
	}
	*into = s
	return true
}

// choice gives the place of a string among those that are allowed.
func (t *table) choice(key string, into *int, allowed ...string) {
	s := allowed[*into]
	t.text(key, &s)
	i := slices.Index(allowed, s)
	if i < 0 {
		t.bad(key, s, "want "+quotedList(allowed))
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

// boolean gives true or false.
func (t *table) boolean(key string, into *bool) {
	if v, ok := t.take(key); ok {
		if b, ok := v.(bool); ok {
			*into = b
		} else {
			t.bad(key, v, "want true or false")
		}
	}
}

// whole gives a whole number within bounds.
func (t *table) whole(key string, into *int, least, most int) {
	if v, ok := t.take(key); ok {
		n, ok := v.(int64)
		if !ok || n < int64(least) || n > int64(most) {
			how := ""
			switch v.(type) {
			case string:
				how = ", without quotes"
			case float64:
				how = ", without a point"
			}
			t.bad(key, v, fmt.Sprintf("want a whole number from %d to %d%s", least, most, how))
			return
		}
		*into = int(n)
	}
}

// duration gives a duration within bounds. It has to carry its unit, as the example
// does, which is TOML.
func (t *table) duration(key string, into *time.Duration, least, most time.Duration, why, example string) {
	v, ok := t.take(key)
	if !ok {
		return
	}
	s, ok := v.(string)
	if !ok {
		t.bad(key, v, "want a duration with its unit, in quotes, such as "+example)
		return
	}
	d, err := ParseDuration(s)
	switch {
	case err != nil:
		t.bad(key, v, "want a duration such as "+example)
	case d < least || d > most:
		t.bad(key, v, fmt.Sprintf("want %s to %s%s", DurationText(least), DurationText(most), why))
	default:
		*into = d
	}
}

// day is a unit that time.ParseDuration does not know, for days are not all
// alike; here they are.
const day = 24 * time.Hour

// ParseDuration is [time.ParseDuration] with whole days beside it: "7d".
func ParseDuration(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * day, err
}

// DurationText is a duration as in a file.
func DurationText(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if short, ok := strings.CutSuffix(s, zeros); ok {
			s = short + zeros[:1]
		}
	}
	return s
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
