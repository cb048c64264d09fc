// Package recent tells the first recipient of a message from the others.
package recent

// Max is how many messages are remembered at least, and half of how many at most.
const Max = 1 << 15

// Messages remembers which messages were counted where, for as long as other
// recipients of theirs may come. P is a place where they are counted. The zero
// value is empty. It is not safe for concurrent use.
type Messages[P comparable] struct {
	young, old generation[P]
	// The message that was asked about last, and where the places of it begin: recipients
	// come one after the other, and each is counted in several places.
	last           uint64
	inYoung, inOld int32
}

// generation is the places of some messages, those of one message linked: by their
// number from 1; 0: no other.
type generation[P comparable] struct {
	first  map[uint64]int32
	places []place[P]
}

type place[P comparable] struct {
	where P
	next  int32
}

// has reports whether a place is among those from one on.
func (g *generation[P]) has(from int32, where P) bool {
	for ; from != 0; from = g.places[from-1].next {
		if g.places[from-1].where == where {
			return true
		}
	}
	return false
}

// add adds a place to those of a message, and returns where they begin.
func (g *generation[P]) add(message uint64, first int32, where P) int32 {
	n := int32(len(g.places)) + 1
	if first == 0 {
		g.places = append(g.places, place[P]{where, 0})
		g.first[message] = n
		return n
	}
	g.places = append(g.places, place[P]{where, g.places[first-1].next})
	g.places[first-1].next = n
	return first
}

// First reports whether a message has not been counted there yet, and counts it. The
// message 0, of no instance, is always another.
func (m *Messages[P]) First(message uint64, where P) bool {
	if message == 0 {
		return true
	}
	if message != m.last {
		m.last, m.inYoung, m.inOld = message, m.young.first[message], m.old.first[message]
	}
	if m.young.has(m.inYoung, where) || m.old.has(m.inOld, where) {
		return false
	}
	if m.young.first == nil || len(m.young.places) == Max {
		m.turn()
	}
	m.inYoung = m.young.add(message, m.inYoung, where)
	return true
}

// turn begins another generation, in the memory of the one that is forgotten.
func (m *Messages[P]) turn() {
	m.young, m.old = m.old, m.young
	m.inYoung, m.inOld = 0, m.inYoung
	if m.young.first == nil {
		m.young.first = map[uint64]int32{}
	}
	clear(m.young.first)
	clear(m.young.places)
	m.young.places = m.young.places[:0]
}
