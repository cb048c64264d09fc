package hostname

import "slices"

// maxGroups bounds the groups in a row that are compared: the eight of an
// address, and words that happen to be hexadecimal numbers around them.
const maxGroups = 12

// row is groups of hexadecimal digits that follow each other in a name, as they
// do in an IPv6 address.
type row struct {
	group [maxGroups]uint16
	count int
	gap   int // where zeros are left out, as by "::"; 0 for nowhere
	at    span

	// What of the client's address is found, in any order.
	found  uint8 // which groups, bit i for the group i
	digits int
	long   int // how many of three digits and more
}

// matchGroups finds the groups of an IPv6 address, padded or not.
func (t *text) matchGroups(a *[8]uint16) evidence {
	var r row
	best := evidence{}
	for i := 0; i < t.host; {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		i = next
		value, ok := groupValue(t.lower[run.start:run.end])
		if !ok || !r.takes(run) {
			best = better(best, r.evidence(a))
			r = row{}
		}
		if ok {
			r.add(value, run, a)
		}
	}
	return better(best, r.evidence(a))
}

// takes reports whether a group at p would be the next of the row: one separator
// from it, or two where zeros are left out.
func (r *row) takes(p span) bool {
	if r.count == 0 {
		return true
	}
	distance := p.start - r.at.end
	return r.count < maxGroups && (distance == 1 || distance == 2 && r.gap == 0)
}

func (r *row) add(value uint16, p span, a *[8]uint16) {
	if r.count == 0 {
		r.at.start = p.start
	} else if p.start-r.at.end == 2 {
		r.gap = r.count
	}
	r.group[r.count] = value
	r.count++
	r.at.end = p.end
	if value == 0 {
		return
	}
	for i, group := range a {
		if bit := uint8(1) << i; group == value && r.found&bit == 0 {
			r.found |= bit
			r.digits += p.len()
			if p.len() > 2 {
				r.long++
			}
			return
		}
	}
}

// evidence is what of the address the row shows.
func (r *row) evidence(a *[8]uint16) evidence {
	switch {
	case r.digits < most6 || r.long < 2:
		return evidence{}
	case r.gap > 0 && r.isCompressed(a), r.gap == 0 && r.holds(a[:]), r.count == 4 && !slices.Contains(a[4:], 0) && r.holds(a[4:]):
		return evidence{wholeShare, IPv6, r.at}
	}
	return evidence{mostShare, IPv6, r.at}
}

// holds reports whether the row has all of groups in their order.
func (r *row) holds(groups []uint16) bool {
	for i := 0; i+len(groups) <= r.count; i++ {
		if slices.Equal(r.group[i:i+len(groups)], groups) {
			return true
		}
	}
	return false
}

// isCompressed reports whether the row is the address with a row of zeros left out.
func (r *row) isCompressed(a *[8]uint16) bool {
	tail := len(a) - (r.count - r.gap)
	if r.gap > tail {
		return false
	}
	for _, group := range a[r.gap:tail] {
		if group != 0 {
			return false
		}
	}
	return slices.Equal(r.group[:r.gap], a[:r.gap]) && slices.Equal(r.group[r.gap:r.count], a[tail:])
}

// groupValue is the value of one to four hexadecimal digits.
func groupValue(run []byte) (value uint16, ok bool) {
	if len(run) > 4 {
		return 0, false
	}
	for _, c := range run {
		v := hexValue(c)
		if v > 15 {
			return 0, false
		}
		value = value<<4 | uint16(v)
	}
	return value, true
}
