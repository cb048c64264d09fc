package config

import (
	"maps"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/document/lines"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

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

// tellUnknown notes the unknown keys. It comes last, when it is known where each
// setting belongs.
func (r *reader) tellUnknown() {
	if len(r.Unknown) == 0 {
		return
	}
	// What a rule may have, in a file without one too.
	other := newReader("", nil)
	sample := func(path string) *document.Table {
		return &document.Table{R: other.Reader, Path: path, Raw: map[string]any{"when": map[string]any{}}}
	}
	other.rule(sample("rule"), &ruleSet{})
	other.exemption(sample("exempt"))
	for key, homes := range other.Homes {
		for _, home := range homes {
			r.Remember(&document.Table{Path: home, Known: []string{key}})
		}
	}
	for _, u := range r.Unknown {
		at, name := u.Table.At(u.Key), u.Table.Name(u.Key)
		if now, ok := gone[u.Key]; ok {
			r.Bad(at, "%s: is gone, and %s: remove the line", name, now)
		} else {
			r.Bad(at, "%s: unknown key (%s)", name, r.hint(u))
		}
	}
}

// hint says where an unknown key belongs, what it may have meant, or else what is
// known where it stands.
func (r *reader) hint(u document.UnknownKey) string {
	if place := r.place(u.Key, document.IsTable(u.Table.Raw[u.Key])); place != "" {
		return "belongs " + place
	}
	if near, ok := plain.Nearest(u.Key, u.Table.Known); ok {
		return "did you mean " + header(&u.Table, near) + "?"
	}
	if here, ok := others[u.Key]; ok && slices.Contains(u.Table.Known, keyOf(here)) {
		return "did you mean " + here + "?"
	}
	if near, ok := plain.Nearest(u.Key, slices.Sorted(maps.Keys(r.Homes))); ok {
		if place := r.place(near, document.IsTable(u.Table.Raw[u.Key])); place != "" {
			return "did you mean " + near + "? it belongs " + place
		}
	}
	return "known are " + strings.Join(u.Table.Known, ", ")
}

// keyOf is the key that a text begins with.
func keyOf(text string) string {
	key, _, _ := strings.Cut(text, " ")
	return strings.TrimSuffix(key, ",")
}

// header is how a key of the table is written: in brackets if it is a table.
func header(t *document.Table, key string) string {
	if t.Path == "" && isBlock(key) {
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
	for _, home := range slices.Sorted(slices.Values(r.Homes[key])) {
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
	for _, homes := range r.Homes {
		if slices.Contains(homes, path) {
			return true
		}
	}
	return false
}
