package plain

import "fmt"

// Percent is a share, with one digit after the point; "-" of nothing. What is not
// all and not nothing is not told as such: "< 0.1%".
func Percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	share := 100 * float64(n) / float64(of)
	switch {
	case n > 0 && share < 0.1:
		return "< 0.1%"
	case n < of && share > 99.9:
		return "> 99.9%"
	}
	return fmt.Sprintf("%.1f%%", share)
}
