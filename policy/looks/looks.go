// Package looks remembers what names and HELOs of clients look like, which they say again
// and again: to judge them anew is a tenth of a request that is answered from the cache, a
// quarter where the name is generic, and a tenth of reading a log.
package looks

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync/atomic"

	"policyd-rdns/policy"
)

// Memory judges names and HELOs as [policy.NewName] and [policy.NewHELO] do, and remembers
// the last ones. The zero value remembers nothing yet, nil never does. It is safe for
// concurrent use, and takes some 8 MiB with names of usual length.
type Memory struct {
	names Places[look, policy.Name]
	helos Places[look, policy.HELO]
}

// Name is what there is to say of a name of a client by its looks.
func (m *Memory) Name(name string, client netip.Addr) policy.Name {
	if m == nil {
		return policy.NewName(name, client)
	}
	return of(&m.names, name, client, policy.NewName)
}

// HELO is what there is to say of a HELO by its looks.
func (m *Memory) HELO(helo string, client netip.Addr) policy.HELO {
	if m == nil {
		return policy.NewHELO(helo, client)
	}
	return of(&m.helos, helo, client, policy.NewHELO)
}

// Places have what was made of keys, each the last one that it was for. A stranger cannot
// know whose place is whose. The zero value has nothing yet; it is safe for concurrent use.
type Places[K comparable, T any] [1 << 14]atomic.Pointer[made[K, T]]

// made is what was made of a key.
type made[K comparable, T any] struct {
	of   K
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

func (p *Places[K, T]) place(of K) *atomic.Pointer[made[K, T]] {
	return &p[maphash.Comparable(seed, of)%uint64(len(p))]
}

// Find is what was made of a key; ok: it is remembered.
func (p *Places[K, T]) Find(of K) (T, bool) {
	if m := p.place(of).Load(); m != nil && m.of == of {
		return m.made, true
	}
	var none T
	return none, false
}

// Keep remembers what was made of a key.
func (p *Places[K, T]) Keep(of K, what T) { p.place(of).Store(&made[K, T]{of, what}) }

// of is what was made of a text, or is made of it now. It shares no memory with the text.
func of[T any](p *Places[look, T], text string, client netip.Addr, judge func(string, netip.Addr) T) T {
	l := look{text, client}
	if made, ok := p.Find(l); ok {
		return made
	}
	l.text = strings.Clone(text)
	made := judge(l.text, client)
	if len(text) <= maxRemembered {
		p.Keep(l, made)
	}
	return made
}
