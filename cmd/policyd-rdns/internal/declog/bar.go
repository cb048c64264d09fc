package declog

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Bar shows how far a command has come. The zero value shows nothing.
type Bar struct {
	Out   io.Writer      // a terminal; nil: nothing is shown
	Read  func() float64 // how far it is, from 0 to 1
	drawn time.Time
}

// barPause is how long a bar stays as it is.
const barPause = 100 * time.Millisecond

// Draw shows how many decisions there were by now.
func (b *Bar) Draw(now time.Time, decisions int) {
	if b.Out == nil || now.Sub(b.drawn) < barPause {
		return
	}
	b.drawn = now
	const width = 40
	done := b.Read()
	full := int(done * width)
	fmt.Fprintf(b.Out, "\r[%s%s] %3.0f%%  %d decisions", strings.Repeat("#", full), strings.Repeat(" ", width-full), 100*done, decisions)
}

// Clear removes the bar.
func (b *Bar) Clear() {
	if !b.drawn.IsZero() {
		fmt.Fprint(b.Out, "\r\x1b[K")
	}
}
