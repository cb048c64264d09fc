package policy

import "policyd-rdns/resolver"

// checkPTR asks whether the address has a name (RFC 8601 section 2.7.3). Malformed is
// a matter of syntax alone, and only if no name is well-formed.
var checkPTR = check{
	name:     "ptr",
	question: "does the address have a name?",
	good:     Found,
	outcomes: []outcome{
		{Found, "It has one that is well-formed, or several."},
		{None, "It has none: there is no PTR record."},
		{Malformed, "None of its names is well-formed: they are single labels, addresses, or " +
			"nothing that a host may be called."},
		{TempError, "The DNS could not say."},
	},
	ofNames: true,
	find: func(e *evaluation) Finding {
		switch f := e.facts; {
		case f.PTR == resolver.None:
			return found(None)
		case f.nameless():
			return found(Malformed)
		case f.PTR == resolver.Found:
			return found(Found)
		default:
			return undetermined(f.lacksNames(), of(Found, None, Malformed))
		}
	},
	queries: func(f *Facts, list []Query) []Query {
		if f.PTR != resolver.NotQueried {
			return list
		}
		return append(list, Query{})
	},
	evidence: func(_ *Request, f *Facts) []string {
		var names []string
		for i := range f.Names {
			names = append(names, f.Names[i].Name)
		}
		return names
	},
	objection: func(c *Checks, _ *Request, _ *Facts) string {
		switch c[CheckPTR] {
		case None:
			return "no reverse name"
		case Malformed:
			return "reverse name is malformed"
		case TempError:
			return "reverse name not learnt"
		}
		return ""
	},
}

// lacksNames are the queries that tell what names the client has, if nobody knows.
func (f *Facts) lacksNames() CheckSet {
	if f.PTR == resolver.NotQueried {
		return checkSet(CheckPTR)
	}
	return 0
}
