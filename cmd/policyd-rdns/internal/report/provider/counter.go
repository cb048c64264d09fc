package provider

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
)

const (
	// maxShapes bounds the ways to write a name that are told apart, and the names without
	// a number that are remembered: strangers choose how many there are.
	maxShapes = 4000
	// maxNames bounds the names of one shape.
	maxNames = 50
	// maxNumbers bounds the numbers of a name. An IPv6 address may be as many of one digit,
	// which nobody needs to be told of.
	maxNumbers = 12
)

// Counter gathers what names do. Its zero value has seen nothing.
type Counter struct {
	seed   maphash.Seed
	shapes map[string]*shape
	plain  map[string]string // a name without number that is under a domain, by the domain
	cut    int               // shapes that were let go
}

// shape is what is known of the names of one shape.
type shape struct {
	first   string // name
	org     string
	numbers []string // of first
	varies  [maxNumbers]bool
	names   []uint64 // hashes
	more    bool     // there are more names
	counts  [numTraits]int
	refused int // decisions
}

// trait is what a name may be or do.
type trait uint8

const (
	generic trait = iota
	listed
	own
	sender // its HELO is its own, and its senders too
	numTraits
)

// Add counts what a decision shows.
func (c *Counter) Add(l *Look) {
	if c.shapes == nil {
		c.seed, c.shapes, c.plain = maphash.MakeSeed(), map[string]*shape{}, map[string]string{}
	}
	text, numbers := l.shape()
	switch {
	case numbers == 0:
		c.addPlain(l.name)
		return
	case numbers > maxNumbers:
		return
	}
	s := c.shapes[text]
	if s == nil {
		s = c.begin(text, l)
	}
	if l.refused {
		s.refused++
	}
	s.add(l, maphash.String(c.seed, l.name))
}

// addPlain remembers a name without a number.
func (c *Counter) addPlain(name string) {
	_, parent, _ := strings.Cut(name, ".")
	if _, ok := c.plain[parent]; !ok && len(c.plain) < maxShapes {
		name = strings.Clone(name)
		_, parent, _ = strings.Cut(name, ".")
		c.plain[parent] = name
	}
}

// begin begins a shape, if need be in place of the half with the fewest names.
func (c *Counter) begin(text string, l *Look) *shape {
	if len(c.shapes) == maxShapes {
		keys := slices.SortedFunc(maps.Keys(c.shapes), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(c.shapes[a].names), len(c.shapes[b].names)), cmp.Compare(a, b))
		})
		for _, key := range keys[:maxShapes/2] {
			delete(c.shapes, key)
			c.cut++
		}
	}
	s := &shape{first: strings.Clone(l.name), org: strings.Clone(l.org)}
	s.numbers = numbersOf(s.first, s.org)
	c.shapes[text] = s // which is made for it
	return s
}

// numbersOf are the numbers of a name left of its organisational domain.
func numbersOf(name, org string) []string {
	return slices.DeleteFunc(slices.Collect(runs(name[:len(name)-len(org)])), func(part string) bool { return !isDigit(part[0]) })
}

// add counts a name, once.
func (s *shape) add(l *Look, hash uint64) {
	if slices.Contains(s.names, hash) {
		return
	}
	if len(s.names) == maxNames {
		s.more = true
		return
	}
	s.names = append(s.names, hash)
	for i, number := range numbersOf(l.name, l.org) {
		s.varies[i] = s.varies[i] || number != s.numbers[i]
	}
	for t, is := range [numTraits]bool{generic: l.generic, listed: l.listed, own: l.own, sender: l.own && l.sends} {
		if is {
			s.counts[t]++
		}
	}
}
