package gather

import (
	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// lookups are those of one decision. Each counts once, however often it was made:
// in the cache alone, again with what the cache did not hold, and once more with
// what was too old.
type lookups struct {
	list [2 + policy.MaxNames]lookup
	n    int
}

// lookup is a lookup as it is counted.
type lookup struct {
	name    string // empty: of the client's names
	outcome resolver.Outcome
	source  resolver.Source
}

// see takes an answer. Of several to one lookup the last one counts, as asked if
// any of them was.
func (l *lookups) see(name string, a *resolver.Answer) {
	now := lookup{name, a.Outcome, a.Source()}
	for i := range l.list[:l.n] {
		if old := &l.list[i]; old.name == name {
			if old.source == resolver.Queried {
				now.source = resolver.Queried
			}
			*old = now
			return
		}
	}
	if l.n < len(l.list) { // other names, when asked again, are not counted
		l.list[l.n] = now
		l.n++
	}
}

// count counts them, those of names as of a kind.
func (l *lookups) count(dns DNS, names resolver.Kind) {
	for _, one := range l.list[:l.n] {
		kind := names
		if one.name == "" {
			kind = resolver.KindPTR
		}
		dns.Count(kind, one.outcome, one.source)
	}
}
