package journal

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// fill gives the record a value of a row, if it is not the value of several.
func (row *row) fill(r *Record) bool {
	switch row.kind {
	case kindText:
		*row.text(r) = "a, \"b\" of " + row.key
	case kindFlag:
		*row.flag(r) = true
	case kindNumber, kindCount:
		*row.number(r) = 7
	case kindMoment:
		*row.time(r) = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	case kindAddr:
		*row.addr(r) = netip.MustParseAddr("2001:db8::7")
	case kindCheck:
		r.Decision.Checks[row.check] = row.check.Results()[0]
		if fact := row.check.Fact(&r.Facts); fact != nil {
			*fact = r.Decision.Checks[row.check]
		}
	default:
		return false
	}
	return true
}

// Each row of the table is written, read back and converted, whatever it is.
func TestEveryKey(t *testing.T) {
	for i := range table {
		row := &table[i]
		want := Record{Request: policy.Request{Time: time.Date(2026, 11, 23, 8, 30, 15, 250e6, time.UTC)}}
		if row.fill(&want) {
			t.Run(row.key, func(t *testing.T) { checkKey(t, row, &want) })
		}
	}
}

// checkKey holds the lines of a record that has a value of one row.
func checkKey(t *testing.T, row *row, want *Record) {
	t.Helper()
	var lines [2]string
	for _, format := range []Format{Logfmt, JSON} {
		line := format.Append(nil, want)
		got, err := Parse(line)
		got.Facts.Past.Asked, got.Facts.Past.DomainAsked = want.Facts.Past.Asked, want.Facts.Past.DomainAsked
		got.Facts.HELO, got.Facts.PTR = want.Facts.HELO, want.Facts.PTR                 // which follow from keys
		for _, hidden := range []policy.Check{policy.CheckStrength, policy.CheckKind} { // which follow from the name
			if row.check != hidden && got.Decision.Checks[hidden] == policy.None {
				got.Decision.Checks[hidden] = policy.NotLearnt
			}
		}
		if err != nil || !reflect.DeepEqual(got, *want) {
			t.Errorf("%s reads %v,\n%+v; want\n%+v", line, err, got, *want)
		}
		if !strings.Contains(string(line), row.key) {
			t.Errorf("%s has no %s", line, row.key)
		}
		lines[format] = string(line)
	}
	if got, err := AppendJSON(nil, strings.TrimSuffix(lines[Logfmt], "\n")); err != nil || string(got) != lines[JSON] {
		t.Errorf("AppendJSON(%s) = %s, %v; want %s", lines[Logfmt], got, err, lines[JSON])
	}
}

// manual is the list of the keys in the package comment.
func manual() string {
	const column, width = 23, 97
	var b strings.Builder
	for _, key := range Manual() {
		line := fmt.Sprintf("//\t%-20s", key.Name)
		for word := range strings.FieldsSeq(key.Doc) {
			if len(line)+len(word) >= width {
				fmt.Fprintln(&b, line)
				line = "//\t" + strings.Repeat(" ", column-len("//\t"))
			}
			line += " " + word
		}
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// A manual page can say of each key what it is, of what kind, and more than its name.
func TestManual(t *testing.T) {
	for i, key := range Manual() {
		if key.Name != table[i].key || key.Kind == "" || !strings.HasSuffix(key.Doc, ".") || strings.Count(key.Doc, " ") < 3 {
			t.Errorf("key %q of kind %q: %q", key.Name, key.Kind, key.Doc)
		}
	}
}

// The package comment lists the keys as the table has them. With -update it is written.
func TestPackageComment(t *testing.T) {
	const path, begin, end = "journal.go", "// is left out.\n//\n", "//\n// A list is"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	list, after, found := strings.Cut(rest, end)
	switch {
	case !found:
		t.Fatalf("%s has no list of keys between %q and %q", path, begin, end)
	case list == manual():
	case flag.Lookup("update").Value.String() == "true":
		if err := os.WriteFile(path, []byte(before+begin+manual()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the package comment lists the keys as\n%s\nwant (go test -run %s -update)\n%s", list, t.Name(), manual())
	}
}
