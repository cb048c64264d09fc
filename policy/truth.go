package policy

// truth is the three-valued truth of an entry, a table or a rule, with open
// beside unknown: a fact that has not been asked yet may still settle it.
type truth uint8

// In this order the truth of "and" is the least of its parts'. Open comes
// before unknown: what can still be asked is asked before doubt is admitted.
const (
	no truth = iota
	open
	unknown // the DNS could not say
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) String() string { return [...]string{"no", "not asked", "unknown", "yes"}[t] }

// holding is how true an entry, a table or a rule is.
type holding struct {
	truth truth
	// doubtful: it is so only because an entry lists temperror.
	doubtful bool
	// ask are the queries that may settle it while it is open.
	ask Queries
}

func holds(t truth) holding { return holding{truth: t} }

// and is three-valued "and".
func (h holding) and(other holding) holding {
	if h.truth == no || other.truth == no {
		return holds(no)
	}
	return holding{min(h.truth, other.truth), h.doubtful || other.doubtful, h.ask | other.ask}
}
