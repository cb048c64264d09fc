package provider

import (
	"cmp"
	"slices"
	"strings"
)

// Report is what is suggested.
type Report struct {
	Generic     []Suggestion `json:"generic"` // for names.generic
	MoreGeneric int          `json:"more_generic"`
	Proper      []Suggestion `json:"proper"` // for names.proper
	MoreProper  int          `json:"more_proper"`
	Cut         int          `json:"cut"` // ways to write a name that were let go for want of room
}

// Suggestion is an entry, and what speaks for it.
type Suggestion struct {
	Entry   string `json:"entry"` // ".cust.example.net"
	Shape   string `json:"shape"` // "h#.cust.example.net"
	Example string `json:"example"`
	Names   int    `json:"names"`
	More    bool   `json:"more_names,omitempty"` // there are more names, of which nothing is counted but Refused
	Own     int    `json:"own_helo"`             // names whose HELO was its own
	Sender  int    `json:"own_senders"`          // of these, names whose senders were its own, too
	Refused int    `json:"refused"`              // decisions
	// Beside is another name that the entry holds for, and that does not count; "": none
	// was seen.
	Beside string `json:"beside,omitempty"`
}

const (
	// leastLines is from how many names on that count they are taken for a provider's, and
	// leastServers for a sender's. A firm has some machines web1, web2 of its own.
	leastLines   = 6
	leastServers = 3
)

// Report suggests entries, those for the most names first, at most top of a kind; 0: all.
func (c *Counter) Report(top int) Report {
	r := Report{Generic: []Suggestion{}, Proper: []Suggestion{}, Cut: c.cut}
	for _, s := range c.shapes {
		into := s.list(&r)
		if into == nil {
			continue
		}
		one, ok := s.suggestion()
		if !ok {
			continue
		}
		one.Beside = c.beside(one.Entry)
		*into = append(*into, one)
	}
	for _, of := range []struct {
		list *[]Suggestion
		more *int
	}{{&r.Generic, &r.MoreGeneric}, {&r.Proper, &r.MoreProper}} {
		slices.SortFunc(*of.list, func(a, b Suggestion) int {
			return cmp.Or(cmp.Compare(b.Names, a.Names), cmp.Compare(b.Refused, a.Refused), cmp.Compare(a.Shape, b.Shape))
		})
		if n := len(*of.list); top > 0 && n > top {
			*of.list, *of.more = (*of.list)[:top], n-top
		}
	}
	return r
}

// list is where a shape belongs; nil: nowhere.
func (s *shape) list(r *Report) *[]Suggestion {
	switch n := len(s.names); {
	case n >= leastLines && s.counts[generic] == 0 && s.counts[listed] == 0 && 4*s.counts[own] <= n:
		return &r.Generic
	case n >= leastServers && s.counts[generic] == n && s.counts[own] == n && 4*s.counts[sender] >= 3*n:
		return &r.Proper
	}
	return nil
}

// suggestion is the entry for a shape, if its numbers vary in one label alone: all that is
// right of it is the same in all names.
func (s *shape) suggestion() (one Suggestion, ok bool) {
	var shown []string
	varying, number := -1, 0
	labels := strings.Split(strings.TrimSuffix(s.first, "."+s.org), ".")
	for i, label := range labels {
		var b strings.Builder
		for part := range runs(label) {
			if isDigit(part[0]) {
				if s.varies[number] {
					if varying >= 0 && varying != i {
						return one, false
					}
					part, varying = "#", i
				}
				number++
			}
			b.WriteString(part)
		}
		shown = append(shown, b.String())
	}
	if varying < 0 {
		return one, false
	}
	right := append(slices.Clone(labels[varying+1:]), s.org)
	return Suggestion{
		Entry: "." + strings.Join(right, "."), Shape: strings.Join(append(shown, s.org), "."), Example: s.first,
		Names: len(s.names), More: s.more, Own: s.counts[own], Sender: s.counts[sender], Refused: s.refused,
	}, true
}

// beside is a name without a number that an entry holds for.
func (c *Counter) beside(entry string) string {
	under := ""
	for parent, name := range c.plain {
		if strings.HasSuffix("."+parent, entry) && (under == "" || name < under) {
			under = name
		}
	}
	return under
}
