package plain

import "strings"

// Nearest finds the known word that a misspelt one may have meant: one that is at
// most two letters off, and at most one for each three letters, so that port is
// not taken for ptr. Letter case does not matter.
func Nearest(word string, known []string) (string, bool) {
	best, least := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least && 3*d <= min(len(word), len(k)) {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
