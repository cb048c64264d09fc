package policy

// A block is a run of rules of which each asks for one of listed addresses, names or mail
// addresses, as hundreds of exemptions do. What all of them list together is asked first, so
// that a request that none of them is about passes them by at once.
type block struct {
	begin, end int // in the list
	all        []Entry
}

// Bounds of a block: of fewer rules it gains nothing, and what an entry with more values
// lists is not kept twice.
const (
	fewestOfBlock = 8
	mostValues    = 64
)

// prepared are the blocks of one list of rules. A copy of the rules may have another list,
// which they say nothing of.
type prepared struct {
	first  *Rule // of that list
	rules  int   // in it
	blocks []block
}

// Prepare makes judging by a long list quick. It is to be called when the list is complete,
// before the rules are in use; what becomes of a request is the same without it.
func (r *Rules) Prepare() {
	r.prepared = prepared{}
	if len(r.List) == 0 {
		return
	}
	r.prepared = prepared{first: &r.List[0], rules: len(r.List)}
	for i := 0; i < len(r.List); {
		end, listed := i, map[string][]string{}
		for ; end < len(r.List); end++ {
			e := r.List[end].selector()
			if e == nil {
				break
			}
			listed[e.Key] = append(listed[e.Key], e.values...)
		}
		if end-i >= fewestOfBlock {
			b := block{begin: i, end: end}
			for key, values := range listed {
				e, _ := NewEntry(key, values, nil) // what is wrong with them is in none of both
				b.all = append(b.all, e)
			}
			r.prepared.blocks = append(r.prepared.blocks, b)
		}
		i = max(end, i+1)
	}
}

// selector is an entry without which the rule does not hold, and that lists a few of what
// there are millions of; nil: there is none.
func (r *Rule) selector() *Entry {
	for i := range r.When {
		e := &r.When[i]
		if len(e.values) > mostValues {
			continue
		}
		switch e.cond.(type) {
		case *clients, *ptrNames, *helos, *senders, *recipients:
			return e
		}
	}
	return nil
}

// next is the first place from i on whose rule may hold, for what its block lists.
func (e *evaluation) next(i int) int {
	for i >= e.tried && i < len(e.rules.List) {
		end, none := e.passBy(i)
		if !none {
			e.tried = end
			break
		}
		i = end
	}
	return i
}

// passBy is the end of the block of rules that place i is in, or else the begin of the next
// one, or the end of the list; none: no rule up to there holds.
func (e *evaluation) passBy(i int) (end int, none bool) {
	of := &e.rules.prepared
	if len(of.blocks) == 0 || e.firm != nil || e.req.Unknown|e.early != 0 || e.req.Cut != 0 ||
		of.rules != len(e.rules.List) || of.first != &e.rules.List[0] {
		return len(e.rules.List), false
	}
	for n := range of.blocks {
		b := &of.blocks[n]
		if i >= b.end {
			continue
		}
		if i < b.begin {
			return b.begin, false
		}
		for j := range b.all {
			if b.all[j].holds(e).truth != No {
				return b.end, false
			}
		}
		return b.end, true
	}
	return len(e.rules.List), false
}
