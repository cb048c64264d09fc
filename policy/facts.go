package policy

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// MaxNames bounds the names of one address that are confirmed. Who owns a
// reverse zone chooses how many there are. RFC 7208 section 4.6.4 takes 10 too.
const MaxNames = 10

// MaxAddrs bounds the addresses of a name that are kept among the facts and
// logged. The client's own is the first of them, or else one of its network.
const MaxAddrs = 8

// Facts is the evidence about one client: what the DNS and the machine said,
// before any rule or list of the configuration has a word. A decision-log line
// holds all of it, so that it can be judged again.
type Facts struct {
	// PTR is what became of the query for the client's names.
	PTR resolver.Outcome
	// Names are the client's well-formed names, at most MaxNames, the HELO
	// first if it is one of them. If no name is well-formed they are the
	// malformed ones, and none of them resolves.
	Names []Name
	// MoreNames reports whether there were well-formed names beyond Names, which
	// nobody has tried.
	MoreNames bool

	// HELO is the argument of HELO or EHLO and what it resolves to.
	HELO HELO

	// OwnClient reports whether the client is an address of this very host, OwnHELO
	// that the HELO is a name of this host. What the configuration adds to
	// either is not a fact but a rule.
	OwnClient bool
	OwnHELO   bool

	// Past is what is remembered of the client, Parties by what.
	Past    Past
	Parties Parties

	// SPF is what the domain of the sender says of the client, Listed what the allow-list
	// does: one of the results of [CheckDNSWL].
	SPF    SPF
	Listed Result

	// Errors says of each lookup that is a temperror why.
	Errors []resolver.LookupError
	// Queries is the number of queries that were sent for this client.
	Queries int
	// Cached reports whether DNS answers were used and all came from the cache.
	Cached bool
	// Stale reports whether an answer past its TTL was used (RFC 8767).
	Stale bool

	// Outage reports whether no DNS server answered anybody, Overload that this
	// daemon had no room for a lookup. What is a temperror for that is trouble
	// of our own, and nothing that a client could mend or wait for.
	Outage   bool
	Overload bool

	// Unread are the checks whose outcome a log holds in a way that this version
	// cannot read: undetermined, whatever the other facts would make of them. It
	// is empty for a request of Postfix.
	Unread CheckSet
}

// Assumed are the facts with what is asked last, where nobody has: nothing is remembered, and
// nobody speaks for the client. any reports whether they are others.
func (f *Facts) Assumed() (assumed Facts, any bool) {
	assumed = *f
	if !f.Past.Asked {
		assumed.Past.Asked, assumed.Past.DomainAsked, any = true, true, true
	}
	for c := range checks {
		if fact := Check(c).Fact(&assumed); fact != nil && *fact == NotLearnt {
			*fact, any = None, true
		}
	}
	return assumed, any
}

// Why tells people why the lookup of an address or a name failed: of each server that
// was asked. Empty: it did not fail.
func (f *Facts) Why(about string) string {
	var all []string
	for i := range f.Errors {
		if f.Errors[i].About == about {
			all = append(all, f.Errors[i].Why())
		}
	}
	return strings.Join(all, "; ")
}

// Name is one of the client's names.
type Name struct {
	Name    string           // lower case, no final dot
	Valid   bool             // well-formed
	Verdict hostname.Verdict // generic or chosen, by its looks alone
	// Organisation is the organisational domain of the name, kept with its looks since
	// the public suffix list is long; empty: it has none.
	Organisation string
	Forward      resolver.Forward
}

// confirmed reports whether the name resolves to the client.
func (n *Name) confirmed(client netip.Addr) Truth {
	if n.Forward.To(client) {
		return Yes
	}
	return afterOutcome(No, n.Forward.Outcome)
}

// NewName judges a name of a client by its looks.
func NewName(name string, client netip.Addr) Name {
	n := Name{Name: name, Valid: hostname.Valid(name)}
	if n.Valid {
		n.Verdict = hostname.Classify(name, client)
		n.Organisation = hostname.Organisation(name)
	}
	return n
}

// HELO is the argument of HELO or EHLO.
type HELO struct {
	Name    string           // normalised; empty if Form is not a name
	Form    hostname.Form    // what it is
	Addr    netip.Addr       // of a literal or a bare address
	Verdict hostname.Verdict // of an FQDN
	Forward resolver.Forward // of an FQDN
}

// NewHELO judges a HELO by its looks.
func NewHELO(helo string, client netip.Addr) HELO {
	var h HELO
	h.Form, h.Addr = hostname.ParseHELO(helo)
	switch h.Form {
	case hostname.FQDN:
		h.Name = hostname.Normal(helo)
		h.Verdict = hostname.Classify(h.Name, client)
	case hostname.Unqualified:
		h.Name = hostname.Normal(helo)
	}
	return h
}

// NewFacts are the facts about a request that need no query.
func NewFacts(req *Request) (f Facts) {
	f.Reset(NewHELO(req.HELO, req.Client))
	return f
}

// Reset makes them those about a HELO that need no query. The memory of Names is used
// again.
func (f *Facts) Reset(helo HELO) { *f = Facts{Names: f.Names[:0], HELO: helo} }

// Confirmed lists the names that resolve back to the client.
func (f *Facts) Confirmed(client netip.Addr) []string {
	var names []string
	for i := range f.Names {
		if f.Names[i].Forward.To(client) {
			names = append(names, f.Names[i].Name)
		}
	}
	return names
}
