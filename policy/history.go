package policy

import "time"

// checkHistory asks who came before. What it comes to is told by what is remembered of
// the client's parties; what nobody can tell is not remembered, and never a temperror.
var checkHistory = check{
	name:     "history",
	question: "did the client come before, and how did that end?",
	good:     Known,
	outcomes: []outcome{
		{Known, "It passed twice, at least 20 h apart, or came back when it had been deferred " +
			"and then passed; and its last pass is not too long ago (history.keep)."},
		{Returned, "It came back with a message that it had been deferred for, in time " +
			"(history.delay, history.window)."},
		{New, "None of this: it never came, or long ago, or only once."},
	},
	needs:    AttrPast,
	standing: Claimed,
	turn:     ours,
	find: func(e *evaluation) Finding {
		possible := of(Known, Returned, New)
		if !e.remembers() {
			return Finding{Possible: possible} // no rule that looks at it holds
		}
		past, lacks := &e.facts.Past, e.lacksParties()
		switch {
		case past.Asked && lacks == 0:
			return found(e.rules.remembered(e.req, past))
		case !past.Asked:
			lacks.Add(CheckHistory)
		}
		return Finding{Possible: possible, Lacks: lacks}
	},
	queries: func(f *Facts, list []Query) []Query {
		if !f.Past.DomainAsked {
			list = append(list, Query{Past: &f.Past, Domain: true})
		}
		// The parties follow from the other answers.
		if f.Past.Asked || f.lacksConfirmation() != 0 || f.HELO.lacksForward() {
			return list
		}
		return append(list, Query{Past: &f.Past})
	},
	evidence: func(_ *Request, f *Facts) []string { return f.Past.evidence() },
}

// remembered is the result by what is remembered.
func (r *Rules) remembered(req *Request, p *Past) Result {
	proven := p.PassDays >= 2 || !p.Returned.IsZero() && !p.LastPass.Before(p.Returned)
	switch {
	case proven && !p.LastPass.IsZero() && (r.Keep == 0 || req.Time.Sub(p.LastPass) <= r.Keep):
		return Known
	case !p.Returned.IsZero():
		return Returned
	}
	return New
}

// evidence tells people what is remembered.
func (p *Past) evidence() (all []string) {
	if p.Party != "" {
		all = append(all, "remembered by "+p.Party)
	}
	for _, event := range []struct {
		what string
		at   time.Time
	}{
		{"first contact", p.FirstContact},
		{"last contact", p.LastContact},
		{"came back", p.Returned},
		{"last pass", p.LastPass},
		{"objected to since", p.Objected},
	} {
		if !event.at.IsZero() {
			all = append(all, event.what+" "+event.at.UTC().Format(time.DateTime))
		}
	}
	return all
}
