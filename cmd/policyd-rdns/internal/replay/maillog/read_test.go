package maillog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy/journal"
)

// berlin is where the logs of the tests are written.
func berlin(t testing.TB) *time.Location {
	t.Helper()
	place, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	return place
}

// written is when they were written last.
var written = time.Date(2027, 1, 2, 6, 0, 0, 0, time.UTC)

func input(name, text string) maillog.Input {
	open := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	return maillog.Input{Input: journal.Input{Name: name, Open: open}, Modified: written}
}

// readAll gives the attempts of logs, a line each, and what is damaged.
func readAll(t testing.TB, inputs ...maillog.Input) (lines []string, damages []string, counts maillog.Counts) {
	t.Helper()
	r := &maillog.Reader{
		Inputs: inputs, Place: berlin(t),
		OnDamage: func(d journal.Damage) { damages = append(damages, d.Error()) },
	}
	counts, err := maillog.Read(t.Context(), r, func(a *maillog.Attempt) error {
		lines = append(lines, show(a))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, damages, counts
}

// show is an attempt as a line; ? is what is not known.
func show(a *maillog.Attempt) string {
	fact := func(f maillog.Fact) string {
		if !f.Known {
			return "?"
		}
		return "<" + f.Text + ">"
	}
	when := "-"
	if !a.Time.IsZero() {
		when = a.Time.UTC().Format(time.RFC3339)
	}
	addr := a.ClientText
	if a.Client.IsValid() {
		addr = a.Client.String()
	}
	words := []string{
		when, a.Outcome.String(), a.ClientName + "[" + addr + "]",
		"helo=" + fact(a.HELO), "from=" + fact(a.Sender), "to=" + fact(a.Recipient),
	}
	for _, w := range []struct{ key, value string }{
		{"proto", a.Protocol}, {"id", a.QueueID}, {"host", a.Host}, {"service", a.Service}, {"stage", a.Stage},
	} {
		if w.value != "" {
			words = append(words, w.key+"="+w.value)
		}
	}
	for _, f := range []struct {
		word string
		is   bool
	}{{"authenticated", a.Authenticated}, {"encrypted", a.Encrypted}, {"forwarded", a.Forwarded}} {
		if f.is {
			words = append(words, f.word)
		}
	}
	if a.Reply != "" {
		words = append(words, "reply="+a.Reply)
	}
	return strings.Join(words, " ")
}

// TestSamples reads the samples of testdata: in each block, parted by blank lines,
// comments with #, then lines of a log, then what is read with > before it, and
// damages with !.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			var log strings.Builder
			var want []string
			name := "?"
			for line := range strings.SplitSeq(block, "\n") {
				switch {
				case strings.HasPrefix(line, "# "):
					name = line[2:]
				case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "! "):
					want = append(want, line)
				case strings.HasPrefix(line, "\\"):
					fmt.Fprintln(&log, line[1:])
				default:
					fmt.Fprintln(&log, line)
				}
			}
			lines, damages, _ := readAll(t, input("log", log.String()))
			var got []string
			for _, l := range lines {
				got = append(got, "> "+l)
			}
			for _, d := range damages {
				got = append(got, "! "+d)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: read\n%s\nwant\n%s", file, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// TestFilesInOrder: rotated files come in the order of their times, and a message
// may be in two of them.
func TestFilesInOrder(t *testing.T) {
	line := func(at, text string) string { return at + " mx postfix/" + text + "\n" }
	old := line("Dec 31 23:59:58", "smtpd[7]: 4D0A1: client=mail.example.org[203.0.113.20]")
	young := line("Jan  1 00:00:01", "qmgr[2]: 4D0A1: from=<a@example.org>, size=1, nrcpt=1 (queue active)") +
		line("Jan  1 00:00:02", "local[3]: 4D0A1: to=<b@example.com>, relay=local, status=sent (delivered)")
	got, damages, counts := readAll(t, input("young", young), input("old", old))
	want := "2026-12-31T22:59:58Z accepted mail.example.org[203.0.113.20] helo=? from=<a@example.org> to=<b@example.com> id=4D0A1 host=mx service=postfix/smtpd"
	if len(got) != 1 || got[0] != want || damages != nil || counts.Used != 3 {
		t.Errorf("read %q, %q, %+v; want %q of 3 lines", got, damages, counts, want)
	}
}

// TestFailures: an input that cannot be opened is an error, one that breaks is
// damage, and the reader's caller can end it.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	bad := maillog.Input{Input: journal.Input{Name: "bad", Open: func() (io.ReadCloser, error) { return nil, broken }}}
	use := func(*maillog.Attempt) error { return nil }
	if _, err := maillog.Read(t.Context(), &maillog.Reader{Inputs: []maillog.Input{bad}}, use); !errors.Is(err, broken) {
		t.Errorf("Read of an input that cannot be opened = %v; want %v", err, broken)
	}
	const refused = "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.1]: 450 4.7.1 no; proto=SMTP\n"
	cut := input("cut", "")
	cut.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(refused), failing{broken})), nil
	}
	lines, damages, counts := readAll(t, cut)
	if len(lines) != 1 || len(damages) != 1 || damages[0] != "cut:2: broken" || counts.Damaged != 1 {
		t.Errorf("Read of an input that breaks = %q, %q, %+v; want one attempt and the damage", lines, damages, counts)
	}
	stop := func(*maillog.Attempt) error { return broken }
	if _, err := maillog.Read(t.Context(), &maillog.Reader{Inputs: []maillog.Input{input("log", refused)}}, stop); !errors.Is(err, broken) {
		t.Errorf("Read with a use that fails = %v; want %v", err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := maillog.Read(ctx, &maillog.Reader{Inputs: []maillog.Input{input("log", refused)}}, use); !errors.Is(err, context.Canceled) {
		t.Errorf("Read that was cancelled = %v; want %v", err, context.Canceled)
	}
}

type failing struct{ err error }

// Read is that of [io.Reader].
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestLongLines: a line that is too long is one damage, and the next one is read.
func TestLongLines(t *testing.T) {
	const refused = "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.1]: 450 4.7.1 no; proto=SMTP\n"
	lines, damages, _ := readAll(t, input("log", strings.Repeat("x", 1<<20)+"\n"+refused))
	if len(lines) != 1 || len(damages) != 1 || damages[0] != "log:1: a line of more than 64 KiB" {
		t.Errorf("read %q, %q; want one attempt, one damage", lines, damages)
	}
}
