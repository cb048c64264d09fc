package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progressBar shows how far a command has come. The zero value shows nothing.
type progressBar struct {
	out   io.Writer
	read  func() float64 // from 0 to 1
	drawn time.Time
}

// barPause is how long a bar stays as it is.
const barPause = 100 * time.Millisecond

func (b *progressBar) draw(now time.Time, decisions int) {
	if b.out == nil || now.Sub(b.drawn) < barPause {
		return
	}
	b.drawn = now
	const width = 40
	done := b.read()
	full := int(done * width)
	fmt.Fprintf(b.out, "\r[%s%s] %3.0f%%  %d decisions", strings.Repeat("#", full), strings.Repeat(" ", width-full), 100*done, decisions)
}

// clear removes the bar.
func (b *progressBar) clear() {
	if !b.drawn.IsZero() {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
