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
	lru    links      // among those of its class
	groups [2]grouped // network, organisation
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

// mostOf bounds the groups.
var mostOf = [2]int32{mostOfNetwork, mostOfOrganisation}

// list is a list of entries, the one that was used last at its head.
type list struct {
	head, tail uint32
	n          int32
}

// memory holds the records of parties within bounds. It is not safe for concurrent use.
type memory struct {
	seed   maphash.Seed
	most   int
	slab   []*[chunk]entry
	free   []uint32
	used   uint32
	index  map[uint64]uint32
	lists  [numClasses]list
	groups [2]map[uint32]*list
	// evicted is called for an entry that has to go.
	evicted func(*entry)
}

func newMemory(most int) *memory {
	m := &memory{seed: maphash.MakeSeed(), most: most, index: map[uint64]uint32{}, evicted: func(*entry) {}}
	for i := range m.groups {
		m.groups[i] = map[uint32]*list{}
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
	e := m.at(i)
	if l := &m.lists[e.class]; l.head != i {
		m.unlink(l, i, -1)
		m.link(l, i, -1)
	}
	for g := range e.groups {
		if of := e.groups[g].of; of != 0 {
			if l := m.groups[g][of]; l.head != i {
				m.unlink(l, i, g)
				m.link(l, i, g)
			}
		}
	}
}

// classify has a party be of a class.
func (m *memory) classify(i uint32, c class) {
	e := m.at(i)
	if e.class == c {
		return
	}
	m.unlink(&m.lists[e.class], i, -1)
	e.class = c
	m.link(&m.lists[c], i, -1)
	switch {
	case c == proven:
		m.leaveRoomOfGroups(i)
	case c == sending && int(m.lists[sending].n) > max(m.most/roomOfAll, 1):
		m.drop(m.lists[sending].tail)
	}
	m.leaveRoom()
}

// leaveRoom forgets of those who passed the ones that are too many.
func (m *memory) leaveRoom() {
	most := int32(m.most - m.most/roomOfAll)
	for m.lists[passed].n+m.lists[proven].n > most {
		c := passed
		if m.lists[passed].n <= 1 { // it has just passed
			c = proven
		}
		m.drop(m.lists[c].tail)
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
		n, last := int32(0), uint32(nobody)
		for j := m.groups[g][of].head; j != nobody; j = m.at(j).groups[g].next {
			if m.at(j).class == proven {
				if n++; j != i {
					last = j
				}
			}
		}
		if n > most-most/roomOfGroup {
			m.drop(last)
		}
	}
}

// add makes room and adds a party that is not there, which is nobody's yet. nobody: there
// is no room.
func (m *memory) add(hash uint64, party Party, network, organisation uint64) uint32 {
	of := [2]uint32{uint32(network), uint32(organisation)}
	for g, most := range mostOf {
		if of[g] == 0 {
			continue
		}
		if l := m.groups[g][of[g]]; l != nil && l.n >= most && !m.evictOf(l, g) {
			return nobody
		}
	}
	if int(m.lists[stranger].n) >= max(m.most/2, 1) || m.len() >= m.most {
		m.evict()
	}
	i := m.take()
	e := m.at(i)
	*e = entry{hash: hash, party: party}
	m.index[hash] = i
	m.link(&m.lists[stranger], i, -1)
	for g := range of {
		if of[g] == 0 {
			continue
		}
		l := m.groups[g][of[g]]
		if l == nil {
			l = new(list)
			m.groups[g][of[g]] = l
		}
		e.groups[g].of = of[g]
		m.link(l, i, g)
	}
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
	for c := range m.lists {
		if i := m.lists[c].tail; i != nobody {
			m.drop(i)
			return
		}
	}
}

// evictOf forgets one of a group that is full, and that is not known.
func (m *memory) evictOf(l *list, g int) bool {
	least, found := proven, uint32(nobody)
	for i := l.tail; i != nobody; i = m.at(i).groups[g].prev {
		if e := m.at(i); e.class < least {
			if least, found = e.class, i; least == stranger {
				break
			}
		}
	}
	if found == nobody {
		return false
	}
	m.drop(found)
	return true
}

func (m *memory) drop(i uint32) {
	m.evicted(m.at(i))
	m.remove(i)
}

// remove takes a party out.
func (m *memory) remove(i uint32) {
	e := m.at(i)
	m.unlink(&m.lists[e.class], i, -1)
	for g := range e.groups {
		if of := e.groups[g].of; of != 0 {
			l := m.groups[g][of]
			if m.unlink(l, i, g); l.n == 0 {
				delete(m.groups[g], of)
			}
		}
	}
	delete(m.index, e.hash)
	*e = entry{}
	m.free = append(m.free, i)
}

// linksOf are the links of an entry in a group; -1: among those of its class.
func (m *memory) linksOf(i uint32, g int) *links {
	if g < 0 {
		return &m.at(i).lru
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
