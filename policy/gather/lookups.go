package gather

import (
	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// lookups are those of one decision. Each counts once, however often it was made:
// in the cache alone, again with what the cache did not hold, and once more with
// what was too old.
type lookups struct {
	list [3 + policy.MaxNames]lookup
	n    int
}

// lookup is a lookup as it is counted.
type lookup struct {
	name    string // empty: of the client's names
	kind    resolver.Kind
	outcome resolver.Outcome
	source  resolver.Source
}

// see takes an answer. Of several to one lookup the last one counts, as asked if
// any of them was.
func (l *lookups) see(name string, kind resolver.Kind, a *resolver.Answer) {
	now := lookup{name, kind, a.Outcome, a.Source()}
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

// count counts them.
func (l *lookups) count(dns DNS) {
	for _, one := range l.list[:l.n] {
		dns.Count(one.kind, one.outcome, one.source)
	}
}
