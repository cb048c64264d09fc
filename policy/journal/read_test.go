package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// logLine is a decision with an ID, as many seconds into the day.
func logLine(format journal.Format, id string, seconds int) string {
	r := journal.Record{ID: id, Request: policy.Request{
		Time:   time.Date(2026, 11, 23, 0, 0, seconds, 0, time.UTC),
		Client: netip.MustParseAddr("203.0.113.10"),
	}}
	return string(format.Append(nil, &r))
}

// inputOf is an input of a text. Its name is the number that the reader of the
// test gives it.
func inputOf(name int, text string) journal.Input {
	return journal.Input{
		Name: fmt.Sprint(name),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}

// readIDs reads inputs and gives the decisions' IDs and what was said of damage.
func readIDs(t *testing.T, inputs ...journal.Input) (ids, damages []string, counts journal.Counts) {
	t.Helper()
	r := journal.Reader{Inputs: inputs, OnDamage: func(d journal.Damage) { damages = append(damages, d.Error()) }}
	digest := func(l *journal.Line) (string, bool) { return strings.Clone(l.ID), l.ID != "hidden" }
	for some, err := range journal.Read(t.Context(), &r, digest) {
		if err != nil {
			t.Errorf("Read: %v", err)
		}
		ids = append(ids, some...)
	}
	return ids, damages, r.Counts
}

func TestReadLines(t *testing.T) {
	const (
		message = "time=2026-11-23T00:00:00.000Z level=INFO msg=listening address=127.0.0.1:10040\n"
		jsonMsg = `{"time":"2026-11-23T00:00:00.000Z","level":"INFO","msg":"listening"}` + "\n"
	)
	a, b := logLine(journal.Logfmt, "a", 1), logLine(journal.JSON, "b", 2)
	tests := []struct {
		about   string
		text    string
		ids     string
		other   int
		damaged string // a part of what is said of each
	}{
		{"both formats", a + b + a, "a b a", 0, ""},
		{"no newline at the end", a + strings.TrimSpace(b), "a b", 0, ""},
		{"lines of a service manager", "Started policyd-rdns.service - Postfix policy service.\n" + a + "\n-- No entries --\n", "a", 3, ""},
		{"the daemon's own lines", message + a + jsonMsg + b, "a b", 2, ""},
		{"its quoting of control bytes", `time=2026-11-23T00:00:00.000Z level=WARN msg="policy connection closed" error="\x1b"` + "\n" + a, "a", 1, ""},
		{"a stack", "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\n" + a, "a", 3, ""},
		{"syslog", "Nov 23 00:00:01 mx policyd-rdns[123]: " + a + "<30>1 2026-11-23T00:00:01Z mx policyd-rdns 123 - - : " + b, "a b", 0, ""},
		{"syslog of its own lines", "Nov 23 00:00:01 mx policyd-rdns[123]: " + message, "", 1, ""},
		{"lines of DOS", strings.ReplaceAll(a+b, "\n", "\r\n"), "a b", 0, ""},
		{"left out", logLine(journal.Logfmt, "hidden", 1) + a, "a", 0, ""},
		{"cut at its end", a[:strings.Index(a, " queries=")] + "\n" + b, "b", 0, "1: the end is missing"},
		{"cut in a quoted text", a[:strings.Index(a, "client=")] + "reply=\"550 5.7\n" + b, "b", 0, "1: reply: no closing quote"},
		{"cut before its msg", "time=2026-11-23T00:00:01.000Z lev\n" + b, "b", 0, `1: "lev": want key=value`},
		{"cut at its beginning", a[strings.Index(a, "client="):] + b, "b", 0, "1: not a whole line"},
		{"cut in its first words", a[strings.Index(a, "sion id="):] + b, "b", 0, "1: "},
		{"JSON cut", b[:len(b)/2] + "\n" + a, "a", 0, "1: reading JSON: unexpected end"},
		{"JSON cut at its beginning", b[len(b)/2:] + a, "a", 0, "1: "},
		{"nearly nothing of it", b[len(b)-10:] + a, "a", 1, ""}, // looks like nothing
		{"a line behind the beginning of another", a[:strings.Index(a, "queries=")] + a + b, "b", 0, "1: two lines in one"},
		{"two writers in one line", a[:40] + b + a, "a", 0, "1: "},
		{"bad values", strings.Replace(a, "client=203", "client=2030", 1) + b, "b", 0, `1: client="2030.0.113.10": want an address`},
		{"a crash", "\x00\x00\x00\x00" + a + "\x00\x00\n" + b, "b", 0, "1: |2: "},
		{"too long", a + strings.Repeat("x", 3<<20) + "\n" + b, "a b", 0, "2: longer than 1048576 bytes"},
		{"too long at the end", a + strings.Repeat("x", 3<<20), "a", 0, "2: longer than 1048576 bytes"},
		{"long", a + "x=" + strings.Repeat("x", 1<<19) + " " + strings.TrimSpace(b) + "\n" + a, "a a", 0, "2: "},
	}
	for _, test := range tests {
		ids, damages, counts := readIDs(t, inputOf(7, test.text))
		if got := strings.Join(ids, " "); got != test.ids {
			t.Errorf("%s: decisions %s; want %s", test.about, got, test.ids)
		}
		if counts.Other != test.other || counts.Damaged != len(damages) {
			t.Errorf("%s: %+v, %d damages; want %d others", test.about, counts, len(damages), test.other)
		}
		var want []string
		if test.damaged != "" {
			want = strings.Split(test.damaged, "|")
		}
		if len(damages) != len(want) {
			t.Errorf("%s: damages %q; want %q", test.about, damages, want)
			continue
		}
		for i, d := range damages {
			if !strings.HasPrefix(d, "7:"+want[i]) {
				t.Errorf("%s: damage %s; want %s", test.about, d, want[i])
			}
		}
	}
}

// TestReadFrames: a decision is read through whatever has put something before it or
// around it; one that stands in what a stranger has chosen is none.
func TestReadFrames(t *testing.T) {
	for name, line := range map[string]string{"logfmt": logLine(journal.Logfmt, "a", 1), "JSON": logLine(journal.JSON, "a", 1)} {
		line = strings.TrimSpace(line)
		quoted := fmt.Sprintf("%q", line) // which is JSON's quoting of ASCII
		for _, framed := range []string{
			"Nov 23 00:00:01 mx policyd-rdns[1]: " + line,
			"nov. 23 00:00:01 mx policyd-rdns[1]: " + line,
			"mx policyd-rdns: " + line,
			"policyd-1  | " + line,
			"policyd-1  | 2026-11-23T00:00:01.5Z " + line,
			"2026-11-23T00:00:01.5Z stdout F " + line,
			"[pod/mail-0/policyd] " + line,
			"decisions.log.1:12:" + line,
			"Mon 2026-11-23 00:00:01 UTC mx policyd-rdns.service[1]: " + line,
			"Nov 23 00:00:01 dockerhost policyd-1[812]: " + line,
			"<30>1 2026-11-23T00:00:01Z mx policyd-rdns 1 - [a b=\"c\"] " + line,
			"\x1b[32mNov 23 00:00:01\x1b[0m mx policyd-rdns[1]: " + line,
			"\ufeff" + line,
			`{"log":` + quoted + `,"stream":"stdout","time":"2026-11-23T00:00:01Z"}`,
			`{"_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"policyd-rdns","_PID":"1","MESSAGE":` + quoted + `}`,
			`{"_index":"x","_source":{"@timestamp":"2026-11-23T00:00:01Z","message":` + quoted + `}}`,
			`{"labels":{"app":"policyd"},"line":` + quoted + `,"timestamp":"1795392001000000000"}`,
			`{"level":"info","msg":` + quoted + `}`,
			`ts=2026-11-23T00:00:01Z caller=x.go:1 level=info msg=` + quoted,
			`time=2026-11-23T00:00:01Z level=info msg=` + quoted,
			`{"LogEntry":` + quoted + `,"TimeGenerated":"2026-11-23T00:00:01Z"}`,
			`{"id":"x","attributes":{"message":` + quoted + `}}`,
			`2026-11-23T00:00:01Z,mx,"` + strings.ReplaceAll(line, `"`, `""`) + `"`,
		} {
			ids, damages, counts := readIDs(t, inputOf(1, framed))
			if got := strings.Join(ids, " "); got != "a" || counts.Other != 0 {
				t.Errorf("%s: %q: decisions %q, %+v, %q; want a", name, framed, got, counts, damages)
			}
		}
		for _, other := range []string{
			"Nov 23 00:00:01 mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 550 5.7.1 <x: " + line + ">",
			"Nov 23 00:00:01 mx sshd[7]: Invalid user policyd-rdns[1]: " + line,
			"Invalid user policyd-rdns[1]: " + line,
			`{"SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Invalid user ` + quoted[1:] + `}`,
			`time=2026-11-23T00:00:01.000Z level=WARN msg="policy connection closed" error=` + quoted,
			`time=2026-11-23T00:00:01.000Z level=WARN msg="policy connection closed" text=` + quoted,
		} {
			if ids, _, counts := readIDs(t, inputOf(1, other)); len(ids) > 0 || counts.Other+counts.Damaged != 1 {
				t.Errorf("%s: %q: decisions %q, %+v; want none", name, other, ids, counts)
			}
		}
	}
	// An object that has the decision's own fields.
	fields := strings.TrimSpace(logLine(journal.JSON, "a", 1))
	for _, framed := range []string{
		`{"_index":"x","_source":` + fields + `}`,
		`{"log_processed":` + fields + `,"kubernetes":{"pod_name":"x"}}`,
		`{"@timestamp":"2026-11-23T00:00:01Z","message":` + fields + `}`,
	} {
		if ids, damages, _ := readIDs(t, inputOf(1, framed)); len(ids) != 1 {
			t.Errorf("%s: decisions %q, %q; want a", framed, ids, damages)
		}
	}
}

// TestReadCutInput: the part of a line that an input ends in is not told beside the
// input's error.
func TestReadCutInput(t *testing.T) {
	line := logLine(journal.Logfmt, "a", 1)
	in := inputOf(1, "")
	in.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(line+line[:60]), iotest.ErrReader(io.ErrUnexpectedEOF))), nil
	}
	ids, damages, _ := readIDs(t, in)
	if want := []string{"1:2: unexpected EOF"}; !slices.Equal(damages, want) || len(ids) != 1 {
		t.Errorf("decisions %q, damages %q; want a, %q", ids, damages, want)
	}
}

// manyLines are decisions with numbers, one a second, and a damaged line after
// every hundred.
func manyLines(n int) (text string, ids []string) {
	var b strings.Builder
	for i := range n {
		id := fmt.Sprint(i)
		ids = append(ids, id)
		b.WriteString(logLine(journal.Format(i%2), id, i))
		if i%100 == 99 {
			b.WriteString("msg=decision\n")
		}
	}
	return b.String(), ids
}

// TestReadKeepsOrder reads enough for many goroutines to get their parts of,
// in pieces of several sizes.
func TestReadKeepsOrder(t *testing.T) {
	text, want := manyLines(5000)
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r },
		"half":  iotest.HalfReader,
		"bytes": iotest.OneByteReader,
		"eof":   iotest.DataErrReader,
	}
	for name, wrap := range readers {
		in := inputOf(1, "")
		in.Open = func() (io.ReadCloser, error) { return io.NopCloser(wrap(strings.NewReader(text))), nil }
		ids, damages, counts := readIDs(t, in)
		if !slices.Equal(ids, want) {
			t.Errorf("%s: %d decisions, not in order", name, len(ids))
		}
		if counts.Damaged != 50 || len(damages) != 50 || damages[1] != `1:202: time="": want an RFC 3339 time` {
			t.Errorf("%s: %+v, damages %q", name, counts, damages[:min(2, len(damages))])
		}
	}
}

func TestReadMergesByTime(t *testing.T) {
	text := func(ids string, begin, step int) string {
		var b strings.Builder
		for i, id := range ids {
			b.WriteString(logLine(journal.Logfmt, string(id), begin+i*step))
		}
		return b.String()
	}
	once := func(in journal.Input) journal.Input {
		opened := false
		open := in.Open
		in.Once = true
		in.Open = func() (io.ReadCloser, error) {
			if opened {
				return nil, errors.New("opened twice")
			}
			opened = true
			return open()
		}
		return in
	}
	tests := []struct {
		about  string
		inputs []journal.Input
		want   string
	}{
		{"rotated files", []journal.Input{inputOf(1, text("ghi", 60, 1)), inputOf(2, text("def", 30, 1)), inputOf(3, text("abc", 0, 1))}, "abcdefghi"},
		{"side by side", []journal.Input{inputOf(1, text("aceg", 0, 2)), inputOf(2, text("bdfh", 1, 2))}, "abcdefgh"},
		{"equal times", []journal.Input{inputOf(1, text("ab", 0, 1)), inputOf(2, text("cd", 0, 1))}, "acdb"}, // any order, but always the same
		{"within one", []journal.Input{inputOf(1, text("cd", 5, 1)), inputOf(2, text("abef", 0, 4))}, "abcdef"},
		{"not in order", []journal.Input{inputOf(1, text("ba", 9, -1)), inputOf(2, text("c", 20, 1))}, "bac"},
		{"a pipe", []journal.Input{inputOf(1, text("ac", 0, 2)), once(inputOf(2, text("bd", 1, 2)))}, "abcd"},
		{"a pipe that begins late", []journal.Input{once(inputOf(1, text("cd", 9, 1))), inputOf(2, text("ab", 0, 1))}, "abcd"},
		{"nothing in one", []journal.Input{inputOf(1, "-- No entries --\n"), inputOf(2, text("ab", 0, 1))}, "ab"},
		{"nothing", []journal.Input{inputOf(1, ""), inputOf(2, "")}, ""},
		{"no input", nil, ""},
	}
	for _, test := range tests {
		ids, _, _ := readIDs(t, test.inputs...)
		if got := strings.Join(ids, ""); got != test.want {
			t.Errorf("%s: %s; want %s", test.about, got, test.want)
		}
	}
}

// TestReadFailingInput: what was read before counts, and so do the others.
func TestReadFailingInput(t *testing.T) {
	in := inputOf(1, "")
	in.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(logLine(journal.Logfmt, "a", 1)), iotest.ErrReader(io.ErrUnexpectedEOF))), nil
	}
	ids, damages, _ := readIDs(t, in, inputOf(2, logLine(journal.Logfmt, "b", 2)))
	if got := strings.Join(ids, " "); got != "a b" {
		t.Errorf("decisions %s; want a b", got)
	}
	if want := []string{`1:2: unexpected EOF`}; !slices.Equal(damages, want) {
		t.Errorf("damages %q; want %q", damages, want)
	}
}

func TestReadStops(t *testing.T) {
	text, _ := manyLines(5000)
	read := func(ctx context.Context, r *journal.Reader, each func()) (last error) {
		for _, err := range journal.Read(ctx, r, func(*journal.Line) (int, bool) { return 1, true }) {
			if last != nil {
				t.Errorf("a step comes after %v", last)
			}
			last = err
			each()
		}
		return last
	}
	r := journal.Reader{Inputs: []journal.Input{inputOf(1, text+text+text)}} // more than one chunk
	for range journal.Read(t.Context(), &r, func(*journal.Line) (int, bool) { return 1, true }) {
		break
	}
	if n := r.Counts.Decisions; n == 0 || n == 15000 {
		t.Errorf("%d decisions were read until the first step; want a part of them", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := read(ctx, &r, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v; want context canceled", err)
	}
	stop := errors.New("enough")
	missing := inputOf(2, "")
	missing.Open = func() (io.ReadCloser, error) { return nil, stop }
	for _, inputs := range [][]journal.Input{{missing}, {inputOf(1, text), missing}} {
		r := journal.Reader{Inputs: inputs}
		if err := read(t.Context(), &r, func() {}); !errors.Is(err, stop) {
			t.Errorf("Read = %v; want the error of Open", err)
		}
	}
}

// TestReadStream: a line of a stream that goes on is there before the next one.
// In its bubble a reader that waits for more ends the test at once.
func TestReadStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		seen := make(chan string)
		in := journal.Input{Name: "-", Once: true, Open: func() (io.ReadCloser, error) { return from, nil }}
		done := make(chan error, 1)
		go func() {
			r := journal.Reader{Inputs: []journal.Input{in}}
			for ids, err := range journal.Read(t.Context(), &r, func(l *journal.Line) (string, bool) { return l.ID, true }) {
				if err != nil {
					done <- err
					return
				}
				seen <- strings.Join(ids, " ")
			}
			done <- nil
		}()
		for _, id := range []string{"a", "b"} {
			if _, err := io.WriteString(to, logLine(journal.Logfmt, id, 1)); err != nil {
				t.Fatal(err)
			}
			if got := <-seen; got != id {
				t.Errorf("the stream brings %s; want %s", got, id)
			}
		}
		to.Close()
		if err := <-done; err != nil {
			t.Errorf("Read = %v", err)
		}
	})
}

// FuzzRead: whatever a log holds, every line of it is one of the three kinds,
// and one that is read is a decision that can be written again.
func FuzzRead(f *testing.F) {
	a, b := logLine(journal.Logfmt, "a", 1), logLine(journal.JSON, "b", 2)
	f.Add([]byte(a + b))
	f.Add([]byte("Nov 23 00:00:01 mx policyd-rdns[1]: " + a + "\n\n-- No entries --\n" + b[:30]))
	f.Add([]byte(fmt.Sprintf("{\"log\":%q,\"time\":\"2026-11-23T00:00:00Z\"}\nmail-1  | %s", a, b)))
	f.Add([]byte("time=\nmsg=decision\n{\"msg\":\"decision\",\"ms\":1}\nqueries=1\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := journal.Reader{Inputs: []journal.Input{inputOf(1, string(text))}}
		again := func(l *journal.Line) (int, bool) {
			again, err := journal.Parse(journal.JSON.Append(nil, &l.Record))
			if err != nil || again.ID != l.ID {
				t.Errorf("%q, written again: %v, %v", l.Text, again, err)
			}
			return 1, true
		}
		for _, err := range journal.Read(t.Context(), &r, again) {
			if err != nil {
				t.Error(err)
			}
		}
		lines := bytes.Count(text, []byte("\n"))
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			lines++
		}
		if c := r.Counts; c.Decisions+c.Other+c.Damaged != lines {
			t.Errorf("%d lines were read as %+v", lines, c)
		}
	})
}
