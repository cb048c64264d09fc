package declog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// TestPaint: on a terminal there are headings, and colours that do not move
// the columns.
func TestPaint(t *testing.T) {
	var out bytes.Buffer
	p := NewPrinter(&out, time.UTC)
	p.paint = true
	rows := []Row{
		{cells: [numColumns]string{"2026-11-16 00:00:00", "reject", "203.0.113.20", "-", "ubuntu", "no reverse name"}, decided: policy.Reject, reason: "no reverse name", from: "a@example.org", to: "b@example.com"},
		{cells: [numColumns]string{"2026-11-16 00:00:01", "(defer)", "203.0.113.21", "mail.example.com", "mail.example.com", "-"}, decided: policy.Defer},
	}
	if err := errors.Join(p.Add(rows), p.End()); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mTIME\x1b[0m                 \x1b[1mACTION\x1b[0m   \x1b[1mCLIENT\x1b[0m        \x1b[1mNAME\x1b[0m              \x1b[1mHELO\x1b[0m              \x1b[1mRULE\x1b[0m             \x1b[1mREASON\x1b[0m\n" +
		"2026-11-16 00:00:00  \x1b[31mreject\x1b[0m   203.0.113.20  -                 ubuntu            no reverse name  no reverse name\x1b[2m  <a@example.org> to b@example.com\x1b[0m\n" +
		"2026-11-16 00:00:01  \x1b[33m(defer)\x1b[0m  203.0.113.21  mail.example.com  mail.example.com  -                -\n"
	if out.String() != want {
		t.Errorf("printed\n%s; want\n%s", out.String(), want)
	}
}

// TestNarrow: on a terminal that has no room for all columns a row has several lines,
// and no address is broken.
func TestNarrow(t *testing.T) {
	var out bytes.Buffer
	p := NewPrinter(&out, time.UTC)
	p.columns.Width = 80
	rows := []Row{
		{cells: [numColumns]string{"2026-11-16 00:00:00", "reject", "203.0.113.20", "-", "ubuntu", "no reverse name"}, reason: "no reverse name", from: "a@example.org", to: "b@example.com"},
		{cells: [numColumns]string{"2026-11-16 00:00:01", "(defer)", "2001:db8::21", "mail.example.com", "mail.example.com", "a rule with a name of more words than there is room for"}, reason: "name resolves to 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff, 2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"},
	}
	if err := errors.Join(p.Add(rows), p.End()); err != nil {
		t.Fatal(err)
	}
	want := `2026-11-16 00:00:00  reject   203.0.113.20  -                 ubuntu
    no reverse name
    no reverse name  <a@example.org> to b@example.com
2026-11-16 00:00:01  (defer)  2001:db8::21  mail.example.com  mail.example.com
    a rule with a name of more words than there is room for
    name resolves to 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,
    2001:db8:ffff:ffff:ffff:ffff:ffff:fffe
`
	if out.String() != want {
		t.Errorf("printed\n%s; want\n%s", out.String(), want)
	}
}

// TestPrinterFolds recipients of one message that others are between, and
// prints the first rows before too many wait.
func TestPrinterFolds(t *testing.T) {
	var out bytes.Buffer
	p := NewPrinter(&out, time.UTC)
	const messages = 5 * mostWaiting
	for i := range messages + 10 {
		for _, message := range []int{i, i - 5, i - 10} { // three recipients of each
			if message < 0 || message >= messages {
				continue
			}
			row := Row{key: uint64(message + 1), to: fmt.Sprintf("%d@example.com", message)}
			if err := p.AddOne(&row); err != nil {
				t.Fatal(err)
			}
		}
		if len(p.waiting) > mostWaiting || len(p.byKey) > mostWaiting {
			t.Fatalf("%d rows wait, %d keys; want %d at most", len(p.waiting), len(p.byKey), mostWaiting)
		}
	}
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != messages || len(p.byKey) != 0 {
		t.Errorf("%d lines, %d keys are left; want %d, 0", len(lines), len(p.byKey), messages)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("%d@example.com and 2 others", i); !strings.HasSuffix(line, want) {
			t.Errorf("line %d is %q; want %s", i, line, want)
			break
		}
	}
}

// TestPrinterColumns: a long name moves its own line only.
func TestPrinterColumns(t *testing.T) {
	var out bytes.Buffer
	p := NewPrinter(&out, time.UTC)
	long := strings.Repeat("x", 2*widest[columnName])
	for _, name := range []string{"a", long, "b"} {
		row := Row{reason: "reason"}
		row.cells[columnName] = name
		if err := p.AddOne(&row); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	at := strings.Index(lines[0], "reason")
	if at < widest[columnName] || at > 2*widest[columnName]+20 || strings.Index(lines[2], "reason") != at || strings.Index(lines[1], "reason") <= at {
		t.Errorf("printed\n%s; want the first and the last line aligned", out.String())
	}
}

// TestWaits: a defer for now says what becomes of it, and who came, once for all recipients
// of a message.
func TestWaits(t *testing.T) {
	var out bytes.Buffer
	p := NewPrinter(&out, time.UTC)
	for i, waiting := range []string{"12000", "11940", "11939"} {
		r, err := journal.Parse([]byte(`time=2026-11-16T00:00:0` + strconv.Itoa(i) + `.000Z msg=decision id=e13w1 instance=1.2.3 action=defer rule="no reverse name" waiting=` + waiting +
			` client=203.0.113.20 sender=a@example.org recipient=b@example.com ptr=none history=known first_contact=2026-10-03T10:00:00.000Z party=example.org`))
		if err != nil {
			t.Fatal(err)
		}
		row := p.Row(&r)
		if err := p.AddOne(&row); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	const want = "2026-11-16 00:00:00  defer   203.0.113.20  -     -     no reverse name  no reverse name; known since 2026-10-03, as example.org; " +
		"deferred for now: refused (5xx) in 3 h 20 min if nothing changes (grace, since the client is known)  <a@example.org> to b@example.com and 2 others  e13w1\n"
	if out.String() != want {
		t.Errorf("printed\n%s; want\n%s", out.String(), want)
	}
}
