package message

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// maxLinks bounds the CNAMEs between a name and its records. Who owns the zone
// chooses how many there are; eight are more than honest zones need.
const maxLinks = 8

// Chain is the way from the queried name along its aliases
// (RFC 1034 section 3.6.2; RFC 2317 puts them into reverse zones).
type Chain struct {
	names []string // absolute, lower case; the first was queried, the last is the end
	ttl   uint32   // the least on the way, in seconds
}

// NewChain is one that begins with a name: absolute, lower case.
func NewChain(name string) Chain { return Chain{names: []string{name}, ttl: maxWireTTL} }

// End is the last name, which is the next to be queried.
func (c Chain) End() string { return c.names[len(c.names)-1] }

// follow goes along the aliases of a reply.
func (c Chain) follow(links []Link) (Chain, error) {
	for _, l := range links {
		if slices.Contains(c.names, l.Target) {
			return c, fmt.Errorf("CNAME loop at %.60q", l.Target)
		}
		if len(c.names) > maxLinks {
			return c, fmt.Errorf("more than %d CNAMEs at %.60q", maxLinks, l.Target)
		}
		c.names = append(slices.Clip(c.names), l.Target)
		c.ttl = min(c.ttl, l.TTL)
	}
	return c, nil
}

// Reading is what a reply says of a query. A name that has no records of the queried
// type is Determined and without Records.
type Reading struct {
	// Determined: the server said all. If not, the reply stops in mid-chain, and the
	// end of the chain is to be queried.
	Determined bool
	Chain      Chain
	Records    []Record // of the queried type, at the chain's end
	TTL        time.Duration
}

// Refusal is a reply that says nothing of the query: another server may know more.
type Refusal struct {
	What string
	// Server: the server is to blame, rather than the zone.
	Server bool
}

func (e *Refusal) Error() string { return e.What }

// Read reads the reply to a query for the end of chain c. An error that is no [Refusal]
// is of the zone: the aliases there have no end.
func (r *Reply) Read(c Chain) (Reading, error) {
	if r.Failed() {
		// One zone may fail on a server in good health. A server that refuses
		// us refuses everything.
		return Reading{}, &Refusal{What: r.Code(), Server: r.Rcode == dns.RcodeRefused}
	}
	before := len(c.names)
	c, err := c.follow(r.Links)
	if err != nil {
		return Reading{}, err
	}
	v := Reading{Determined: true, Chain: c, Records: r.Records}
	switch {
	case len(v.Records) > 0 && r.NoSuchName():
		return Reading{}, &Refusal{What: "contradiction"}
	case len(v.Records) > 0:
		v.TTL = positiveTTL(c, r.TTL)
	case r.NoSuchName():
		v.TTL = negativeTTL(c, r.SOA)
	case len(c.names) > before:
		return r.atAlias(v), nil
	default:
		return r.nodata(v)
	}
	return v, nil
}

// atAlias reads an answer whose last word is an alias. Only a SOA of a zone
// that the target lies in says that the target has no such record; without one
// the server stopped on the way.
func (r *Reply) atAlias(v Reading) Reading {
	v.Determined = r.SOA != nil && Within(r.SOA.Zone, v.Chain.End())
	if v.Determined {
		v.TTL = negativeTTL(v.Chain, r.SOA)
	}
	return v
}

// nodata reads an empty answer: RFC 2308 section 2.2. It is a "no" if it has a
// SOA, or no NS and comes from a server that knows the zone (AA) or asks others
// (RA). Anything else is a server that only says who might know.
func (r *Reply) nodata(v Reading) (Reading, error) {
	switch {
	case r.SOA != nil:
	case r.Referral:
		return Reading{}, &Refusal{What: "referral", Server: true}
	case !r.Authoritative && !r.Recursive:
		return Reading{}, &Refusal{What: "lame reply", Server: true}
	}
	v.TTL = negativeTTL(v.Chain, r.SOA)
	return v, nil
}
