package declog

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy/journal"
)

// TestRead: the share that was read is that of the files' bytes.
func TestRead(t *testing.T) {
	line := week.Line(nil)
	plain, packed := testbed.TempLog(t, bytes.Repeat(line, 500)), testbed.TempLog(t, testbed.Gzip(t, bytes.Repeat(line, 500)))
	logs, err := Find([]string{plain, packed, "-"}, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if got := logs.Read(); got != 0 {
		t.Errorf("before: read = %v; want 0", got)
	}
	r := &journal.Reader{Inputs: logs.Inputs}
	for _, err := range journal.Read(t.Context(), r, func(*journal.Line) (int, bool) { return 0, false }) {
		if err != nil {
			t.Error(err)
		}
	}
	if got := logs.Read(); got != 1 || r.Counts.Decisions != 1000 {
		t.Errorf("after: read = %v, %+v; want 1, 1000 decisions", got, r.Counts)
	}
}

// TestDamagesLast: what could not be read is told at the end, and of a log that has no
// end at once.
func TestDamagesLast(t *testing.T) {
	for _, live := range []bool{false, true} {
		var out strings.Builder
		d := NewDamages(&out)
		d.Live = live
		for i := range maxTold + 2 {
			d.Tell(journal.Damage{Input: "a.log", Line: i + 1, Err: errors.New("no decision")})
		}
		if told := strings.Count(out.String(), "\n"); (told == maxTold) != live {
			t.Errorf("live %t: before the end: %q", live, out.String())
		}
		if err := d.End(nil); err != nil {
			t.Error(err)
		}
		if text := out.String(); strings.Count(text, "no decision") != maxTold || !strings.HasSuffix(text, "policyd-rdns: and 2 more damaged lines; all were passed over\n") {
			t.Errorf("live %t: %q", live, text)
		}
	}
}
