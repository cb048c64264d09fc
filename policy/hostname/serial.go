package hostname

const (
	// minSerial is how many digits make a number a serial. Hosts that
	// somebody counts by hand seldom need more than four.
	minSerial = 5
	// minRented is the same right after a word that is for rented machines
	// and nothing else.
	minRented = 3
	// minLetter is the same after one letter.
	minLetter = 7
	// minAlone is the same of a number that stands apart after a word in no list,
	// minApart if there is another number beside it.
	minAlone, minApart = 8, 6
	// minCode is how many letters and digits make a code, which take turns minTurns
	// times or more.
	minCode, minTurns = 16, 6
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
	case n >= minSerial && before&rented != 0 && before&weak == 0:
		return Full
	case n >= minSerial && (i == 0 || before&(weak|rented) != 0),
		i > 0 && n >= minRented && t.token[i-1].class == rented,
		i > 0 && n >= minApart && t.token[i-1].end < t.token[i].start && (n >= minAlone || t.numbered(i)),
		i == 1 && t.token[0].len() == 2 && n >= minLetter && t.token[0].end == t.token[1].start,
		n >= minRented && t.token[i].label == 0 && t.inRentedZone(),
		i == 1 && t.isLetterSerial():
		return Word
	}
	return NoStrength
}

// numbered reports whether a number comes before the number i.
func (t *text) numbered(i int) bool {
	for _, k := range t.token[:i] {
		if k.digits {
			return true
		}
	}
	return false
}

// inRentedZone reports whether a further label is a word for rented machines.
func (t *text) inRentedZone() bool {
	for i := 1; i < t.host; i++ {
		if k := &t.token[i]; k.label > 0 && k.class == rented {
			return true
		}
	}
	return false
}

// isLetterSerial reports whether the name starts with one letter and a serial.
// Universities count people's machines with six digits, in zones of their own.
func (t *text) isLetterSerial() bool {
	letter, k := &t.token[0], &t.token[1]
	if letter.len() > 1 || k.label > 0 || t.nextRun(0) != 2 {
		return false
	}
	if letter.class.rank() > 0 && t.zoneCounts() {
		return k.len() >= minSerial
	}
	c := t.lower[letter.start]
	return k.len() >= minLetter && c != 'm' && c != 'o' // mail, out
}

// isCode reports whether a run of letters and digits that take turns so many times is
// none that people make: a code of an IPv6 address (d15l54bxv1k5c31plwt-4) or of a line.
func (t *text) isCode(run span, turns int) bool {
	return run.len() >= minCode && (turns >= minTurns || t.six && turns > 2) || t.six && run.len() >= minHardware && turns >= minTurns
}

// matchHexSerial finds a hexadecimal number, both letters and digits in it, in
// the leftmost label: one of eight digits that stands alone, or one at the end
// of a run that has as many as a hardware address or more; or another code.
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
				return span{start + uint8(n%4), run.end}, Word
			}
			if t.isCode(run, next-i) {
				return run, Word
			}
		}
		i = next
	}
	return span{}, NoStrength
}
