package hostname

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
	if first := &t.token[0]; first.len() == 1 && first.class.rank() == 0 {
		return false
	}
	return !s.first.only || t.endsLabel(p.end) && t.numbers(p) == 2 && s.first.numbers == 2 && !t.hasLetters(p)
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
			k.len() == 1 && k.class.rank() > 0 && s.words && k.end == p.start:
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
