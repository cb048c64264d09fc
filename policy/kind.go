package policy

import (
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// checkKind asks what the client's generic names say of who is behind them. It is judged
// over the names that the check name is judged over.
var checkKind = check{
	name:     "kind",
	question: "what does the generic name say of the client?",
	outcomes: []outcome{
		{Dynamic, "The name says that the line is a consumer's, or that its address changes hands."},
		{Static, "The name says that the line is fixed, or a business'."},
		{Server, "It is a form of name that several hosters give to rented machines."},
		{Unspecified, "The name does not say; or there are several, and they differ."},
		{TempError, "The DNS could not say what the names are, or which of them are confirmed " +
			"where that matters."},
	},
	hides:   None,
	ofNames: true,
	find: func(e *evaluation) Finding {
		if e.facts.nameless() {
			return found(None)
		}
		possible, lacks := e.kinds()
		for _, kind := range kindResults[1:] {
			if possible == of(kind) {
				return found(kind)
			}
		}
		return undetermined(lacks, possible)
	},
}

// kindResults are what one name may bring: NotLearnt is that of no name, None of a proper one.
var kindResults = [...]Result{NotLearnt, None, Dynamic, Static, Server, Unspecified}

// kind is the kind of a name, None of a proper one.
func (r *Rules) kind(n *Name, confirmed bool) Result {
	if r.grade(n, confirmed) == gradeProper {
		return None
	}
	return [...]Result{hostname.Dynamic: Dynamic, hostname.Static: Static, hostname.Server: Server, hostname.NoKind: Unspecified, hostname.UnknownKind: Unspecified}[n.Verdict.Kind]
}

// both is the kind of two names: none if one is proper. NotLearnt is that of no name.
func both(a, b Result) Result {
	switch {
	case a == b, b == NotLearnt:
		return a
	case a == NotLearnt:
		return b
	case a == None, b == None:
		return None
	}
	return Unspecified
}

// kinds are those that the client's names may turn out to have, None for a proper name,
// and the queries that would tell.
func (e *evaluation) kinds() (possible Results, lacks CheckSet) {
	f, any := e.facts, of(kindResults[1:]...)
	if f.PTR != resolver.Found {
		return any, f.lacksConfirmation()
	}
	confirmed, all, may := NotLearnt, NotLearnt, Results(0)
	if f.MoreNames {
		may = any
	}
	for i := range f.Names {
		n := &f.Names[i]
		all = both(all, e.rules.kind(n, false))
		switch {
		case n.Forward.To(e.req.Client):
			confirmed = both(confirmed, e.rules.kind(n, true))
		case n.Forward.Undetermined():
			may |= of(e.rules.kind(n, true))
		}
	}
	possible = of(confirmed)
	for _, also := range kindResults {
		if !may.Has(also) {
			continue
		}
		for _, kind := range kindResults {
			if possible.Has(kind) {
				possible |= of(both(kind, also))
			}
		}
	}
	if possible.Has(NotLearnt) { // none may confirm
		possible = possible&^of(NotLearnt) | of(all)
	}
	return possible, f.lacksConfirmation()
}
