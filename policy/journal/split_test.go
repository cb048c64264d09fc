package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSplitLogfmt(t *testing.T) {
	tests := []struct{ line, want string }{ // want: the fields, or a part of the error
		{"", ""},
		{"msg=decision rule=a", "msg=decision rule=a"},
		{"rule=a msg=decision", "msg=decision rule=a"}, // in any order
		{`msg=decision  rule="a b" `, "msg=decision rule=a b"},
		{`rule="a\"\\\u00e9\n"helo_is=x`, "rule=a\"\\\u00e9\n helo_is=x"},
		{"rule=a rule=b", "rule=b"}, // the last counts
		{"rule=a msg=decision rule=b", "msg=decision rule=b"},
		{"rule= msg=decision", "msg=decision rule="},
		{"rule=a=b", "rule=a=b"},
		{"colour=red rule=a size=1", "rule=a"}, // unknown keys
		{"rule=a b", `"b": want key=value`},
		{"=a", `"=a": want key=value`},
		{`ru"le=a`, "want key=value"},
		{`rule="a`, "rule: no closing quote"},
		{`rule="a\`, "rule: no closing quote"},
		{`rule="\\\"\\" ms=1`, `rule=\"\ ms=1`},
		{`rule="a\"`, "rule: no closing quote"},
		{`rule="\x"`, "rule: invalid character 'x'"},
		{"rule=\"a\x00b\"", "rule: invalid character '\\x00'"},
		{"rule=\"a\xffb\"", "rule=a\ufffdb"},
	}
	for _, test := range tests {
		if got := splitText(test.line); got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
			t.Errorf("split(%q) = %q; want %q", test.line, got, test.want)
		}
	}
}

// splitText is what a line is split into, or the error.
func splitText(line string) string {
	var f fields
	if err := f.split(line); err != nil {
		return err.Error()
	}
	return f.text()
}

func (f *fields) text() string {
	var found []string
	for i, key := range keys {
		if f.has.has(field(i)) {
			found = append(found, key+"="+f.value[i])
		}
	}
	return strings.Join(found, " ")
}

// TestSplitJSON holds what is read of JSON against encoding/json.
func TestSplitJSON(t *testing.T) {
	tests := []struct {
		line string
		ok   bool
	}{
		{`{"msg":"decision","ms":1.204,"queries":0,"cached":true}`, true},
		{`{"rule":"a\"\\\u00e9\n","helo_is":""}`, true},
		{"{\"rule\":\"a\xffb\x7f\"}", true},
		{`{"m\u0073":1}`, true},
		{`{"rule":"a","rule":"b"}`, true},
		{`{"rule":"a","colour":"red","rule":"b"}`, true},
		{`{}`, true},
		{`{"cached":false}`, true},
		{`{"rule":null}`, true},
		{`{"ms":-1}`, true},
		{`{"ms":1e3}`, true},
		{`{"rule": "a"}`, true},
		{`{"rule":["a"]}`, true},
		{`{"would":["a","b\u00e9"],"names":[{"name":"a","to":["x","y"]},{"name":"b","colour":"red"},{"to":"none"}],"cut":[]}`, true},
		{`{"would":["a","b"],"would":"c"}`, true},
		{`{"would":["a" ]}`, true},
		{`{"would":["a",]}`, false},
		{`{"would":["a"}`, false},
		{`{"would":[1]}`, true},
		{`{"would":[["a"]]}`, true},
		{`{"would":[`, false},
		{`{"names":[{}]}`, true},
		{`{"names":[{"name"}]}`, false},
		{`{"names":[{"name":`, false},
		{`{"names":[{"name":[]}]}`, true},
		{`{"names":[{"name":"a","to":["x"]`, false},
		{`{"rule":"a"} `, true},
		{`{`, false},
		{`{"`, false},
		{`{"rule"`, false},
		{`{"rule":`, false},
		{`{"rule":"a`, false},
		{`{"rule":"a",`, false},
		{`{"rule":"a",}`, false},
		{`{"rule":"a"}}`, false},
		{`{"ms":01}`, false},
		{`{"ms":1.}`, false},
		{`{"ms":.1}`, false},
		{`{"cached":truely}`, false},
		{"{\"rule\":\"a\nb\"}", false},
		{`{"rule":{"a":[1,{"b":null}]},"ms":{},"helo_is":[],"sender":[2.50],"instance":["a",1],"queue_id":[["a"]]}`, true},
		{`{"names":[{"name":["a"],"to":5},{"to":["x",5]},"b",null]}`, true},
		{"\t{ \"rule\"\n:\r[ \"a\" ] , \"ms\" : -0.5E+01 }", true},
		{`{"ms":-}`, false},
		{`{"ms":1.e5}`, false},
		{`{"ms":1e}`, false},
		{`{"ms":nul}`, false},
		{`{"ms":[1 2]}`, false},
		{`{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`, true},
		{`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, false},
	}
	for _, test := range tests {
		if got := checkJSON(t, test.line); got != test.ok {
			t.Errorf("splitJSON(%s) = %v; want %v", test.line, got, test.ok)
		}
	}
}

// checkJSON reports whether a line is read; encoding/json has to read the same.
func checkJSON(t *testing.T, line string) bool {
	t.Helper()
	var got, want fields
	err := got.splitJSON(line)
	if wrong := want.decodeJSON(line); (err == nil) != (wrong == nil) && !strings.Contains(err.Error(), "too deeply") {
		t.Errorf("splitJSON(%q): %v; want %v", line, err, wrong)
	}
	if err != nil {
		return false
	}
	if got != want {
		t.Errorf("splitJSON(%q) = %q; want %q", line, got.text(), want.text())
	}
	for f := range keys {
		if v := got.of(field(f)); v.array {
			checkElements(t, v.text)
		}
	}
	return true
}

// decodeJSON is splitJSON by means of encoding/json.
func (f *fields) decodeJSON(line string) error {
	if !json.Valid([]byte(line)) {
		return errors.New("not valid")
	}
	d := json.NewDecoder(strings.NewReader(line))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return errors.New("not an object")
	}
	for d.More() {
		key, err := d.Token()
		var v json.RawMessage
		if err := errors.Join(err, d.Decode(&v)); err != nil {
			return err
		}
		var all []json.RawMessage
		name, array := key.(string), v[0] == '[' && isArray(key.(string))
		if v[0] == '[' && !array && json.Unmarshal(v, &all) == nil {
			if len(all) != 1 || all[0][0] == '[' {
				continue
			}
			v = all[0]
		}
		if v[0] == '{' || v[0] == 'n' {
			continue
		}
		text := string(v)
		if v[0] == '"' {
			if err := json.Unmarshal(v, &text); err != nil {
				return err
			}
		}
		f.set(name, text, array, 0)
	}
	return nil
}

// checkElements holds what is read of an array against encoding/json.
func checkElements(t *testing.T, text string) {
	t.Helper()
	var got, want []element
	err := value{text, true}.elements(nameMembers, nil, func(e element) { got = append(got, e) })
	var all []json.RawMessage
	wrong := json.Unmarshal([]byte(text), &all)
	for _, raw := range all {
		var e element
		switch raw[0] {
		case '{':
			e.decodeMembers(raw)
		case '"':
			wrong = errors.Join(wrong, json.Unmarshal(raw, &e.text))
		default:
			e.text = string(raw)
			wrong = errors.New("odd")
		}
		want = append(want, e)
	}
	if (err == nil) != (wrong == nil) || err == nil && !slices.Equal(got, want) {
		t.Errorf("%s: elements %q, %v; want %q, %v", text, got, err, want, wrong)
	}
}

// decodeMembers reads the members of an object by means of encoding/json.
func (e *element) decodeMembers(object []byte) {
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // its brace
	for d.More() {
		key, _ := d.Token()
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return
		}
		i := slices.Index(nameMembers, key.(string))
		if i < 0 {
			continue
		}
		var texts []*string
		if v[0] == '"' {
			v = slices.Concat([]byte("["), v, []byte("]"))
		}
		if v[0] != '[' || json.Unmarshal(v, &texts) != nil || slices.Contains(texts, nil) {
			continue
		}
		var joined []string
		for _, text := range texts {
			joined = append(joined, *text)
		}
		e.member[i] = strings.Join(joined, "+")
	}
}

func FuzzSplitJSON(f *testing.F) {
	for _, line := range []string{
		`{"msg":"decision","ms":1.204,"queries":0,"cached":true}`,
		`{"rule":"a\"\\\u00e9\ud83d\ude00\n","helo_is":"","rule":"b"}`,
		"{\"rule\":\"a\xffb\x7f\"}",
		`{"would":["a","b"],"names":[{"name":"a\u0000","to":["x","y"]},{"name":"b","to":"none"}]}`,
		`{"names":[{"name":"a","name":"b","to":["x"],"to":"y","TO":"z"}]}`,
		`{"ms":-1.5e3,"stale":false,"names":null, "would":["a"]}`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) { checkJSON(t, line) })
}
