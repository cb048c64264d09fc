package hostname

import "bytes"

// minTwo is how many digits two octets must have together to be more than two
// small numbers that happen to be there, if no word says what they are.
const minTwo = 4

// isHost reports whether the last two octets, at p, are enough to call a name
// generic. Pools of mail services show them too: after a letter, in the middle
// of a label, or run together.
func (t *text) isHost(s *features, p span) bool {
	if s.access.rank() > 1 || t.hasWordBefore(p) {
		return true
	}
	if t.digitsIn(p) < minTwo {
		return false
	}
	if p.start == 0 {
		return true
	}
	if first := &t.token[0]; first.len() == 1 && !first.digits {
		if c := t.lower[0]; p.start == 1 && t.numbers(p) == 1 && (p.len() == 6 || p.len() == 5 && !s.first.only) {
			return c != 'm' && c != 'o' // mail, out
		}
		if first.class.rank() == 0 {
			return false
		}
	}
	return !s.first.only || t.endsLabel(p.end) && t.numbers(p) == 2 && s.first.numbers == 2 && (!t.hasLetters(p) || t.isCrossed(p))
}

// isCrossed reports whether p is two numbers with an x between them: 113x10.
func (t *text) isCrossed(p span) bool {
	return bytes.Count(t.lower[p.start:p.end], []byte("x")) == 1 && t.digitsIn(p) == p.len()-1
}

// isCounted reports whether the last octet, at p, ends the leftmost label after a
// word by which operators count; or after a letter for one, if there is such a
// word elsewhere (p195.as1.example.net). server10 is not counted: people number
// their own machines by the last octet too.
func (t *text) isCounted(s *features, p span) bool {
	if p.len() < 2 || !t.endsLabel(p.end) || t.labelAt(p) > 0 {
		return false
	}
	for i := range t.host {
		k := &t.token[i]
		switch {
		case k.start >= p.start:
			return false
		case k.len() > 1 && (k.class.rank() > 1 || k.class == rented || k.class&filler != 0),
			k.len() == 1 && k.class.rank() > 0 && k.end == p.start && (s.words || i == 0 && t.countsHosts(p)),
			p.len() > 2 && string(t.lower[k.start:k.end]) == "host",
			k.digits && t.isLettered(i):
			return true
		}
	}
	return false
}

// isBare reports whether the leftmost of several labels is without letters and
// ends with the last octet, at p.
func (t *text) isBare(s *features, p span) bool {
	return p.len() > 1 && !s.first.only && t.endsLabel(p.end) && t.labelAt(p) == 0 && !t.hasLetters(span{0, p.end})
}

// hasWordBefore reports whether a word for machines or lines, and not just a
// letter, stands before p in the leftmost label.
func (t *text) hasWordBefore(p span) bool {
	for i := range t.host {
		k := &t.token[i]
		if k.label > 0 || k.start >= p.start {
			break
		}
		if k.len() > 1 && k.class.rank() > 0 {
			return true
		}
	}
	return false
}

func (t *text) hasLetters(p span) bool {
	for _, c := range t.lower[p.start:p.end] {
		if 'a' <= c && c <= 'z' {
			return true
		}
	}
	return false
}

// labelAt is the label of the token that starts at p.
func (t *text) labelAt(p span) uint8 {
	for i := range t.count {
		if k := &t.token[i]; k.start >= p.start {
			return k.label
		}
	}
	return 0
}

// countsHosts reports whether the letter before the last octet, at p, is one that
// networks count their hosts under, and mail services do not: u164, h20.r1.example.net.
func (t *text) countsHosts(p span) bool {
	return bytes.IndexByte([]byte("cdghpu"), t.lower[0]) >= 0 && t.lower[p.start] != '0' && (p.len() > 2 || t.zoneCounts())
}

// isLettered reports whether the number i comes right after a single letter that is not
// the first of the name: abc-p19. Mail services begin so: m15-37, a24-22.
func (t *text) isLettered(i int) bool {
	if i < 2 {
		return false
	}
	before := &t.token[i-1]
	return before.len() == 1 && !before.digits && before.end == t.token[i].start
}

// zoneCounts reports whether a further label ends with a number: the zone of one of
// several networks.
func (t *text) zoneCounts() bool {
	for i := 1; i < t.host; i++ {
		if k := &t.token[i]; k.digits && k.label > 0 && t.endsLabel(k.end) {
			return true
		}
	}
	return false
}
