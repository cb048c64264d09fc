package policy

import "policyd-rdns/resolver"

// evaluation is what the entries of rules look at: one request, its facts, the
// configuration, and the checks drawn from them.
type evaluation struct {
	req      *Request
	facts    *Facts
	rules    *Rules
	findings Findings // those that are drawn
	drawn    CheckSet
	// guess is how true entries are that look at unknown keys of the request: open,
	// unless firm is set.
	guess Truth
	// firm, if not nil, has guesses made of a rule: true, so that it holds only where it
	// does whatever the unknown keys are; false, so that it holds wherever it may.
	firm []bool
	// early are the keys of the request that its stage cannot know yet.
	early Attributes
	// at is the place in the list of the rule that decided; -1: none.
	at int
	// brief: of a decision that is undetermined, what its first rule needs is enough.
	brief bool
	// unchecked: nobody asks what the checks came to.
	unchecked bool
	// from is the place of that rule, where the judgement goes on.
	from int
	// tried is the place up to which each rule is looked at ([evaluation.next]).
	tried int
	// spared: a rule that was passed over may have spared the client.
	spared bool
	// kindly: all good that may be remembered of the client is taken to be.
	kindly bool
	// unsure: a rule that might have decided could not be known.
	unsure bool
}

// evaluate begins an evaluation.
func (r *Rules) evaluate(req *Request, f *Facts) *evaluation {
	e := new(evaluation)
	e.begin(r, req, f, false)
	return e
}

func (e *evaluation) begin(r *Rules, req *Request, f *Facts, briefly bool) {
	e.req, e.facts, e.rules, e.guess, e.early = req, f, r, Undetermined, req.notYet()
	e.brief, e.unchecked, e.from = briefly, false, 0
}

// finding draws a check, the first time that it is asked for.
func (e *evaluation) finding(c Check) *Finding {
	if f := &e.findings[c]; !e.drawn.Has(c) {
		e.drawn |= 1 << c
		if *f = checks[c].find(e); e.facts.Unread.Has(c) {
			*f = Finding{Possible: of(c.Results()...) | of(TempError)} // and nobody can be asked
		}
	}
	return &e.findings[c]
}

// results are those of the checks. What looks at an unknown key was not learnt.
func (e *evaluation) results() (c Checks) {
	for i := range checks {
		if e.req.Unknown == 0 || checks[i].needs&e.req.Unknown == 0 {
			c[i] = e.finding(Check(i)).Result
		}
	}
	return c
}

// Findings are what the facts of a request say of the checks.
func (r *Rules) Findings(req *Request, f *Facts) Findings {
	e := r.evaluate(req, f)
	for c := range checks {
		e.finding(Check(c))
	}
	return e.findings
}

// guesses are how true entries that look at unknown keys are taken to be in a rule's
// when, and in its unless.
func (e *evaluation) guesses(rule int) (when, unless Truth) {
	switch {
	case e.firm == nil:
		return Undetermined, Undetermined
	case e.firm[rule]:
		return No, Yes
	}
	return Yes, No
}

// nameless reports whether the client is known to have no well-formed name.
func (f *Facts) nameless() bool {
	switch f.PTR {
	case resolver.None:
		return true
	case resolver.Found:
		// Malformed names are among the facts only if there are no others.
		return !f.MoreNames && (len(f.Names) == 0 || !f.Names[0].Valid)
	}
	return false
}

// said HELO is false before the client had to say HELO: no rule about HELO
// holds then, for there is nothing to hold against the client.
func (r *Request) heloGiven() bool { return r.HELO != "" || r.mailBegun() }
