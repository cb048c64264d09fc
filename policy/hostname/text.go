package hostname

import "bytes"

// maxTokens bounds how many tokens of a name are looked at. An IPv6 address in
// nibbles takes 32; a name could have 253.
const maxTokens = 96

// text is a name taken apart. It lives on the stack of one Classify.
type text struct {
	lower [maxName]byte // the name in lower case, without the final dot
	size  int
	cut   int // where the registered domain starts
	host  int // how many tokens stand left of it
	count int // the same with those of the registered domain's first label
	token [maxTokens]token
	found evidence // what judge found of the address
	six   bool     // it is an IPv6 address
}

// token is a run of letters or a run of digits within a label.
type token struct {
	start, end uint8 // in text.lower
	label      uint8 // counted from the left
	digits     bool
	class      class  // of a run of letters
	value      uint32 // of a run of digits, maxValue if it has more
}

// maxValue stands for every number that does not fit.
const maxValue = 1<<32 - 1

func (k *token) len() int { return int(k.end) - int(k.start) }

// span is a part of a name: the bytes from start up to end.
type span struct{ start, end uint8 }

func (p span) len() int { return int(p.end) - int(p.start) }

// fill takes the bytes of name, for which Valid holds.
func (t *text) fill(name string) {
	t.size = len(name)
	for i := range t.size {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		t.lower[i] = c
	}
}

// split finds the tokens of the labels left of the registered domain, which
// starts at cut, and of its first label. What is behind xn-- (RFC 5890 section
// 2.3.2.1) are neither words nor numbers.
func (t *text) split(cut int) {
	t.cut, t.host, t.count = cut, 0, 0
	label := uint8(0)
	for i := 0; i < t.size && t.count < maxTokens; {
		switch t.lower[i] {
		case '.':
			if i >= cut {
				return
			}
			label++
			i++
		case '-', '_':
			i++
		default:
			if t.isEncoded(i) {
				for ; !t.endsLabel(uint8(i)); i++ {
				}
				continue
			}
			end := t.endOfToken(i)
			t.add(i, end, label)
			if i < cut {
				t.host = t.count
			}
			i = end
		}
	}
}

// isEncoded reports whether a label in Punycode starts at i.
func (t *text) isEncoded(i int) bool {
	return (i == 0 || t.lower[i-1] == '.') && bytes.HasPrefix(t.lower[i:t.size], []byte("xn--"))
}

// endOfToken is the end of the run of letters or digits that starts at i.
func (t *text) endOfToken(i int) int {
	digits := isDigit(t.lower[i])
	for i++; i < t.size; i++ {
		if c := t.lower[i]; c == '.' || c == '-' || c == '_' || isDigit(c) != digits {
			break
		}
	}
	return i
}

func (t *text) add(start, end int, label uint8) {
	k := token{start: uint8(start), end: uint8(end), label: label, digits: isDigit(t.lower[start])}
	if k.digits {
		k.value = number(t.lower[start:end])
	} else {
		k.class = classOf(t.lower[start:end])
	}
	t.token[t.count] = k
	t.count++
}

// number is the value of a run of digits, maxValue if that is too large.
func number(digits []byte) uint32 {
	n := uint64(0)
	for _, c := range digits {
		if n = n*10 + uint64(c-'0'); n >= maxValue {
			return maxValue
		}
	}
	return uint32(n)
}

// nextRun is the first token after the run of letters and digits that starts
// with the token i.
func (t *text) nextRun(i int) int {
	for i++; i < t.count && t.token[i].start == t.token[i-1].end; i++ {
	}
	return i
}

// runAt is the span of the run of letters and digits from the token i up to
// the token next.
func (t *text) runAt(i, next int) span {
	return span{t.token[i].start, t.token[next-1].end}
}

// endsLabel reports whether a label ends at i.
func (t *text) endsLabel(i uint8) bool { return int(i) == t.size || t.lower[i] == '.' }

// numbers is how many runs of digits there are within p.
func (t *text) numbers(p span) int {
	n := 0
	for i := range t.count {
		if k := &t.token[i]; k.digits && k.start >= p.start && k.end <= p.end {
			n++
		}
	}
	return n
}
