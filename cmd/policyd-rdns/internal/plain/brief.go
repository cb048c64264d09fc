package plain

import "strings"

// maxBrief bounds foreign text within a sentence, in bytes.
const maxBrief = 100

// Brief is foreign text within a sentence or a table: [Text] of at most 100 bytes.
func Brief(s string) string { return Text(s, maxBrief) }

// Sentence is a sentence that foreign words stand in: each word is [Brief].
func Sentence(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = Brief(w)
	}
	return strings.Join(words, " ")
}
