package report

import (
	"fmt"
	"strings"
)

// part is a piece of a bar.
type part struct {
	Outcome Outcome
	N       int
}

// parts are the pieces of a bar, the gravest first.
func parts(o *Outcomes) []part {
	var bar []part
	for i, c := range o {
		bar = append(bar, part{Outcome(i), c.Decisions})
	}
	return bar
}

func total(bar []part) int {
	sum := 0
	for _, p := range bar {
		sum += p.N
	}
	return sum
}

// rect is a rectangle of a chart.
type rect struct {
	X, Y, W, H float64
	Class      string
}

// chart is the decisions over time as bars, stacked by outcome. Its rectangles
// are stretched over the width of the page, so that all text is outside.
type chart struct {
	Width, Height float64
	Rects         []rect
	Grid          []float64 // heights of its lines
	Scale         []string  // what they stand for, from above
	Labels        []label   // below the bars
	Dense         bool      // too many labels for a narrow page
	Summary       string    // for those who do not see it
	Tips          []tip
}

// label stands below some bars.
type label struct {
	Text string
	Span int // bars
}

// tip is what a bar says when it is pointed at.
type tip struct {
	X, W float64
	Text string
}

const (
	slot        = 10.0  // width of a bar with its space, in units of the chart
	chartHeight = 200.0 // likewise
	maxLabels   = 12
)

// chart draws the decisions over time.
func (r *Report) chart() *chart {
	most := 0
	peak := 0
	for i := range r.Times {
		if n := total(parts(&r.Times[i].Outcomes)); n > most {
			most, peak = n, i
		}
	}
	step, lines := scale(most)
	top := float64(step * lines)
	c := &chart{Width: slot * float64(len(r.Times)), Height: chartHeight}
	for i := 0; i <= lines; i++ {
		c.Grid = append(c.Grid, chartHeight*float64(i)/float64(lines))
		c.Scale = append(c.Scale, number(step*(lines-i)))
	}
	for i := range r.Times {
		b := &r.Times[i]
		x, y := slot*float64(i), chartHeight
		for _, p := range parts(&b.Outcomes) {
			h := chartHeight * float64(p.N) / top
			y -= h
			if p.N > 0 {
				c.Rects = append(c.Rects, rect{x + slot*0.14, y, slot * 0.72, h, p.Outcome.String()})
			}
		}
		c.Tips = append(c.Tips, tip{x, slot, r.barName(b) + ": " + outcomeWords(&b.Outcomes)})
	}
	c.label(r)
	c.Summary = fmt.Sprintf("Bars of decisions for each %s, stacked by what became of them. The most, %s, were on %s: %s. All figures are in the table below.",
		r.Unit, number(most), r.barName(&r.Times[peak]), outcomeWords(&r.Times[peak].Outcomes))
	return c
}

func outcomeWords(o *Outcomes) string {
	var words []string
	for i, c := range o {
		words = append(words, number(c.Decisions)+" "+Outcome(i).String())
	}
	return strings.Join(words, ", ")
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

// label puts names below the bars, one for several if they are many.
func (c *chart) label(r *Report) {
	span := (len(r.Times) + maxLabels - 1) / maxLabels
	layouts := map[string]string{"hour": "15:04", "day": "2 Jan", "month": "Jan 06", "year": "2006"}
	layout := layouts[r.Unit]
	if r.Unit == "day" && span == 1 {
		layout = "Mon 2"
	}
	for i := 0; i < len(r.Times); i += span {
		c.Labels = append(c.Labels, label{r.Times[i].Begin.In(r.place).Format(layout), min(span, len(r.Times)-i)})
	}
	c.Dense = len(c.Labels) > 7
}

// sparkWidth and sparkHeight are those of a small chart, in its units.
const (
	sparkWidth  = 120.0
	sparkHeight = 20.0
)

// spark is a small chart of one rule over time.
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
