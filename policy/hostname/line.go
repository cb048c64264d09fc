package hostname

// maxSlot is how many digits a number of a rack, a card, a port has at most.
const maxSlot = 4

// matchLine finds the number of a line as the equipment that it ends on counts: ports
// below a word for such (pm0-3, nas1rack6059); three numbers and more, most of them
// after a letter each (h55n2fls31o1033, u4-c5b-48); a port beside other numbers
// (p432.as1.town1).
func (t *text) matchLine(s *features) (span, bool) {
	if s.first.numbers == 0 || s.longest > maxSlot && s.first.numbers < 3 {
		return span{}, false
	}
	lettered, from := 0, -1 // numbers after a single letter; where counting begins
	for i := range t.host {
		k := &t.token[i]
		if k.label > 0 {
			break
		}
		if !k.digits {
			continue
		}
		if k.len() > maxSlot {
			return span{}, false
		}
		if i == 0 || t.token[i-1].digits || t.token[i-1].end != k.start {
			continue
		}
		switch word := &t.token[i-1]; {
		case word.class&counter != 0 && from < 0:
			from = i - 1
		case word.len() == 1:
			lettered++
		}
	}
	switch {
	case from >= 0 && s.first.numbers > 1:
		return t.numbersOf(from), true
	case s.first.numbers > 2 && lettered > 1:
		return t.numbersOf(0), true
	case s.numbers > 1 && t.isPort():
		return span{0, t.token[1].end}, true
	}
	return span{}, false
}

// numbersOf is the leftmost label from the token i up to its last number.
func (t *text) numbersOf(i int) span {
	p := span{t.token[i].start, t.token[i].end}
	for ; i < t.host && t.token[i].label == 0; i++ {
		if k := &t.token[i]; k.digits {
			p.end = k.end
		}
	}
	return p
}

// isPort reports whether the name starts with a p for port and a number of three digits
// or four.
func (t *text) isPort() bool {
	letter, k := &t.token[0], &t.token[1]
	name := string(t.lower[letter.start:letter.end])
	return (name == "p" || name == "pl") && k.start == letter.end && k.len() >= minRented && t.lower[k.start] != '0'
}
