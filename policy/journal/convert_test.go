package journal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
)

func TestAppendJSON(t *testing.T) {
	tests := []struct{ line, want string }{
		{`msg=decision id=a ms=1.204 queries=0 cached=true`, `{"msg":"decision","id":"a","ms":1.204,"queries":0,"cached":true}`},
		{`rule="a \"b\"" helo_is=true sender=12 colour=red`, `{"rule":"a \"b\"","helo_is":"true","sender":"12","colour":"red"}`},
		{`names=a>192.0.2.1+192.0.2.2,b>none,c> helo_to=192.0.2.1`, `{"names":[{"name":"a","to":["192.0.2.1","192.0.2.2"]},{"name":"b","to":"none"},{"name":"c"}],"helo_to":["192.0.2.1"]}`},
		{`ms=01 queries=-1 stale=maybe`, `{"ms":"01","queries":-1,"stale":"maybe"}`},
		{"helo_is=\x1b[31m sender=\u00e9\u009b\xff", `{"helo_is":"\u001b[31m","sender":"\u00e9\u009b\ufffd"}`},
		{"{\"id\":\"a\", \"helo_is\":\"\\u001b\u00e9\u009b\x7f\U0001f600\xff\",\n\"x\":[1]}", `{"id":"a", "helo_is":"\u001b\u00e9\u009b\u007f\ud83d\ude00\ufffd", "x":[1]}`},
		{"", `{}`},
	}
	for _, test := range tests {
		got, err := journal.AppendJSON(nil, test.line)
		if err != nil || string(got) != test.want+"\n" {
			t.Errorf("AppendJSON(%q) = %s, %v; want %s", test.line, got, err, test.want)
		}
	}
	for _, line := range []string{"a", `{"a"`, `a="b`, `{"a":1}{}`} {
		if got, err := journal.AppendJSON(nil, line); err == nil {
			t.Errorf("AppendJSON(%q) = %s; want an error", line, got)
		}
	}
}

// TestAppendJSONIsWhatIsWritten converts lines of the writer.
func TestAppendJSONIsWhatIsWritten(t *testing.T) {
	line := strings.TrimSpace(logLine(journal.Logfmt, "a b", 5))
	got, err := journal.AppendJSON(nil, line)
	if want := logLine(journal.JSON, "a b", 5); err != nil || string(got) != want {
		t.Errorf("AppendJSON(%s) = %s, %v; want %s", line, got, err, want)
	}
}

func FuzzAppendJSON(f *testing.F) {
	f.Add(`msg=decision id=a rule="a \"b\"" ms=1.204 cached=true`)
	f.Add("{\"id\":\"\u00e9\u009b\x7f\",\r\n\"x\":[1]}")
	f.Fuzz(func(t *testing.T, line string) {
		got, err := journal.AppendJSON(nil, line)
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Errorf("AppendJSON(%q) = %q: not JSON", line, got)
		}
		for _, c := range got[:len(got)-1] {
			if c < ' ' || c > '~' {
				t.Errorf("AppendJSON(%q) = %q: not printable", line, got)
			}
		}
	})
}
