package document

import "policyd-rdns/cmd/policyd-rdns/internal/plain"

// rect is a rectangle of a drawing.
type rect struct {
	X, Y, W, H float64
	Class      string
}

// drawing is a chart as rectangles, which are stretched over the width of the page,
// so that all text is outside.
type drawing struct {
	Width, Height float64
	Rects         []rect
	Grid          []float64 // heights of its lines
	Scale         []string  // what they stand for, from above
	Tips          []tip
}

// tip is what a bar says when it is pointed at.
type tip struct {
	X, W float64
	Text string
}

const (
	slot        = 10.0  // width of a bar with its space, in units of the drawing
	chartHeight = 200.0 // likewise
)

// draw draws a chart.
func draw(c *Chart) *drawing {
	step, lines := scale(c.most())
	top := float64(step * lines)
	d := &drawing{Width: slot * float64(len(c.Bars)), Height: chartHeight}
	for i := 0; i <= lines; i++ {
		d.Grid = append(d.Grid, chartHeight*float64(i)/float64(lines))
		d.Scale = append(d.Scale, plain.Number(step*(lines-i)))
	}
	for i := range c.Bars {
		b := &c.Bars[i]
		x, y := slot*float64(i), chartHeight
		for k, n := range b.Parts {
			h := chartHeight * float64(n) / top
			y -= h
			if n > 0 {
				d.Rects = append(d.Rects, rect{x + slot*0.14, y, slot * 0.72, h, c.Keys[k].Mark})
			}
		}
		d.Tips = append(d.Tips, tip{x, slot, b.Title})
	}
	return d
}

// scale finds a round step of which a few lines hold most.
func scale(most int) (step, lines int) {
	step = 1
	for {
		for _, factor := range []int{1, 2, 5} {
			if n := (most + step*factor - 1) / (step * factor); n <= 5 {
				return step * factor, max(n, 1)
			}
		}
		step *= 10
	}
}

// sparkWidth and sparkHeight are those of a small chart, in its units.
const (
	sparkWidth  = 120.0
	sparkHeight = 20.0
)

// spark is a small chart of some numbers.
func spark(counts []int) []rect {
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	width := sparkWidth / float64(len(counts))
	var rects []rect
	for i, n := range counts {
		if n == 0 {
			continue
		}
		h := max(sparkHeight*float64(n)/float64(most), 1)
		rects = append(rects, rect{X: width*float64(i) + width*0.1, Y: sparkHeight - h, W: width * 0.8, H: h})
	}
	return rects
}
