package logwriter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy/journal/logwriter"
)

// A stream hands each write to the test and does what it says.
type stream struct {
	writes  chan string
	answers chan answer
}

// answer is what became of a write: n bytes of it were written.
type answer struct {
	n   int
	err error
}

// A test with one runs in a bubble, where who waits for ever ends it.
func newStream() *stream {
	return &stream{writes: make(chan string), answers: make(chan answer)}
}

func (s *stream) Write(p []byte) (int, error) {
	s.writes <- string(p)
	a := <-s.answers
	return a.n, a.err
}

// expect waits for a write and lets it succeed.
func (s *stream) expect(t *testing.T, want string) {
	t.Helper()
	s.expectTo(t, want, answer{len(want), nil})
}

// expectTo waits for a write and does with it as a says.
func (s *stream) expectTo(t *testing.T, want string, a answer) {
	t.Helper()
	s.begin(t, want)
	s.answers <- a
}

// begin waits for a write, which then blocks.
func (s *stream) begin(t *testing.T, want string) {
	t.Helper()
	if got := <-s.writes; got != want {
		t.Errorf("written: %.80q; want %.80q", got, want)
	}
}

// told keeps what a Writer tells about losses.
type told chan string

func (c told) loss(l logwriter.Loss) {
	end := ""
	if l.Over {
		end = ", over"
	}
	c <- fmt.Sprintf("%d lines, %v%s", l.Lines, l.Err, end)
}

func (c told) expect(t *testing.T, want string) {
	t.Helper()
	if got := <-c; got != want {
		t.Errorf("loss told: %s; want %s", got, want)
	}
}

func write(t *testing.T, w *logwriter.Writer, lines string) {
	t.Helper()
	if n, err := w.Write([]byte(lines)); n != len(lines) || err != nil {
		t.Errorf("Write(%.40q) = %d, %v; want all of it taken", lines, n, err)
	}
}

func closeWriter(t *testing.T, w *logwriter.Writer) {
	t.Helper()
	if err := w.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Lines come out whole and each writer's in order, and all of them by the end
// of Close.
func TestWriterOrder(t *testing.T) {
	var out bytes.Buffer
	w := logwriter.New(&out, func(l logwriter.Loss) { t.Errorf("lines lost: %v", l) })
	const writers, lines = 8, 500
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			var buf []byte // used again, as the daemon does
			for j := range lines {
				buf = fmt.Appendf(buf[:0], "%d %d\n", i, j)
				if n, err := w.Write(buf); n != len(buf) || err != nil {
					t.Errorf("Write = %d, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	closeWriter(t, w)
	var next [writers]int
	for line := range strings.Lines(out.String()) {
		var i, j int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &j); err != nil || next[i] != j {
			t.Fatalf("line %q, %v; want %d %d", line, err, i, next[i])
		}
		next[i]++
	}
	for i, n := range next {
		if n != lines {
			t.Errorf("%d lines of writer %d; want %d", n, i, lines)
		}
	}
}

// What comes while a write is under way is written together after it; Close
// waits for all of it.
func TestWriterBlocked(t *testing.T) { synctest.Test(t, writerBlocked) }

func writerBlocked(t *testing.T) {
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "1\n")
	s.begin(t, "1\n")
	write(t, w, "2\n")
	write(t, w, "3\n4\n")
	closed := make(chan error)
	go func() { closed <- w.Close(context.Background()) }()
	s.answers <- answer{2, nil}
	s.expect(t, "2\n3\n4\n")
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	write(t, w, "late\n") // goes nowhere
	closeWriter(t, w)     // again
}

// A reload does not wait for a stream that takes nothing.
func TestWriterOpenBlocked(t *testing.T) { synctest.Test(t, writerOpenBlocked) }

func writerOpenBlocked(t *testing.T) {
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "1\n")
	s.begin(t, "1\n")
	if err := w.Open(""); err != nil {
		t.Errorf("Open: %v", err)
	}
	s.answers <- answer{2, nil}
	closeWriter(t, w)
}

// A pipe that nobody reads is an error, and no place to wait for ever.
func TestWriterOpenUnreadPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("Mkfifo: %v", err)
	}
	w := logwriter.New(io.Discard, nil)
	if err := w.Open(path); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("Open of a pipe without reader: %v; want %v", err, syscall.ENXIO)
	}
	closeWriter(t, w)
}

// A disk that never answers holds up a stop no longer than ctx says.
func TestWriterCloseCutShort(t *testing.T) { synctest.Test(t, writerCloseCutShort) }

func writerCloseCutShort(t *testing.T) {
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "1\n")
	s.begin(t, "1\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.Close(ctx)
	if want := "log not written to its end: context canceled"; err == nil || err.Error() != want || !errors.Is(err, context.Canceled) {
		t.Errorf("Close of a blocked log: %v; want %s", err, want)
	}
	s.answers <- answer{2, nil}
	closeWriter(t, w)
}

// Beyond the bound lines are dropped, and the loss is told when writing works
// again; the lines before and behind it are there.
func TestWriterOverflow(t *testing.T) { synctest.Test(t, writerOverflow) }

func writerOverflow(t *testing.T) {
	s, losses := newStream(), make(told, 1)
	w := logwriter.New(s, losses.loss)
	write(t, w, "first\n")
	s.begin(t, "first\n")
	mebi := strings.Repeat("x", 1<<20-1) + "\n"
	for range 8 {
		write(t, w, mebi)
	}
	write(t, w, "lost\n")
	losses.expect(t, "1 lines, the log takes lines more slowly than they come")
	write(t, w, "lost\nlost\n")
	if got, want := w.Stats(), (logwriter.Stats{Lost: 3, Losing: true, Pending: 8 << 20}); got != want {
		t.Errorf("Stats() = %+v; want %+v", got, want)
	}
	s.answers <- answer{6, nil}
	losses.expect(t, "3 lines, the log takes lines more slowly than they come, over")
	s.expect(t, strings.Repeat(mebi, 8))
	write(t, w, "behind\n")
	s.expect(t, "behind\n")
	closeWriter(t, w)
}

// What failed is lost, and told with the reason at once, and when writing works
// again. A line that was cut short does not take the next one with it.
func TestWriterFailing(t *testing.T) { synctest.Test(t, writerFailing) }

func writerFailing(t *testing.T) {
	full := errors.New("no space left")
	s, losses := newStream(), make(told, 1)
	w := logwriter.New(s, losses.loss)

	write(t, w, "lost\n")
	s.expectTo(t, "lost\n", answer{0, full})
	losses.expect(t, "1 lines, no space left")
	write(t, w, "lost\n")
	s.expectTo(t, "lost\n", answer{0, full})
	write(t, w, "1\n")
	s.expect(t, "1\n")
	losses.expect(t, "2 lines, no space left, over")

	write(t, w, "2\n3\n4\n")
	s.expectTo(t, "2\n3\n4\n", answer{2, full}) // at the end of a line
	losses.expect(t, "2 lines, no space left")
	write(t, w, "5\n")
	s.expect(t, "5\n")
	losses.expect(t, "2 lines, no space left, over")

	write(t, w, "six\nseven\neight\n")
	s.expectTo(t, "six\nseven\neight\n", answer{6, full}) // within one
	losses.expect(t, "2 lines, no space left")
	write(t, w, "lost\nlost\n")
	s.expectTo(t, "\n", answer{0, full})
	write(t, w, "9\n")
	s.expect(t, "\n")
	s.expect(t, "9\n")
	losses.expect(t, "4 lines, no space left, over")

	write(t, w, "ten\n")
	s.expectTo(t, "ten\n", answer{1, nil}) // a Writer that breaks its promise
	losses.expect(t, "1 lines, short write")
	write(t, w, "11\n")
	s.expect(t, "\n")
	s.expect(t, "11\n")
	losses.expect(t, "1 lines, short write, over")
	if got, want := w.Stats(), (logwriter.Stats{Lost: 2 + 2 + 4 + 1}); got != want {
		t.Errorf("Stats() = %+v; want %+v", got, want)
	}
	closeWriter(t, w)
}

// A disk that stays full is told of once a minute, and what was lost since then
// at the end.
func TestWriterLossLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, losses := newStream(), make(told, 1)
		w := logwriter.New(s, losses.loss)
		lose := func() {
			write(t, w, "lost\n")
			s.expectTo(t, "lost\n", answer{0, syscall.ENOSPC})
			synctest.Wait()
		}
		begin := time.Now()
		for second := range 200 {
			lose()
			switch second {
			case 0, 60, 120, 180:
				losses.expect(t, fmt.Sprintf("%d lines, no space left on device", second+1))
			}
			time.Sleep(time.Until(begin.Add(time.Duration(second+1) * time.Second)))
		}
		if err := w.Close(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close: %v; want %v", err, syscall.ENOSPC)
		}
		losses.expect(t, "200 lines, no space left on device")
	})
}

// If writing does not work again before the end, Close tells the reason.
func TestWriterFailingAtTheEnd(t *testing.T) {
	full := errors.New("no space left")
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "1\n")
	s.expectTo(t, "1\n", answer{0, full})
	if err := w.Close(t.Context()); !errors.Is(err, full) {
		t.Errorf("Close after a failed write: %v; want %v", err, full)
	}
}

// Nobody has to listen.
func TestWriterLossUntold(t *testing.T) {
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "1\n")
	s.expectTo(t, "1\n", answer{0, io.ErrClosedPipe})
	write(t, w, "2\n")
	s.expect(t, "2\n")
	closeWriter(t, w)
}

func expectFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, want)
	}
}

// open redirects a Writer.
func open(t *testing.T, w *logwriter.Writer, path string) {
	t.Helper()
	if err := w.Open(path); err != nil {
		t.Fatal(err)
	}
}

func TestWriterRotation(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "log"), filepath.Join(dir, "log.1")
	s := newStream()
	w := logwriter.New(s, nil)
	write(t, w, "to the stream\n")
	s.expect(t, "to the stream\n")

	open(t, w, path)
	write(t, w, "1\n")
	if err := os.Rename(path, old); err != nil {
		t.Fatal(err)
	}
	open(t, w, path)
	write(t, w, "2\n")
	closeWriter(t, w)
	closeWriter(t, w) // again

	expectFile(t, old, "1\n")
	expectFile(t, path, "2\n")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode of the file: %v, %v; want 0640", info.Mode(), err)
	}
}

// A file that cannot be opened leaves all as it was.
func TestWriterOpenFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	w := logwriter.New(io.Discard, nil)
	open(t, w, path)
	err := w.Open(filepath.Join(dir, "missing", "log"))
	if err == nil || !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "opening the log: ") {
		t.Errorf("Open in a folder that is not there: %v", err)
	}
	write(t, w, "1\n")
	closeWriter(t, w)
	expectFile(t, path, "1\n")
}

// An empty path resolves back to the stream; a file is added to, from a new line.
func TestWriterOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, before := range []struct{ holds, want string }{
		{"", "1\n"},
		{"0\n", "0\n1\n"},
		{"cut sho", "cut sho\n1\n"},
	} {
		if err := os.WriteFile(path, []byte(before.holds), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newStream()
		w := logwriter.New(s, nil)
		open(t, w, path)
		write(t, w, "1\n")
		closeWriter(t, w)
		expectFile(t, path, before.want)
	}

	s := newStream()
	w := logwriter.New(s, nil)
	open(t, w, path)
	open(t, w, "")
	write(t, w, "2\n")
	s.expect(t, "2\n")
	closeWriter(t, w)
	expectFile(t, path, "cut sho\n1\n")
}

// A log that is opened anew while it is closed, as by a reload at the stop, is not
// left open.
func TestWriterOpenClosed(t *testing.T) {
	dir := t.TempDir()
	w := logwriter.New(io.Discard, nil)
	open(t, w, filepath.Join(dir, "log"))
	closeWriter(t, w)
	for _, name := range []string{"log", "other"} {
		path := filepath.Join(dir, name)
		if err := w.Open(path); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Open(%s) after Close() = %v; want %v", name, err, os.ErrClosed)
		}
		if held := holders(t, path); held > 0 {
			t.Errorf("%s is open %d times after Close(); want none", name, held)
		}
	}
}

// holders is how many descriptors of this process are of a file.
func holders(t *testing.T, path string) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	n := 0
	for _, fd := range all {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && to == path {
			n++
		}
	}
	return n
}
