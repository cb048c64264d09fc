package resolver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxLinks bounds the CNAMEs between a name and its records. Who owns the zone
// chooses how many there are; eight are more than honest zones need.
const maxLinks = 8

// chain is the way from the name that was asked for along its aliases
// (RFC 1034 section 3.6.2; RFC 2317 puts them into reverse zones).
type chain struct {
	names []string // absolute, lower case; the first was asked for, the last is the end
	ttl   uint32   // the least on the way, in seconds
}

func newChain(name string) chain { return chain{names: []string{name}, ttl: maxWireTTL} }

func (c chain) end() string { return c.names[len(c.names)-1] }

// follow goes along the aliases of a reply.
func (c chain) follow(links []link) (chain, error) {
	for _, l := range links {
		if slices.Contains(c.names, l.target) {
			return c, fmt.Errorf("CNAME loop at %.60q", l.target)
		}
		if len(c.names) > maxLinks {
			return c, fmt.Errorf("more than %d CNAMEs at %.60q", maxLinks, l.target)
		}
		c.names = append(slices.Clip(c.names), l.target)
		c.ttl = min(c.ttl, l.ttl)
	}
	return c, nil
}

// verdict is what a reply says of a question.
type verdict struct {
	// outcome is NotAsked if the reply stops in mid-chain: the end of the
	// chain is to be asked for.
	outcome Outcome
	chain   chain
	records []record // of the type asked for, at the chain's end
	ttl     time.Duration
	err     error // with TempError
}

// digest reads the reply to a question for the end of chain c. An error says
// that another server may know more.
func digest(m *reply, c chain) (verdict, error) {
	if m.failed() {
		// One zone may fail on a server in good health. A server that refuses
		// us refuses everything.
		return verdict{}, &failing{err: errors.New(rcode(m.rcode)), ill: m.rcode == dns.RcodeRefused}
	}
	before := len(c.names)
	c, err := c.follow(m.links)
	if err != nil {
		return verdict{outcome: TempError, err: err}, nil
	}
	v := verdict{chain: c, records: m.records}
	switch {
	case len(v.records) > 0 && m.rcode == dns.RcodeNameError:
		return verdict{}, &failing{err: errors.New("contradiction")}
	case len(v.records) > 0:
		v.outcome, v.ttl = Found, positiveTTL(c, m.ttl)
		return v, nil
	case m.rcode == dns.RcodeNameError:
		v.outcome, v.ttl = None, negativeTTL(c, m.soa)
		return v, nil
	case len(c.names) > before:
		return atAlias(m, v)
	}
	return nodata(m, v)
}

// atAlias reads an answer whose last word is an alias. Only a SOA of a zone
// that the target lies in says that the target has no such record; without one
// the server stopped on the way.
func atAlias(m *reply, v verdict) (verdict, error) {
	if m.soa == nil || !dns.IsSubDomain(m.soa.zone, v.chain.end()) {
		return v, nil
	}
	v.outcome, v.ttl = None, negativeTTL(v.chain, m.soa)
	return v, nil
}

// nodata reads an empty answer: RFC 2308 section 2.2. It is a "no" if it has a
// SOA, or no NS and comes from a server that knows the zone (AA) or asks others
// (RA). Anything else is a server that only says who might know.
func nodata(m *reply, v verdict) (verdict, error) {
	switch {
	case m.soa != nil:
	case m.referral:
		return verdict{}, &failing{err: errors.New("referral"), ill: true}
	case !m.authoritative && !m.recursive:
		return verdict{}, &failing{err: errors.New("lame reply"), ill: true}
	}
	v.outcome, v.ttl = None, negativeTTL(v.chain, m.soa)
	return v, nil
}

// rcode is the name of a response code, or its number.
func rcode(n int) string {
	if n == dns.RcodeBadVers { // shares its number with BADSIG, of TSIG
		return "BADVERS"
	}
	if s, ok := dns.RcodeToString[n]; ok {
		return s
	}
	return fmt.Sprintf("RCODE%d", n)
}

// fold brings a name into the one form that we compare: lower case (RFC 4343:
// ASCII only) and absolute.
func fold(name string) string { return dns.CanonicalName(name) }

// relative is a name for people: without the final dot; the root stays ".".
func relative(name string) string {
	if name == "." || !dns.IsFqdn(name) {
		return name
	}
	return strings.TrimSuffix(name, ".")
}
