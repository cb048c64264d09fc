package hostname

const (
	// minSerial is how many digits make a number a serial. Hosts that
	// somebody counts by hand seldom need more than four.
	minSerial = 5
	// minRented is the same right after a word that is for rented machines
	// and nothing else.
	minRented = 3
	// minLetter is the same after a letter that mail services use too.
	minLetter = 6
	// minHardware is how many hexadecimal digits a hardware address has.
	minHardware = 12
)

// matchSerial finds the number of a rented machine or of a line: in the leftmost
// label, or after it where that is a word alone (vps.43284172).
func (t *text) matchSerial() (span, Strength) {
	machine := class(0) // of the words so far
	for i := range t.host {
		k := &t.token[i]
		if k.label > 0 && !(i == 1 && k.digits) {
			break
		}
		if !k.digits {
			if k.len() > 2 {
				machine |= k.class
			}
			continue
		}
		before := machine
		if i > 0 && t.token[i-1].len() == 2 {
			before |= t.token[i-1].class // an abbreviation of much else, if not right here
		}
		if strength := t.serial(i, before); strength != NoStrength {
			at := span{k.start, k.end}
			if i > 0 && t.token[i-1].class.rank() > 0 {
				at.start = t.token[i-1].start
			}
			return at, strength
		}
	}
	return t.matchHexSerial()
}

// serial is how sure it is that the number i is a serial. before is what the
// words before it say.
func (t *text) serial(i int, before class) Strength {
	n := t.token[i].len()
	switch {
	case before&rented != 0 && (n > minSerial || n == minSerial && before&weak == 0):
		return Full
	case n >= minSerial && (i == 0 || before&(weak|rented) != 0),
		i > 0 && n >= minRented && t.token[i-1].class == rented,
		i == 1 && t.isLetterSerial():
		return Half
	}
	return NoStrength
}

// isLetterSerial reports whether the name starts with one letter and a serial.
func (t *text) isLetterSerial() bool {
	letter, k := &t.token[0], &t.token[1]
	if letter.len() > 1 || t.token[1].label > 0 || t.nextRun(0) != 2 {
		return false
	}
	if letter.class.rank() > 0 {
		return k.len() >= minSerial
	}
	c := t.lower[letter.start]
	return k.len() >= minLetter && c != 'm' && c != 'o' // mail, out
}

// matchHexSerial finds a hexadecimal number, both letters and digits in it, in
// the leftmost label: one of eight digits that stands alone, or one at the end
// of a run that has as many as a hardware address or more.
func (t *text) matchHexSerial() (span, Strength) {
	for i := 0; i < t.host && t.token[i].label == 0; {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		if next-i > 2 {
			start := run.end
			for start > run.start && hexValue(t.lower[start-1]) < 16 {
				start--
			}
			n := int(run.end - start)
			if n >= minHardware || start == run.start && n == 8 {
				return span{start + uint8(n%4), run.end}, Half
			}
		}
		i = next
	}
	return span{}, NoStrength
}
