// Package recent tells the first recipient of a message from the others.
package recent

// Max is how many messages are remembered at least, and half of how many at most.
const Max = 1 << 15

// Messages remembers which messages were counted where, for as long as other
// recipients of theirs may come. P is a place where they are counted. The zero
// value is empty. It is not safe for concurrent use.
type Messages[P comparable] struct{ young, old map[counting[P]]struct{} }

// counting is a message in one place where it is counted.
type counting[P comparable] struct {
	message uint64
	where   P
}

// First reports whether a message has not been counted there yet, and counts it. The
// message 0, of no instance, is always another.
func (m *Messages[P]) First(message uint64, where P) bool {
	c := counting[P]{message, where}
	if message == 0 {
		return true
	}
	if _, ok := m.young[c]; ok {
		return false
	}
	if _, ok := m.old[c]; ok {
		return false
	}
	if m.young == nil || len(m.young) == Max {
		m.young, m.old = make(map[counting[P]]struct{}, Max), m.young
	}
	m.young[c] = struct{}{}
	return true
}
