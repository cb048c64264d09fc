package scan_test

import (
	"encoding/json"
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
