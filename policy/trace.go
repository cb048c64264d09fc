package policy

// A Trial is one rule held against a request, for people.
type Trial struct {
	Rule  *Rule
	Holds Truth
	// Share is false if the client is not in the rule's percentage.
	Share  bool
	When   []EntryTrial
	Unless [][]EntryTrial
}

// An EntryTrial is one entry held against a request.
type EntryTrial struct {
	Entry *Entry
	Holds Truth
}

// Trace holds every rule against a request as [Rules.Judge] does and tells how
// each entry came out.
func (r *Rules) Trace(req *Request, f *Facts) []Trial {
	if !req.Client.IsValid() {
		return nil
	}
	e := r.evaluate(req, f)
	decided := len(r.List)
	var d Decision
	if e.judge(&d); d.Rule != "" {
		decided = e.at
	}
	trials := make([]Trial, 0, len(r.List))
	for i := range r.List {
		rule := &r.List[i]
		t := Trial{Rule: rule, Share: rule.includes(req.Client), When: e.try(rule.When)}
		for _, table := range rule.Unless {
			t.Unless = append(t.Unless, e.try(table))
		}
		h := rule.holds(e, i)
		if t.Holds = h.shown(); i > decided {
			t.Holds = NotReached
		}
		// Of a decision that is undetermined the rest is not reached either way.
		if h.truth == Yes && !rule.Observe && rule.Action.Final() {
			decided = min(decided, i)
		}
		trials = append(trials, t)
	}
	return trials
}

func (e *evaluation) try(t Table) []EntryTrial {
	trials := make([]EntryTrial, len(t))
	for i := range t {
		trials[i] = EntryTrial{&t[i], t[i].holds(e).shown()}
	}
	return trials
}
