package declog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy/journal"
)

// chunkWriter keeps what is written, to be looked at while more is.
type chunkWriter struct{ chunks chan []byte }

// Write is that of [io.Writer].
func (b *chunkWriter) Write(p []byte) (int, error) {
	b.chunks <- bytes.Clone(p)
	return len(p), nil
}

// seen are the IDs of the JSON lines that were written since the last time.
func (b *chunkWriter) seen(t *testing.T) string {
	t.Helper()
	var ids []string
	for {
		select {
		case chunk := <-b.chunks:
			for line := range bytes.Lines(chunk) {
				var fields struct{ ID string }
				if err := json.Unmarshal(line, &fields); err != nil {
					t.Errorf("%q: %v", line, err)
				}
				ids = append(ids, fields.ID)
			}
		default:
			return strings.Join(ids, " ")
		}
	}
}

// TestFollow writes to a log that is followed, moves it away as logrotate
// does, and cuts it.
func TestFollow(t *testing.T) {
	path := testbed.TempLog(t, nil)
	line := func(id string) []byte { return week.Line(func(r *journal.Record) { r.ID = id }) }
	write := func(path string, text []byte) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 15 {
		write(path, line(fmt.Sprint(i)))
	}
	moved := path + ".1"
	steps := []struct {
		about string
		do    func()
		want  string
	}{
		{"the last lines", func() {}, "5 6 7 8 9 10 11 12 13 14"},
		{"two more", func() { write(path, append(line("a"), line("b")...)) }, "a b"},
		{"half a line", func() { write(path, line("c")[:50]) }, ""},
		{"the other half", func() { write(path, line("c")[50:]) }, "c"},
		{"moved away, still written to", func() { _ = os.Rename(path, moved); write(moved, line("d")) }, "d"},
		{"a new one, the old still written to", func() { write(path, line("f")); write(moved, line("e")) }, "e f"},
		{"the new one", func() { write(path, line("g")) }, "g"},
		{"moved in mid-line", func() { write(path, line("h")[:50]); _ = os.Rename(path, moved); write(path, line("i")) }, "i"},
		{"cut", func() { _ = os.Truncate(path, 0); write(path, line("j")[:20]) }, ""},
		{"written anew", func() { write(path, line("j")[20:]) }, "j"},
		{"gone", func() { _ = os.Remove(path) }, ""},
		{"back", func() { write(path, line("k")) }, "k"},
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := &chunkWriter{make(chan []byte, 100)}
		done := make(chan error)
		go func() {
			done <- Show(ctx, []string{path}, &Options{Follow: true, JSON: true}, strings.NewReader(""), out, io.Discard)
		}()
		for _, step := range steps {
			step.do()
			time.Sleep(3 * tick)
			synctest.Wait()
			if got := out.seen(t); got != step.want {
				t.Errorf("%s: %q; want %q", step.about, got, step.want)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Show() = %v; want none", err)
		}
	})
}

// TestFollowSince begins with all that is wanted, and folds recipients as they come.
func TestFollowSince(t *testing.T) {
	path := testbed.TempLog(t, bytes.Repeat(week.Line(nil), 50))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := &chunkWriter{make(chan []byte, 100)}
		done := make(chan error)
		go func() {
			done <- Show(ctx, []string{path}, &Options{Follow: true, UTC: true, Choice: Choice{Since: "2026-01-01"}}, strings.NewReader(""), out, io.Discard)
		}()
		time.Sleep(3 * tick)
		synctest.Wait()
		select {
		case line := <-out.chunks:
			want := "2026-11-16 00:00:00  dunno   203.0.113.20  -     mail.example.com  -     -  <a@example.org> to b@example.com and 49 others  x\n"
			if string(line) != want {
				t.Errorf("log -f prints\n%s; want\n%s", line, want)
			}
		default:
			t.Error("log -f prints nothing")
		}
		cancel()
		<-done
	})
}

// TestFollowBegins with the last lines, as far as they go.
func TestFollowBegins(t *testing.T) {
	long := strings.Repeat("x", maxTail) + "\n"
	tests := []struct {
		about string
		text  string
		lines int
		want  string // of what is read first
	}{
		{"all", "a\nb\nc\n", -1, "a\nb\nc\n"},
		{"more than there are", "a\nb\n", 10, "a\nb\n"},
		{"two", "a\nb\nc\n", 2, "b\nc\n"},
		{"none", "a\nb\n", 0, ""},
		{"a line that is being written", "a\nb\nc", 1, "b\nc"},
		{"from far back", long + long + "b\nc\n", 2, "b\nc\n"},
		{"not so far", long + "b\nc\n", 5, "b\nc\n"},
		{"a long line", "a\n" + long, 1, ""},
		{"an empty file", "", 10, ""},
	}
	for _, test := range tests {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that it does not wait at the end
		in, err := follow(ctx, testbed.TempLog(t, []byte(test.text)), test.lines)
		if err != nil {
			t.Errorf("%s: %v", test.about, err)
			continue
		}
		if got, err := io.ReadAll(in); err != nil || string(got) != test.want {
			t.Errorf("%s: %d bytes, %.20q, %v; want %q", test.about, len(got), got, err, test.want)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
	packed := testbed.TempLog(t, testbed.Gzip(t, []byte("a\n")))
	for path, want := range map[string]string{packed: "is compressed", packed + ".none": "no such file"} {
		err := Show(t.Context(), []string{path}, &Options{Follow: true}, strings.NewReader(""), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Show(%s) to follow = %v; want %q", path, err, want)
		}
	}
}
