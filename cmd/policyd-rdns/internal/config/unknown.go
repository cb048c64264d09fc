package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config/lines"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// unknownKey is a key that nobody took, in the table where it stands.
type unknownKey struct {
	table table
	key   string
}

// gone are settings of earlier versions, and what is so without them.
var gone = map[string]string{
	"cache_file": "answers are not kept over a restart any more",
}

// others are keys of other programs, or of other tables' ways, and what does it here.
var others = map[string]string{
	"except":      "unless = { … }",
	"not":         "unless = { … }",
	"if":          "when = { … }",
	"match":       "when = { … }",
	"comment":     "why",
	"reason":      "why",
	"description": "why",
	"note":        "why",
	"for":         "until = 2027-03-31",
	"expires":     "until = 2027-03-31",
	"message":     "text",
	"enabled":     "off = true, which switches a built-in rule off",
	"disabled":    "off = true, which switches a built-in rule off",
}

// remember keeps in which table each key that it knows belongs.
func (r *reader) remember(t *table) {
	home := anIndex.ReplaceAllString(t.path, "")
	for _, key := range t.known {
		if !slices.Contains(r.homes[key], home) {
			r.homes[key] = append(r.homes[key], home)
		}
	}
}

// anIndex is the number of a table among several of its name.
var anIndex = regexp.MustCompile(`\[\d+\]`)

// tellUnknown notes the unknown keys. It comes last, when it is known where each
// setting belongs.
func (r *reader) tellUnknown() {
	if len(r.unknown) == 0 {
		return
	}
	// What a rule may have, in a file without one too.
	other := newReader("", nil)
	sample := func(path string) *table {
		return &table{r: other, path: path, raw: map[string]any{"when": map[string]any{}}}
	}
	other.rule(sample("rule"), &ruleSet{})
	other.exemption(sample("exempt"))
	for key, homes := range other.homes {
		for _, home := range homes {
			r.remember(&table{path: home, known: []string{key}})
		}
	}
	for _, u := range r.unknown {
		at, name := u.table.at(u.key), u.table.name(u.key)
		if now, ok := gone[u.key]; ok {
			r.bad(at, "%s: is gone, and %s: remove the line", name, now)
		} else {
			r.bad(at, "%s: unknown key (%s)", name, r.hint(u))
		}
	}
}

// hint says where an unknown key belongs, what it may have meant, or else what is
// known where it stands.
func (r *reader) hint(u unknownKey) string {
	if place := r.place(u.key, isTable(u.table.raw[u.key])); place != "" {
		return "belongs " + place
	}
	if near, ok := plain.Nearest(u.key, u.table.known); ok {
		return "did you mean " + u.table.header(near) + "?"
	}
	if here, ok := others[u.key]; ok && slices.Contains(u.table.known, keyOf(here)) {
		return "did you mean " + here + "?"
	}
	if near, ok := plain.Nearest(u.key, slices.Sorted(maps.Keys(r.homes))); ok {
		if place := r.place(near, isTable(u.table.raw[u.key])); place != "" {
			return "did you mean " + near + "? it belongs " + place
		}
	}
	return "known are " + strings.Join(u.table.known, ", ")
}

// keyOf is the key that a text begins with.
func keyOf(text string) string {
	key, _, _ := strings.Cut(text, " ")
	return strings.TrimSuffix(key, ",")
}

// header is how a key of the table is written: in brackets if it is a table.
func (t *table) header(key string) string {
	if t.path == "" && isBlock(key) {
		return "[[" + key + "]]"
	}
	return key
}

// isBlock reports whether a key above the tables is a list of tables.
func isBlock(key string) bool { return key == "rule" || key == "exempt" }

// place says where in a file a key belongs; empty: nowhere, for what is a table
// is never what is a value.
func (r *reader) place(key string, table bool) string {
	var places []string
	for _, home := range slices.Sorted(slices.Values(r.homes[key])) {
		if table != r.isHome(lines.Join(home, key)) {
			continue
		}
		place := "below [" + home + "]"
		switch home {
		case "":
			place = "above the first [table]"
			if isBlock(key) {
				place = "in a table of its own, [[" + key + "]]"
			} else if table {
				place = "in a table of its own, [" + key + "]"
			}
		case "rule", "exempt":
			place = "below [[" + home + "]]"
		case "rule.when", "rule.unless", "exempt.when", "exempt.unless":
			place = "in the when = { … } of a [[rule]] or [[exempt]]"
		}
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return strings.Join(places, " or ")
}

// isHome reports whether a path is that of a table.
func (r *reader) isHome(path string) bool {
	for _, homes := range r.homes {
		if slices.Contains(homes, path) {
			return true
		}
	}
	return false
}

func isTable(v any) bool {
	switch v := v.(type) {
	case map[string]any, []map[string]any:
		return true
	case []any:
		return len(v) > 0 && isTable(v[0])
	}
	return false
}
