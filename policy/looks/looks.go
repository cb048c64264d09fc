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
// concurrent use, and takes some 2 MiB with names of usual length.
type Memory struct {
	names places[policy.Name]
	helos places[policy.HELO]
}

// Name is what there is to say of a name of a client by its looks.
func (m *Memory) Name(name string, client netip.Addr) policy.Name {
	if m == nil {
		return policy.NewName(name, client)
	}
	return m.names.of(name, client, policy.NewName)
}

// HELO is what there is to say of a HELO by its looks.
func (m *Memory) HELO(helo string, client netip.Addr) policy.HELO {
	if m == nil {
		return policy.NewHELO(helo, client)
	}
	return m.helos.of(helo, client, policy.NewHELO)
}

// places have what was made of texts of clients, each the last one that it was for. A
// stranger cannot know whose place is whose.
type places[T any] [1 << 12]atomic.Pointer[remembered[T]]

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
func (p *places[T]) of(text string, client netip.Addr, judge func(string, netip.Addr) T) T {
	l := look{text, client}
	place := &p[maphash.Comparable(seed, l)%uint64(len(p))]
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
