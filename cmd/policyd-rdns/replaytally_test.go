package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/recent"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// TestReplayedIsBounded counts more groups, senders and messages than are kept.
func TestReplayedIsBounded(t *testing.T) {
	p := newReplayed()
	const n = 2*recent.Max + maxGroups
	for i := range n {
		for range 2 { // recipients
			p.add(&judged{
				at: weekBegins.Add(time.Duration(i) * time.Second), message: uint64(i + 1), change: newlyRejected,
				after: ruling{policy.Reject, "r"}, clients: fmt.Sprint(i), sender: fmt.Sprint(i),
			})
		}
	}
	c := p.changes[newlyRejected]
	if p.messages != n || c.messages != n || c.decisions != 2*n {
		t.Errorf("%d messages, %d of the change with %d decisions; want %d, %d, %d", p.messages, c.messages, c.decisions, n, n, 2*n)
	}
	if len(c.groups) != maxGroups || c.others == nil || c.others.messages != n-maxGroups || len(c.others.senders) != maxSenders || !c.others.more {
		t.Errorf("%d groups and others %+v; want %d, and the rest", len(c.groups), c.others, maxGroups)
	}
	if got := c.others.sendersText(); strings.Count(got, ",") != 3 || !strings.HasSuffix(got, ", ...") {
		t.Errorf("senders %q; want three and more", got)
	}
}

func TestProgressBar(t *testing.T) {
	var out bytes.Buffer
	done := 0.0
	bar := progressBar{out: &out, read: func() float64 { return done }}
	now := weekBegins
	draw := func(share float64, later time.Duration) {
		done, now = share, now.Add(later)
		bar.draw(now, int(share*1000))
	}
	draw(0, 0)
	draw(0.1, time.Millisecond) // too soon
	draw(0.5, barPause)
	draw(1, barPause)
	bar.clear()
	want := "\r[" + strings.Repeat(" ", 40) + "]   0%  0 decisions" +
		"\r[" + strings.Repeat("#", 20) + strings.Repeat(" ", 20) + "]  50%  500 decisions" +
		"\r[" + strings.Repeat("#", 40) + "] 100%  1000 decisions\r\x1b[K"
	if out.String() != want {
		t.Errorf("the bar is %q; want %q", out.String(), want)
	}
	(&progressBar{}).draw(now, 1) // shows nothing
}

// TestRecordsRead: the share that was read is that of the files' bytes.
func TestRecordsRead(t *testing.T) {
	line := recordLine(nil)
	plain, packed := writeLog(t, bytes.Repeat(line, 500)), writeLog(t, compressed(t, bytes.Repeat(line, 500)))
	logs, err := findRecords([]string{plain, packed, "-"}, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if got := logs.read(); got != 0 {
		t.Errorf("before: read = %v; want 0", got)
	}
	r := &journal.Reader{Inputs: logs.inputs}
	for _, err := range journal.Read(t.Context(), r, func(*journal.Line) (int, bool) { return 0, false }) {
		t.Error(err)
	}
	if got := logs.read(); got != 1 || r.Counts.Decisions != 1000 {
		t.Errorf("after: read = %v, %+v; want 1, 1000 decisions", got, r.Counts)
	}
}
