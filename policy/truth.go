package policy

// Truth is how true an entry, a table or a rule is of a request: three-valued, with
// Undetermined beside Unknown.
type Truth uint8

// The truths. In this order the truth of "and" is the least of its parts'. Undetermined
// comes before Unknown: what can still be queried is queried before doubt is admitted.
const (
	No           Truth = iota
	Undetermined       // the facts do not hold it: it was not queried
	Unknown            // the DNS could not say
	Yes
	// NotReached is of a rule in a Trial alone: an earlier one has decided.
	NotReached
	// NotYet is of a Trial alone: this stage of the dialogue cannot know it.
	NotYet
)

func truthOf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// String is the truth for people.
func (t Truth) String() string {
	return [...]string{"no", "not queried", "unknown", "yes", "not reached", "not known yet"}[t]
}

// and is three-valued "and".
func (t Truth) and(u Truth) Truth { return min(t, u) }

// or is three-valued "or": what can still be queried is queried before doubt is
// admitted.
func (t Truth) or(u Truth) Truth {
	switch {
	case t == Yes || u == Yes:
		return Yes
	case t == Undetermined || u == Undetermined:
		return Undetermined
	}
	return max(t, u)
}

// not is three-valued "not".
func (t Truth) not() Truth {
	switch t {
	case No:
		return Yes
	case Yes:
		return No
	}
	return t
}

// holding is how true an entry, a table or a rule is.
type holding struct {
	truth Truth
	// doubtful: it is so only because an entry lists temperror.
	doubtful bool
	// lacks are the queries that may determine it while it is undetermined.
	lacks CheckSet
	// early: it is unknown because of a key of the request that this stage of the
	// dialogue cannot know yet.
	early bool
	// rescued: it is a reject, and a defer all the same ([Decision.Rescued]).
	rescued bool
}

// shown is the truth for a trial.
func (h holding) shown() Truth {
	if h.truth == Unknown && h.early {
		return NotYet
	}
	return h.truth
}

func holds(t Truth) holding { return holding{truth: t} }

// and is three-valued "and".
func (h holding) and(other holding) holding {
	if h.truth == No || other.truth == No {
		return holds(No)
	}
	return holding{
		truth: min(h.truth, other.truth), doubtful: h.doubtful || other.doubtful, lacks: h.lacks | other.lacks, early: h.early || other.early,
	}
}
