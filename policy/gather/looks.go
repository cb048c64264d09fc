package gather

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync/atomic"

	"policyd-rdns/policy"
)

// looks remembers what names and HELOs of the last clients look like, which say the same
// again and again: to judge them anew is a tenth of a request that is answered from the
// cache, and a quarter where the name is generic. The zero value knows of none.
type looks struct {
	names memory[policy.Name]
	helos memory[policy.HELO]
}

// memory remembers what was made of texts of clients, the last one in each of its places.
// Whose place it is a stranger cannot know. It is safe for concurrent use.
type memory[T any] struct {
	places [1 << 12]atomic.Pointer[remembered[T]]
}

// remembered is what was made of a text.
type remembered[T any] struct {
	of   look
	made T
}

// look is a name or a HELO, and the client whose it is.
type look struct {
	text   string
	client netip.Addr
}

// maxRemembered bounds the texts that are remembered, in bytes: no name is longer (RFC
// 1035 section 2.3.4).
const maxRemembered = 255

var seed = maphash.MakeSeed()

// of is what was made of a text, or is made of it now. It shares no memory with the text.
func (m *memory[T]) of(text string, client netip.Addr, judge func(string, netip.Addr) T) T {
	l := look{text, client}
	place := &m.places[maphash.Comparable(seed, l)%uint64(len(m.places))]
	if r := place.Load(); r != nil && r.of == l {
		return r.made
	}
	l.text = strings.Clone(text)
	r := &remembered[T]{l, judge(l.text, client)}
	if len(text) <= maxRemembered {
		place.Store(r)
	}
	return r.made
}
