package declog

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
)

func TestBar(t *testing.T) {
	var out bytes.Buffer
	done := 0.0
	bar := Bar{Out: &out, Read: func() float64 { return done }}
	now := week.Begins
	draw := func(share float64, later time.Duration) {
		done, now = share, now.Add(later)
		bar.Draw(now, int(share*1000))
	}
	draw(0, 0)
	draw(0.1, time.Millisecond) // too soon
	draw(0.5, barPause)
	draw(1, barPause)
	bar.Clear()
	want := "\r[" + strings.Repeat(" ", 40) + "]   0%  0 decisions" +
		"\r[" + strings.Repeat("#", 20) + strings.Repeat(" ", 20) + "]  50%  500 decisions" +
		"\r[" + strings.Repeat("#", 40) + "] 100%  1000 decisions\r\x1b[K"
	if out.String() != want {
		t.Errorf("the bar is %q; want %q", out.String(), want)
	}
	(&Bar{}).Draw(now, 1) // shows nothing
}
