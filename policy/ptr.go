package policy

import (
	"context"

	"policyd-rdns/resolver"
)

// checkPTR asks whether the address has a name (RFC 8601 section 2.7.3). Malformed is
// a matter of syntax alone, and only if no name is well-formed.
var checkPTR = check{
	name:     "ptr",
	question: "does the address have a name?",
	results:  []Result{Found, None, Malformed, TempError},
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
	query: &query{begin: (*inquiry).beginPTR, take: (*inquiry).takePTR},
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
func (f *Facts) lacksNames() Queries {
	if f.PTR == resolver.NotQueried {
		return queries(CheckPTR)
	}
	return 0
}

// beginPTR asks for the client's names.
func (in *inquiry) beginPTR(ctx context.Context) progress {
	if in.facts.PTR != resolver.NotQueried {
		return idle
	}
	a, wait := in.g.DNS.BeginPTR(ctx, in.req.Client, in.options)
	if wait != nil {
		in.ptr = wait
		return underWay
	}
	return in.names(&a)
}

func (in *inquiry) takePTR(ctx context.Context) {
	a := in.ptr(ctx)
	in.ptr = nil
	in.names(&a)
	if in.facts.heloIsAName() {
		in.raise(ctx, in.facts.HELO.Name)
	}
}

// names takes the answer to the query for the client's names.
func (in *inquiry) names(a *resolver.Answer) progress {
	if a.Outcome == resolver.NotQueried {
		return idle // not in the cache
	}
	f := in.facts
	f.chooseNames(a, in)
	f.PTR = a.Outcome
	in.note("", a)
	return answered
}
