package status

// ring holds the latest lines within a number of bytes and of lines, the oldest
// thrown out first. Nothing is allocated after newRing.
type ring struct {
	bytes []byte
	end   uint64 // bytes ever put
	lines []placed
	n     uint64 // lines ever put
}

// placed says where a line is, and when it came: by the number of its decision.
type placed struct{ number, begin uint64 }

// line is a copy of one that a ring holds.
type line struct {
	number uint64
	text   []byte
}

func newRing(bytes, lines int) ring {
	return ring{bytes: make([]byte, bytes), lines: make([]placed, lines)}
}

// put copies a line, which has to be shorter than the ring.
func (r *ring) put(number uint64, text []byte) {
	r.lines[r.n%uint64(len(r.lines))] = placed{number, r.end}
	r.n++
	at := int(r.end % uint64(len(r.bytes)))
	n := copy(r.bytes[at:], text)
	copy(r.bytes, text[n:])
	r.end += uint64(len(text))
}

// batch bounds the bytes that before copies, but for one line.
const batch = 64 << 10

// before copies some of the lines that were put before the one with the index
// seq, the latest first, and says from which index to go on: 0 if these were all.
func (r *ring) before(seq uint64) (lines []line, next uint64) {
	seq = min(seq, r.n)
	for size := 0; seq > 0 && size < batch; seq-- {
		p, ok := r.place(seq - 1)
		if !ok {
			return lines, 0
		}
		text := r.copy(p.begin, r.endOf(seq-1))
		size += len(text)
		lines = append(lines, line{p.number, text})
	}
	return lines, seq
}

// place is where the line with an index is, if it is still there.
func (r *ring) place(seq uint64) (placed, bool) {
	if r.n-seq > uint64(len(r.lines)) {
		return placed{}, false
	}
	p := r.lines[seq%uint64(len(r.lines))]
	return p, r.end-p.begin <= uint64(len(r.bytes))
}

func (r *ring) endOf(seq uint64) uint64 {
	if seq+1 == r.n {
		return r.end
	}
	return r.lines[(seq+1)%uint64(len(r.lines))].begin
}

func (r *ring) copy(begin, end uint64) []byte {
	text := make([]byte, end-begin)
	at := int(begin % uint64(len(r.bytes)))
	n := copy(text, r.bytes[at:])
	copy(text[n:], r.bytes)
	return text
}

// held is the number of lines that there are.
func (r *ring) held() int {
	n := 0
	for seq := r.n; seq > 0; seq-- {
		if _, ok := r.place(seq - 1); !ok {
			break
		}
		n++
	}
	return n
}
