package hostname

// What looks like an IPv6 address without being compared with one: this many
// groups, and this many digits in them.
const (
	foreignGroups = 6
	foreignDigits = 16
)

// matchForeign finds an address that is not the client's, or that cannot be
// compared as the client's is not known: four decimal numbers equally
// separated, or padded to twelve digits, or six groups of an IPv6 address.
func (t *text) matchForeign() (span, bool) {
	if at, ok := t.matchForeign6(); ok {
		return at, true
	}
	row := 0 // how many numbers are in a row
	for i := range t.host {
		k := &t.token[i]
		if k.digits && k.len() == 12 && t.isPadded(k) {
			return span{k.start, k.end}, true
		}
		if !k.digits || k.len() > 3 || k.value > 255 {
			row = 0
			continue
		}
		if row > 0 && !t.goesOn(i, row) {
			row = 0
		}
		row++
		if row == 4 && t.token[i-3].value > 0 {
			return span{t.token[i-3].start, k.end}, true
		}
	}
	return span{}, false
}

// goesOn reports whether token i follows the one before as those row before did.
func (t *text) goesOn(i, row int) bool {
	end := t.token[i-1].end
	if t.token[i].start-end != 1 {
		return false
	}
	return row == 1 || t.lower[end] == t.lower[t.token[i-2].end]
}

// isPadded reports whether twelve digits are four octets padded to three each.
func (t *text) isPadded(k *token) bool {
	for i := k.start; i < k.end; i += 3 {
		if number(t.lower[i:i+3]) > 255 {
			return false
		}
	}
	return t.lower[k.start] != '0' || t.lower[k.start+1] != '0'
}

// matchForeign6 finds groups of hexadecimal digits in a row.
func (t *text) matchForeign6() (span, bool) {
	groups, digits := 0, 0
	var at span
	for i := 0; i < t.host; {
		next := t.nextRun(i)
		run := t.runAt(i, next)
		i = next
		if _, ok := groupValue(t.lower[run.start:run.end]); !ok {
			if isForeign6(groups, digits) {
				break
			}
			groups, digits = 0, 0
			continue
		}
		if groups == 0 {
			at.start = run.start
		}
		at.end = run.end
		groups++
		digits += run.len()
	}
	return at, isForeign6(groups, digits)
}

func isForeign6(groups, digits int) bool {
	return groups >= foreignGroups && digits >= foreignDigits
}
