package scan_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"policyd-rdns/policy/journal/scan"
)

// FuzzScanner holds what is read against encoding/json.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		``, `{}`, `{"a":1}`, `[1,"b",null,true]`, `{"a":{"b":["c",{"d":"\u00e9\\\""}]},"e":-1.5e3}`, `{"a":01}`, `{"a"}`, `[1,]`, "\"\n\"", `"\ud83d\ude00"`, `"\x"`,
		`{"names":[{"name":"mail.example.org","to":["192.0.2.1"]}]} `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scan.Scanner{In: text}
		value, kind := s.Value()
		whole := !s.Bad && s.Next() == 0
		if !whole {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is read, and is no JSON", text)
		}
		if kind == '"' {
			var want string
			if err := json.Unmarshal([]byte(text), &want); err != nil || value != want {
				t.Errorf("%q reads %q; want %q, %v", text, value, want, err)
			}
		}
	})
}

func TestTexts(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{{`"a"`, "a", true}, {`["a","b"]`, "a+b", true}, {`[]`, "", true}, {`["a",1]`, "a+1", false}, {`1`, "1", false}} {
		s := scan.Scanner{In: tt.in}
		if got, ok := s.Texts(); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q, %t; want %q, %t", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzUnquote holds what is read of a string against encoding/json.
func FuzzUnquote(f *testing.F) {
	for _, text := range []string{
		`""`, `"a"`, `"`, `"a`, `"a\`, `"a\"`, `"a\\"`, `"a\"b" and more`, `"\u0001\u00e9\uFFFD"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\u00e"`, `"\u"`, `"\u+001"`, `"\x"`, `"\n\t\/"`,
		"\"\n\"", "\"a\x00b\"", "\"\u00e9 or \xff\"", "\"\x7f\"", `"12345678\"12345678\\1234567"`, "\"1234567\x1f\x20\x21\x22", "\"1234\x80\"", `"more than eight bytes, and no escape"`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = `"` + strings.TrimPrefix(text, `"`)
		value, n, err := scan.Unquote(text)
		if skipped, skipErr := scan.Skip(text); skipErr == nil != (err == nil) || err == nil && skipped != n {
			t.Errorf("%q has %d bytes, %v; %d skipped, %v", text, n, err, skipped, skipErr)
		}
		// What comes first that is a string, if anything is.
		var want string
		end := 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		wantErr := errors.New("no end")
		if end < len(text) {
			wantErr = json.Unmarshal([]byte(text[:end+1]), &want)
		}
		if err == nil != (wantErr == nil) || err == nil && (value != want || n != end+1) {
			t.Errorf("%q reads %q of %d bytes, %v; want %q of %d, %v", text, value, n, err, want, end+1, wantErr)
		}
	})
}
