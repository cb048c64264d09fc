package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/recent"
)

// counted remembers the messages that were counted.
type counted = recent.Messages[*Count]

// add counts a decision, and says whether it is the first of its message here.
func (c *Count) add(message uint64, seen *counted) (first bool) {
	c.Decisions++
	if first = seen.First(message, c); first {
		c.Messages++
	}
	return first
}

// period is from the first to the last of some times. They need not come in
// order: logs of several hosts may overlap.
type period struct{ first, last time.Time }

func (p *period) add(at time.Time) {
	if p.first.IsZero() || at.Before(p.first) {
		p.first = at
	}
	if at.After(p.last) {
		p.last = at
	}
}

// tally counts texts, at most some of them.
type tally struct {
	list []tallied
	more bool // there were others
}

type tallied struct {
	text string
	n    int
}

// add counts a text. most bounds the texts that are told apart.
func (t *tally) add(text string, most int) { t.addN(text, 1, most) }

func (t *tally) addN(text string, n, most int) {
	for i := range t.list {
		if t.list[i].text == text {
			t.list[i].n += n
			return
		}
	}
	if len(t.list) == most {
		t.more = true
		return
	}
	t.list = append(t.list, tallied{text, n})
}

// sorted are the texts, the most frequent first.
func (t *tally) sorted() []tallied {
	return slices.SortedStableFunc(slices.Values(t.list), func(a, b tallied) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.text, b.text))
	})
}

// cutTo are the first of a list, at most so many, and how many others there are; 0:
// all.
func cutTo[T any](list []T, top int) (first []T, more int) {
	if top == 0 || len(list) <= top {
		return list, 0
	}
	return list[:top], len(list) - top
}

// lighter gives the keys of the lighter half of a map.
func lighter[K comparable, V any](m map[K]V, weight func(V) int) []K {
	keys := slices.Collect(maps.Keys(m))
	slices.SortFunc(keys, func(a, b K) int { return cmp.Compare(weight(m[a]), weight(m[b])) })
	return keys[:(len(keys)+1)/2]
}
