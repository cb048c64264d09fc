package hostname

// matchPhrase finds words that say that nobody named the address: one that is
// enough anywhere in the leftmost label (unassigned), a negation and its noun
// in the first two (no-rdns, not.set), "hosted by" at the start, or a leftmost
// label that is nothing but words for lines (static, pool-xdsl).
func (t *text) matchPhrase() (span, bool) {
	for i := range t.host {
		k := &t.token[i]
		if k.label > 1 {
			break
		}
		if k.class&blank != 0 && k.label == 0 {
			return span{k.start, k.end}, true
		}
		if i+1 == t.host {
			break
		}
		next := &t.token[i+1]
		if k.class&negation != 0 && next.class&noun != 0 && !t.isNumbered(i+1) || i == 0 && k.class&hosted != 0 && next.class&by != 0 {
			return span{k.start, next.end}, true
		}
	}
	return t.matchAlone()
}

// isNumbered reports whether a number follows the word i at once. no-dns1 is the
// first name server in Norway.
func (t *text) isNumbered(i int) bool {
	return i+1 < t.count && t.token[i+1].start == t.token[i].end
}

// matchAlone finds a leftmost label that is enough alone: one of its words, or
// the one word of the next label, has the class alone, the rest speaks of lines
// too or is filler, and there is no number; or there are several, and one is for a
// kind of line; or one is unnamed and the rest is
// anything listed, and numbers.
func (t *text) matchAlone() (span, bool) {
	found, rest, words, numbered, end := class(0), 3, 0, false, uint8(0)
	for i := range t.host {
		k := &t.token[i]
		if k.label > 0 {
			if k.label == 1 && words == 1 && k.class&alone != 0 && k.class.rank() > 0 && t.endsLabel(k.end) {
				found |= alone
			}
			break
		}
		end = k.end
		if k.digits {
			numbered = true
			continue
		}
		rank := k.class.rank()
		if rank == 0 && k.class&alone == 0 || k.len() == 1 {
			return span{}, false
		}
		if k.class&(alone|filler) == 0 {
			rest = min(rest, rank)
		}
		found |= k.class
		words++
	}
	if found&unnamed != 0 || !numbered && rest > 1 && (found&alone != 0 || words > 1 && found&line != 0) {
		return span{0, end}, true
	}
	return span{}, false
}
