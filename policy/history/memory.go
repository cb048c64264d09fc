package history

import (
	"hash/maphash"
	"net/netip"
)

// The most parties that are remembered of what one owner may make any number of: of an
// organisation its addresses and HELO names, and all of a network, a /48 or a /24.
const (
	mostOfOrganisation = 64
	mostOfNetwork      = 256
)

// Some room stays free of those who are remembered for long, or in a memory, or in a
// hoster's network, that is full of them nobody new would be remembered until it comes
// again, and be told to come again for ever: of all entries one in roomOfAll, of those of a
// group one in roomOfGroup.
const (
	roomOfAll   = 8
	roomOfGroup = 4
)

// class orders parties by what it would cost to forget them.
type class uint8

const (
	stranger class = iota // never passed: goes first, and holds at most half
	sending               // a domain of MAIL FROM: holds at most one in roomOfAll
	passed
	proven // is known
	numClasses
)

// nobody is the index of no entry: the first of the slab is never used.
const nobody = 0

// chunk is how many entries are allocated at once.
const chunk = 1024

// entry is one party in memory.
type entry struct {
	hash  uint64
	party Party
	Record
	links  // among all
	groups [numGroups]grouped
	class  class
	dirty  bool // not in the store as it is here
	// partial: the store may have more of it.
	partial bool
}

// links are the neighbours in a list: indices.
type links struct{ prev, next uint32 }

// grouped is the place of an entry in a group.
type grouped struct {
	links
	of uint32 // hash of what is the group's; 0: none
}

// The kinds of groups, and what bounds each.
const (
	ofNetworks = iota
	ofOrganisations
	numGroups
)

var mostOf = [numGroups]int32{mostOfNetwork, mostOfOrganisation}

// list is a list of entries, the one that was used last at its head.
type list struct {
	head, tail uint32
	n          int32
}

// group are the entries of one owner, or all that there are, each class in a list.
type group [numClasses]list

func (g *group) n() (n int32) {
	for c := range g {
		n += g[c].n
	}
	return n
}

// last is the entry that costs least to forget; nobody: there is none.
func (g *group) last() uint32 {
	for c := range g {
		if g[c].tail != nobody {
			return g[c].tail
		}
	}
	return nobody
}

// memory holds the records of parties within bounds. It is not safe for concurrent use.
type memory struct {
	seed   maphash.Seed
	most   int
	slab   []*[chunk]entry
	free   []uint32
	used   uint32
	index  map[uint64]uint32
	all    group
	groups [numGroups]map[uint32]*group
	// evicted is called for an entry that has to go.
	evicted func(*entry)
}

func newMemory(most int) *memory {
	m := &memory{seed: maphash.MakeSeed(), most: most, index: map[uint64]uint32{}, evicted: func(*entry) {}}
	for i := range m.groups {
		m.groups[i] = map[uint32]*group{}
	}
	m.used = nobody + 1
	return m
}

func (m *memory) len() int { return len(m.index) }

func (m *memory) at(i uint32) *entry { return &m.slab[i/chunk][i%chunk] }

// hashName is the hash of a party by its name, hashAddr by an address or a network.
func (m *memory) hashName(kind byte, name string) uint64 {
	return maphash.String(m.seed, name) ^ uint64(kind)*0x9e3779b97f4a7c15
}

func (m *memory) hashBytes(kind byte, name []byte) uint64 {
	return maphash.Bytes(m.seed, name) ^ uint64(kind)*0x9e3779b97f4a7c15
}

func (m *memory) hashAddr(kind byte, a netip.Addr) uint64 {
	var b [17]byte
	b[0] = kind
	as := a.As16()
	copy(b[1:], as[:])
	return maphash.Bytes(m.seed, b[:])
}

// hashParty is the hash of a party as a store has it; false: it is none.
func (m *memory) hashParty(p Party) (uint64, bool) {
	switch kind := p.Kind(); kind {
	case KindAddress:
		a, err := netip.ParseAddr(p.Name())
		return m.hashAddr(kind, a), err == nil
	case KindNetwork:
		n, err := netip.ParsePrefix(p.Name())
		return m.hashAddr(kind, n.Addr()), err == nil
	case 0:
		return 0, false
	default:
		return m.hashName(kind, p.Name()), true
	}
}

// dirty adds the hashes of those that are not in the store as they are here.
func (m *memory) dirty(hashes []uint64) []uint64 {
	for i := uint32(nobody + 1); i < m.used; i++ {
		if e := m.at(i); e.dirty {
			hashes = append(hashes, e.hash)
		}
	}
	return hashes
}

// find finds a party; nobody: it is not in memory.
func (m *memory) find(hash uint64) uint32 { return m.index[hash] }

// use has a party be the one that was used last.
func (m *memory) use(i uint32) {
	m.each(i, func(of *group, g int) {
		if l := &of[m.at(i).class]; l.head != i {
			m.unlink(l, i, g)
			m.link(l, i, g)
		}
	})
}

// each calls do for each group that an entry is in, that of all first.
func (m *memory) each(i uint32, do func(of *group, g int)) {
	do(&m.all, everybody)
	for g, in := range m.at(i).groups {
		if in.of != 0 {
			do(m.groups[g][in.of], g)
		}
	}
}

// classify has a party be of a class.
func (m *memory) classify(i uint32, c class) {
	e := m.at(i)
	if e.class == c {
		return
	}
	m.each(i, func(of *group, g int) {
		m.unlink(&of[e.class], i, g)
		m.link(&of[c], i, g)
	})
	e.class = c
	switch {
	case c == proven:
		m.leaveRoomOfGroups(i)
	case c == sending && int(m.all[sending].n) > max(m.most/roomOfAll, 1):
		m.drop(m.all[sending].tail)
	}
	m.leaveRoom()
}

// leaveRoom forgets of those who passed the ones that are too many.
func (m *memory) leaveRoom() {
	most := int32(m.most - m.most/roomOfAll)
	for m.all[passed].n+m.all[proven].n > most {
		c := passed
		if m.all[passed].n <= 1 { // it has just passed
			c = proven
		}
		m.drop(m.all[c].tail)
	}
}

// leaveRoomOfGroups forgets of the groups of a party that is known now the one that was
// known and not used for the longest time, if those are too many.
func (m *memory) leaveRoomOfGroups(i uint32) {
	for g, most := range mostOf {
		of := m.at(i).groups[g].of
		if of == 0 {
			continue
		}
		if l := &m.groups[g][of][proven]; l.n > most-most/roomOfGroup {
			m.drop(l.tail) // it is at the head itself
		}
	}
}

// add makes room and adds a party that is not there, which is nobody's yet. nobody: there
// is no room.
func (m *memory) add(hash uint64, party Party, network, organisation uint64) uint32 {
	of := [numGroups]uint32{uint32(network), uint32(organisation)}
	for g, most := range mostOf {
		if of[g] == 0 {
			continue
		}
		if in := m.groups[g][of[g]]; in != nil && in.n() >= most {
			least := in.last()
			if m.at(least).class == proven {
				return nobody
			}
			m.drop(least)
		}
	}
	if int(m.all[stranger].n) >= max(m.most/2, 1) || m.len() >= m.most {
		m.evict()
	}
	i := m.take()
	e := m.at(i)
	*e = entry{hash: hash, party: party}
	m.index[hash] = i
	for g := range of {
		if e.groups[g].of = of[g]; of[g] != 0 && m.groups[g][of[g]] == nil {
			m.groups[g][of[g]] = new(group)
		}
	}
	m.each(i, func(of *group, g int) { m.link(&of[stranger], i, g) })
	return i
}

// take takes an unused entry.
func (m *memory) take() uint32 {
	if n := len(m.free); n > 0 {
		i := m.free[n-1]
		m.free = m.free[:n-1]
		return i
	}
	i := m.used
	m.used++
	if int(i/chunk) == len(m.slab) {
		m.slab = append(m.slab, new([chunk]entry))
	}
	return i
}

// evict forgets the party that costs least to forget.
func (m *memory) evict() {
	if i := m.all.last(); i != nobody {
		m.drop(i)
	}
}

func (m *memory) drop(i uint32) {
	m.evicted(m.at(i))
	m.remove(i)
}

// remove takes a party out.
func (m *memory) remove(i uint32) {
	e := m.at(i)
	m.each(i, func(of *group, g int) {
		if m.unlink(&of[e.class], i, g); g != everybody && of.n() == 0 {
			delete(m.groups[g], e.groups[g].of)
		}
	})
	delete(m.index, e.hash)
	*e = entry{}
	m.free = append(m.free, i)
}

// everybody is the group of all entries.
const everybody = -1

// linksOf are the links of an entry in a group.
func (m *memory) linksOf(i uint32, g int) *links {
	if g == everybody {
		return &m.at(i).links
	}
	return &m.at(i).groups[g].links
}

func (m *memory) link(l *list, i uint32, g int) {
	*m.linksOf(i, g) = links{next: l.head}
	if l.head != nobody {
		m.linksOf(l.head, g).prev = i
	} else {
		l.tail = i
	}
	l.head = i
	l.n++
}

func (m *memory) unlink(l *list, i uint32, g int) {
	at := m.linksOf(i, g)
	if at.prev != nobody {
		m.linksOf(at.prev, g).next = at.next
	} else {
		l.head = at.next
	}
	if at.next != nobody {
		m.linksOf(at.next, g).prev = at.prev
	} else {
		l.tail = at.prev
	}
	l.n--
}

// worthKeeping is the class of a party by its record.
func (e *entry) worthKeeping() class {
	switch kind := e.party.Kind(); {
	case e.LastPass == 0:
		return stranger
	case kind == KindSender:
		return sending
	case e.Known() && kind != KindCorrespondent:
		return proven
	}
	return passed
}
