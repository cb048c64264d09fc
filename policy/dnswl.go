package policy

// checkDNSWL asks an allow-list (RFC 5782) of the form of dnswl.org's. It is off unless the
// configuration names one: then no entry on it holds.
var checkDNSWL = check{
	name:     "dnswl",
	question: "how far does the allow-list trust the client?",
	good:     High,
	outcomes: []outcome{
		{High, "The list trusts it never to send spam."},
		{Medium, "The list trusts it to send spam hardly ever."},
		{Low, "The list has seen it send spam now and then."},
		{None, "The list does not have it, or says nothing for it."},
		{TempError, "The list could not be asked, or does not answer us."},
	},
	turn: listed,
	fact: func(f *Facts) *Result { return &f.Listed },
	find: func(e *evaluation) Finding {
		if e.facts.Listed == NotLearnt && e.rules.AllowList == "" {
			return Finding{}
		}
		return e.learnt(CheckDNSWL, of(High, Medium, Low, None))
	},
	queries: func(f *Facts, list []Query) []Query {
		if f.Listed == NotLearnt {
			list = append(list, Query{List: &f.Listed})
		}
		return list
	},
	evidence: func(_ *Request, f *Facts) []string {
		if f.Listed == NotLearnt {
			return nil
		}
		return []string{"its operator asks whoever sends more than 100,000 queries a day to register"}
	},
}
