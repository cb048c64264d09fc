package status

import (
	"slices"
	"strconv"
	"time"
)

// defaultHours is how long a time the chart shows unless another is asked for.
const defaultHours = 6

// allHours are the lengths of the chart.
func allHours() []int { return []int{1, 6, 24} }

func chartHours(text string) int {
	if n, err := strconv.Atoi(text); err == nil && slices.Contains(allHours(), n) {
		return n
	}
	return defaultHours
}

// A chart is drawn in units of its own: a bar has barWidth with the gap to the
// next, the highest possible one barHeight.
const (
	barWidth  = 10
	barDrawn  = 8
	barHeight = 100
)

// chart is a picture of decisions over time, and the same as a table.
type chart struct {
	Hours   int
	Minutes int // in a bar
	Total   tally
	Bars    []bar
	Most    uint32      // the top of the scale
	Times   []time.Time // at even distances, from the left edge to the right
	Rows    []bar       // the table: some bars together
	Width   int         // and the others, in units of the drawing
	Height  int
	Bar     int
	Drawn   int
}

// Half is the middle of the scale.
func (c *chart) Half() uint32 { return c.Most / 2 }

// bar is what was decided in some minutes.
type bar struct {
	From, To time.Time
	tally
	X                                int
	PassedAt, DeferredAt, RejectedAt span
}

// span is a part of a bar, from its upper edge.
type span struct{ Y, Height float64 }

// bars is how many minutes there are in a bar, and how many bars in a row of the
// table, by hours.
func bars(hours int) (minutes, rows int) {
	switch hours {
	case 1:
		return 1, 5
	case 24:
		return 15, 4
	}
	return 5, 6
}

// chart draws the hours before now. The last bar is of a time that is not over.
func (d *day) chart(now time.Time, hours int) *chart {
	minutes, together := bars(hours)
	c := &chart{Hours: hours, Minutes: minutes, Width: hours * 60 / minutes * barWidth, Height: barHeight, Bar: barWidth, Drawn: barDrawn}
	step := int64(minutes)
	end := (minuteOf(now)/step + 1) * step
	at := func(which int64) time.Time { return time.Unix(which*60, 0).In(now.Location()) }
	var most uint32
	for which := end - int64(hours)*60; which < end; which += step {
		b := bar{From: at(which), To: at(which + step), tally: d.sum(which, minutes), X: len(c.Bars) * barWidth}
		most = max(most, b.All())
		c.Total.add(b.tally)
		if len(c.Bars)%together == 0 {
			c.Rows = append(c.Rows, bar{From: b.From})
		}
		row := &c.Rows[len(c.Rows)-1]
		row.To = b.To
		row.add(b.tally)
		c.Bars = append(c.Bars, b)
	}
	slices.Reverse(c.Rows) // the latest first
	c.Most = scale(most)
	for i := range c.Bars {
		c.Bars[i].stack(c.Most)
	}
	const ticks = 6
	for i := range int64(ticks + 1) {
		c.Times = append(c.Times, at(end-int64(hours)*60+i*int64(hours)*60/ticks))
	}
	return c
}

// stack puts the parts of a bar upon each other, what was rejected below.
func (b *bar) stack(most uint32) {
	y := float64(barHeight)
	part := func(n uint32) span {
		h := barHeight * float64(n) / float64(most)
		y -= h
		return span{y, h}
	}
	b.RejectedAt, b.DeferredAt, b.PassedAt = part(b.Rejected), part(b.Deferred), part(b.Passed)
}

// scale is the least round number that is not below n, and has a half: 4, 6, 8,
// 10, 20, 30, 40, 60, 80, 100, …
func scale(n uint32) uint32 {
	for _, top := range []uint32{4, 6, 8, 10} {
		if n <= top {
			return top
		}
	}
	for unit := uint32(10); unit <= 100_000_000; unit *= 10 {
		for _, m := range []uint32{2, 3, 4, 6, 8, 10} {
			if n <= m*unit {
				return m * unit
			}
		}
	}
	return n
}
