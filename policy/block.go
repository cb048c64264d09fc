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

// blocks are those of a list of rules.
type blocks struct {
	of     *Rule // the first of that list
	n      int   // of its rules
	blocks []block
}

// Prepare makes judging by a long list quick. It is to be called when the list is complete,
// before the rules are in use; what becomes of a request is the same without it.
func (r *Rules) Prepare() {
	r.prepared = blocks{}
	if len(r.List) == 0 {
		return
	}
	r.prepared = blocks{of: &r.List[0], n: len(r.List)}
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

// block is the end of the block of rules that place i is in, or else the begin of the next one,
// or the end of the list; none: no rule in it holds.
func (e *evaluation) block(i int) (end int, none bool) {
	all := &e.rules.prepared
	if len(all.blocks) == 0 || e.firm != nil || e.req.Unknown|e.early != 0 || e.req.Cut != 0 ||
		all.n != len(e.rules.List) || all.of != &e.rules.List[0] {
		return len(e.rules.List), false
	}
	for b := range all.blocks {
		block := &all.blocks[b]
		if i >= block.end {
			continue
		}
		if i < block.begin {
			return block.begin, false
		}
		for j := range block.all {
			if block.all[j].holds(e).truth != No {
				return block.end, false
			}
		}
		return block.end, true
	}
	return len(e.rules.List), false
}
