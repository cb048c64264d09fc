package doctor

import (
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// brief is foreign text within a sentence.
func brief(s string) string { return plain.Brief(s) }

// and lists words as one does: "a, b and c".
func and(words []string) string { return plain.List(words, "and") }

// withNew is a list with those of some values behind it that it does not have.
func withNew[T comparable](list []T, values ...T) []T {
	for _, v := range values {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
