package trial

import (
	"fmt"
	"math"
	"slices"
)

// spread is samples of one quantity.
type spread []float64

// at is the sample at a place of their order, 0 the least, 1 the greatest; NaN if
// there is none. Between two it is their weighted mean.
func (s spread) at(place float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	x := place * float64(len(sorted)-1)
	low := int(x)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (x-float64(low))*(sorted[high]-sorted[low])
}

func (s spread) median() float64 { return s.at(0.5) }

// show writes median, least and greatest.
func (s spread) show(unit string) string {
	if len(s) == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%s (%s–%s)%s", number(s.median()), number(s.at(0)), number(s.at(1)), unit)
}

// number has three digits or more.
func number(x float64) string {
	switch {
	case math.Abs(x) < 10:
		return fmt.Sprintf("%.2f", x)
	case math.Abs(x) < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
