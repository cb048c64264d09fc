package hostname

// features are what the words and numbers left of the registered domain say.
type features struct {
	access   class // of the word that speaks most for a line
	accessAt span
	words    bool // there is a word of rank 1 and more, not just a letter
	mail     bool
	mailAt   span

	numbers int
	longest int // digits of the longest number
	first   struct {
		numbers int
		rank    int  // the highest of a word in the leftmost label that is not for rented machines
		line    bool // a number of two digits follows a kind of line, or its like, at once: ppp60
		only    bool // there is no other label
	}
}

func (t *text) read() features {
	var s features
	for i := range t.host {
		k := &t.token[i]
		if k.digits {
			s.numbers++
			s.longest = max(s.longest, k.len())
			if k.label == 0 {
				s.first.numbers++
				s.first.line = s.first.line || i > 0 && k.len() > 1 && t.lower[k.start] != '0' && t.token[i-1].class.rank() > 1 && t.token[i-1].class&(line|alone) != 0
			}
			continue
		}
		if k.class != 0 {
			s.add(k)
		}
	}
	s.first.only = t.host == 0 || t.token[t.host-1].label == 0
	return s
}

func (s *features) add(k *token) {
	at := span{k.start, k.end}
	if !s.mail && (k.class&mail != 0 || k.class&mailFirst != 0 && k.label == 0) {
		s.mail, s.mailAt = true, at
	}
	rank := k.class.rank()
	if rank > s.access.rank() {
		s.access, s.accessAt = k.class, at
	}
	if rank > 0 && k.len() > 1 {
		s.words = true
	}
	if k.label == 0 && (k.class&rented == 0 || k.class&filler != 0) {
		s.first.rank = max(s.first.rank, rank)
	}
}

// counts reports whether the numbers of the name count lines, beside a word for
// one. The 2 of web2.static.example.com and of dhcp2.example.com does not:
// somebody had a second machine.
func (s *features) counts(found evidence) bool {
	switch {
	case s.numbers == 0:
		return false
	case found.share >= lastShare && found.at.len() > 1, s.longest > 2, s.first.numbers > 1:
		return true
	}
	if s.first.numbers == 0 {
		return false
	}
	if s.first.only {
		return s.first.line
	}
	return s.first.rank > 0 || s.longest > 1 && s.access&alone != 0
}
