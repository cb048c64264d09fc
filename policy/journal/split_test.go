package journal

import (
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

// TestSplitPlainJSON holds what is read the fast way against encoding/json.
func TestSplitPlainJSON(t *testing.T) {
	tests := []struct {
		line  string
		plain bool // it is read the fast way
	}{
		{`{"msg":"decision","ms":1.204,"questions":0,"cached":true}`, true},
		{`{"rule":"a\"\\\u00e9\n","helo_is":""}`, true},
		{"{\"rule\":\"a\xffb\x7f\"}", true},
		{`{"m\u0073":1}`, true},
		{`{"rule":"a","rule":"b"}`, true},
		{`{"rule":"a","colour":"red","rule":"b"}`, true},
		{`{}`, false},
		{`{"cached":false}`, false},
		{`{"rule":null}`, false},
		{`{"ms":-1}`, false},
		{`{"ms":1e3}`, false},
		{`{"rule": "a"}`, false},
		{`{"rule":["a"]}`, false},
		{`{"would":["a","b\u00e9"],"names":[{"name":"a","to":["x","y"]},{"name":"b","colour":"red"},{"to":"none"}],"cut":[]}`, true},
		{`{"would":["a","b"],"would":"c"}`, true},
		{`{"would":["a" ]}`, false},
		{`{"would":["a",]}`, false},
		{`{"would":["a"}`, false},
		{`{"would":[1]}`, false},
		{`{"would":[["a"]]}`, false},
		{`{"would":[`, false},
		{`{"names":[{}]}`, false},
		{`{"names":[{"name"}]}`, false},
		{`{"names":[{"name":`, false},
		{`{"names":[{"name":[]}]}`, false},
		{`{"names":[{"name":"a","to":["x"]`, false},
		{`{"rule":"a"} `, false},
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
	}
	for _, test := range tests {
		if got := checkPlainJSON(t, test.line); got != test.plain {
			t.Errorf("splitPlainJSON(%s) = %v; want %v", test.line, got, test.plain)
		}
	}
}

// checkPlainJSON says whether a line is read the fast way; if so, encoding/json
// has to read the same.
func checkPlainJSON(t *testing.T, line string) bool {
	t.Helper()
	var fast, whole fields
	if !fast.splitPlainJSON(line) {
		return false
	}
	if err := whole.splitJSON(line); err != nil {
		t.Errorf("%q is read, but is no JSON: %v", line, err)
	}
	for f := range keys { // the lists, too, each in its way
		if a, b := elementsOf(t, fast.of(field(f))), elementsOf(t, whole.of(field(f))); !slices.Equal(a, b) {
			t.Errorf("%q: %s is %+v; want %+v", line, keys[f], a, b)
		}
	}
	if fast.plain = false; fast != whole {
		t.Errorf("split(%q) = %q; want %q", line, fast.text(), whole.text())
	}
	return true
}

func elementsOf(t *testing.T, v value) (all []element) {
	t.Helper()
	if v.array {
		if err := v.elements(func(e element) { all = append(all, e) }); err != nil {
			t.Errorf("%s: %v", v.text, err)
		}
	}
	return all
}

func FuzzSplitPlainJSON(f *testing.F) {
	for _, line := range []string{
		`{"msg":"decision","ms":1.204,"questions":0,"cached":true}`,
		`{"rule":"a\"\\\u00e9\ud83d\ude00\n","helo_is":"","rule":"b"}`,
		"{\"rule\":\"a\xffb\x7f\"}",
		`{"would":["a","b"],"names":[{"name":"a\u0000","to":["x","y"]},{"name":"b","to":"none"}]}`,
		`{"names":[{"name":"a","name":"b","to":["x"],"to":"y","TO":"z"}]}`,
		`{"ms":-1.5e3,"stale":false,"names":null, "would":["a"]}`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) { checkPlainJSON(t, line) })
}
