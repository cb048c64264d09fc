package journal_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// minimal is a line with as little as may be.
const minimal = "time=2026-11-23T08:30:15.250Z msg=decision action=dunno"

// parseCase is a line and the error of reading it.
type parseCase struct{ line, want string }

func TestParseLines(t *testing.T) {
	checkParse(t, []parseCase{
		{minimal, ""},
		{minimal + " unknown=1 another=\"a b\"", ""},
		{" " + minimal + "\r\n", ""},
		{strings.ReplaceAll(minimal, " ", "   "), ""},
		{`{"time":"2026-11-23T08:30:15.250Z","msg":"decision","action":"dunno"}`, ""},
		{` { "time" : "2026-11-23T08:30:15.250Z", "msg":"decision","action":"dunno", "unknown":[{}], "cached": true, "queries": 3 } `, ""},
		{"time=2026-11-23T09:30:15.250+01:00 msg=decision action=reject", ""},

		{"", "not a decision"},
		{"\n", "not a decision"},
		{"time=2026-11-23T08:30:15.250Z level=INFO msg=listening address=127.0.0.1:10040", "not a decision"},
		{`{"time":"2026-11-23T08:30:15.250Z","msg":"stopped","decisions":3}`, "not a decision"},
		{"{}", "not a decision"},

		{"Nov 23 08:30:15 mx policyd-rdns[1]: msg=decision", `"Nov 23 08:30:15 mx policyd-rdns[1]: msg=decision": want key=value`},
		{"msg=decision stray", `"stray": want key=value`},
		{"=1", `"=1": want key=value`},
		{`msg="decision`, "msg: no closing quote"},
		{`msg="\x"`, "msg: invalid character 'x' in string escape code"},
		{`{"msg":"decision"`, "reading JSON: unexpected end of JSON input"},
		{`{"msg":"decision"} trailing`, "reading JSON: invalid character 't' after top-level value"},
		{"[1]", `"[1]": want key=value`},
		{minimal + " sender=" + "\xff", "not UTF-8"},
	})
}

func TestParseValues(t *testing.T) {
	var names []string
	for _, a := range policy.Actions(true) {
		names = append(names, a.String())
	}
	last := len(names) - 1
	actions := strings.Join(names[:last], ", ") + " or " + names[last]
	checkParse(t, []parseCase{
		{"msg=decision action=dunno", `time="": want an RFC 3339 time`},
		{strings.Replace(minimal, "2026", "26", 1), `time="26-11-23T08:30:15.250Z": want an RFC 3339 time`},
		{strings.Replace(minimal, "15.250", "15", 1), `time="2026-11-23T08:30:15Z": want an RFC 3339 time`},
		// A time that could not be written again.
		{strings.Replace(minimal, "2026-11-23T08:30:15.250Z", "0000-01-01T00:30:00.000+01:00", 1), `time="0000-01-01T00:30:00.000+01:00": want an RFC 3339 time`},
		{"time=2026-11-23T08:30:15.250Z msg=decision", `action="": "": want ` + actions},
		{minimal + " client=mail.example.com", `client="mail.example.com": want an address`},
		{minimal + " client=fe80::1%eth0", `client="fe80::1%eth0": want an address`},
		{minimal + " client=203.0.113.10/32", `client="203.0.113.10/32": want an address`},
		{minimal + " server=x", `server="x": want an address`},
		{minimal + " ptr=192.0.2.1", `ptr="192.0.2.1": unknown result`},
		{minimal + ` helo="a b"`, `helo="a b": unknown result`},
		{minimal + " strength=FULL", `strength="FULL": unknown result`},
		{minimal + " ptr=found names=mail.example.com", `names="mail.example.com": want name>address`},
		{minimal + " ptr=found names=mail.example.com>203.0.113", `names="mail.example.com>203.0.113": want addresses, none or temperror`},
		{minimal + ` ptr=found names="a>none,\\"`, `names="a>none,\\": want name>address`},
		{minimal + " helo_to=203.0.113.10+", `helo_to="203.0.113.10+": want addresses, none or temperror`},
		{minimal + " helo_to=fe80::1%eth0", `helo_to="fe80::1%eth0": want addresses, none or temperror`},
		{minimal + " would=4xx:a", `would="4xx:a": "4xx": want ` + actions},
		{minimal + " decided=4xx", `decided="4xx": "4xx": want ` + actions},
		{minimal + " ms=1e99", `ms="1e99": want a number of milliseconds`},
		{minimal + " ms=fast", `ms="fast": want a number of milliseconds`},
		{minimal + " ms=-1", `ms="-1": want a number of milliseconds`},
		{minimal + " ms=NaN", `ms="NaN": want a number of milliseconds`},
		{minimal + " queries=many", `queries="many": want a number`},
		// The first that is wrong is told.
		{minimal + " ptr=1 client=x", `ptr="1": unknown result`},
	})
}

func checkParse(t *testing.T, tests []parseCase) {
	t.Helper()
	for _, tt := range tests {
		_, err := journal.Parse([]byte(tt.line))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Parse(%q): %s; want %s", tt.line, got, tt.want)
		}
		if errors.Is(err, journal.ErrOther) != (tt.want == "not a decision") {
			t.Errorf("Parse(%q): %v; ErrOther: %v", tt.line, err, errors.Is(err, journal.ErrOther))
		}
	}
}

// Both formats of a line read alike.
func TestParseFormats(t *testing.T) {
	for name, lines := range golden(t) {
		logfmt, json, _ := strings.Cut(lines, "\n")
		a, err := journal.Parse([]byte(logfmt))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b, err := journal.Parse([]byte(json))
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: logfmt reads\n%+v; JSON, %v,\n%+v", name, a, err, b)
		}
	}
}

// FuzzParse: no line makes the reader panic, and a line that it takes is
// written in a way that reads the same, in both formats.
func FuzzParse(f *testing.F) {
	for _, s := range samples() {
		r := s.record()
		for _, format := range formats {
			f.Add(format.Append(nil, &r))
		}
	}
	random := rand.NewChaCha8([32]byte{3})
	for range 10 {
		data := make([]byte, 160)
		_, _ = random.Read(data)
		s := aSample(f, data)
		r := s.record()
		f.Add(journal.Logfmt.Append(nil, &r))
	}
	f.Add([]byte(minimal + " action=info decided=reject would=reject:x ms=0.001 strength=word name=generic helo_to=::ffff:203.0.113.10"))
	f.Fuzz(func(t *testing.T, line []byte) {
		written, err := journal.Parse(line)
		if err != nil {
			return
		}
		for name, format := range formats {
			again := format.Append(nil, &written)
			checkLine(t, again)
			// What is too long for a line of ours, or in words that are not, goes.
			first, err := journal.Parse(again)
			if err != nil {
				t.Errorf("%q is written in %s as %s, which does not read: %v", line, name, again, err)
				continue
			}
			if got, want := first.Request.Client, written.Request.Client; got != want || first.Decision.Action != written.Decision.Action || first.Decision.Decided != written.Decision.Decided {
				t.Errorf("%q is written in %s as %s", line, name, again)
			}
			again = format.Append(nil, &first)
			second, err := journal.Parse(again)
			if err != nil {
				t.Errorf("%q is written in %s as %s, which does not read: %v", line, name, again, err)
				continue
			}
			first.Request.Time = first.Request.Time.UTC()
			if !reflect.DeepEqual(first, second) {
				t.Errorf("%q is written in %s as %s, which reads\n%+v; want\n%+v", line, name, again, second, first)
			}
		}
	})
}
