package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	tests := []struct {
		in     string
		status int
		want   string // on standard output, or a part of standard error
	}{
		{"203.0.113.10\tip-203-0-113-10.provider.example\n", 0, "ip-203-0-113-10.provider.example\tgeneric\tfull\tunknown\t\"203-0-113-10\" is the address\n"},
		{"mail.example.com\n\n  MX1.Example.COM.  \n", 0, "mail.example.com\tproper\t\t\t\nmx1.example.com\tproper\t\t\t\n"},
		{"-\tmail.example.com\r\n", 0, "mail.example.com\tproper\t\t\t\n"},
		{"2001:db8::1\tmail.example.com\n", 0, "mail.example.com\tproper\t\t\t\n"},
		{"mail\x1b[31m.example.com\n", 0, "mail?[31m.example.com\tproper\t\t\t\n"},
		{"mail.example.com\tmail.example.com\n", 1, "line 1: \"mail.example.com\": want address<TAB>name"},
		{strings.Repeat("x", 64<<10+1), 1, "token too long"},
	}
	for _, test := range tests {
		for _, args := range [][]string{{"classify"}, {"classify", "-"}} {
			status, stdout, stderr := call(test.in, args...)
			if status != test.status || status == 0 && stdout != test.want || !strings.Contains(stdout+stderr, test.want) {
				t.Errorf("%q < %.100q = %d, %q, %q; want %d, %q", args, test.in, status, stdout, stderr, test.status, test.want)
			}
		}
	}
	if status, _, stderr := call("", "classify", "/nonexistent"); status != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("classify /nonexistent = %d, %q", status, stderr)
	}
}

func TestClassifyReadsGzip(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte("mail.example.com\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "names.gz")
	if err := os.WriteFile(path, zipped.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for stdin, args := range map[string][]string{"": {"classify", path}, zipped.String(): {"classify"}} {
		if status, stdout, stderr := call(stdin, args...); status != 0 || stdout != "mail.example.com\tproper\t\t\t\n" {
			t.Errorf("%q = %d, %q, %q", args, status, stdout, stderr)
		}
	}
}

func TestClassifyJSON(t *testing.T) {
	const want = `{"name":"203-0-113-10.dsl.example.net","verdict":"generic","strength":"full","kind":"dynamic","basis":"address","piece":"203-0-113-10","why":"is the address"}
{"name":"mail.example.com","verdict":"proper"}
{"name":"out.example.com","verdict":"proper"}
{"name":"a\u001b\"b.example.com","verdict":"proper"}
`
	in := "203.0.113.10\t203-0-113-10.dsl.example.net\nmail.example.com\nOut.example.com.\na\x1b\"b.example.com\n"
	if status, stdout, stderr := call(in, "classify", "--json"); status != 0 || stderr != "" || stdout != want {
		t.Errorf("classify --json = %d, %q\ngot:\n%s\nwant:\n%s", status, stderr, stdout, want)
	}
}

func TestScore(t *testing.T) {
	const table = `label	ip	hostname	source
generic	203.0.113.10	ip-203-0-113-10.provider.example	x
generic	203.0.113.11	cb00710b.provider.example	x
generic	203.0.113.12	fine.provider.example	x
named	203.0.113.20	mail.example.com	x
named	203.0.113.21	203-0-113-21.dyn.example.net	x
ambiguous	203.0.113.22	server.example.com	x
`
	const want = `generic names  3, found 2: recall 66.67%
named hosts    2, taken for generic 1: false positives 50.00%

  strength  found  of all generic  wrong  of all named
      full      2          66.67%      1        50.00%

     kind  found  of all generic  wrong  of all named
  unknown      2          66.67%      0         0.00%
  dynamic      0           0.00%      1        50.00%

  evidence  found  of all generic  wrong  of all named
   address      1          33.33%      1        50.00%
       hex      1          33.33%      0         0.00%

named, taken for generic: 1
  203.0.113.21	203-0-113-21.dyn.example.net	generic/full: "203-0-113-21" is the address

generic, not found: 1
  203.0.113.12	fine.provider.example	
`
	status, stdout, stderr := call(table, "classify", "--score")
	if status != 0 || stderr != "" || stdout != want {
		t.Errorf("classify --score = %d, %q\ngot:\n%s\nwant:\n%s", status, stderr, stdout, want)
	}
	if status, stdout, _ := call("", "classify", "--score"); status != 0 || !strings.Contains(stdout, "recall -") {
		t.Errorf("classify --score of nothing = %d, %q", status, stdout)
	}
	if status, _, stderr := call("generic\tx\tmail.example.com\n", "classify", "--score"); status != 1 || !strings.Contains(stderr, "line 1:") {
		t.Errorf("classify --score of a bad address = %d, %q", status, stderr)
	}
}
