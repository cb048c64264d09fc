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

// follow goes as far along the CNAMEs of an answer, in whatever order they
// are, as they lead.
func (c chain) follow(answer []dns.RR) (chain, error) {
	links := make(map[string]*dns.CNAME)
	for _, rr := range answer {
		if cname, ok := rr.(*dns.CNAME); ok && cname.Hdr.Class == dns.ClassINET && cname.Target != "" {
			owner := fold(cname.Hdr.Name)
			if links[owner] == nil {
				links[owner] = cname
			}
		}
	}
	for {
		cname := links[c.end()]
		if cname == nil {
			return c, nil
		}
		target := fold(cname.Target)
		if slices.Contains(c.names, target) {
			return c, fmt.Errorf("CNAME loop at %.60q", target)
		}
		if len(c.names) > maxLinks {
			return c, fmt.Errorf("more than %d CNAMEs at %.60q", maxLinks, target)
		}
		c.names = append(slices.Clip(c.names), target)
		c.ttl = min(c.ttl, wireTTL(cname))
	}
}

// verdict is what a reply says of a question.
type verdict struct {
	// outcome is NotAsked if the reply stops in mid-chain: the end of the
	// chain is to be asked for.
	outcome Outcome
	chain   chain
	records []dns.RR // of the type asked for, at the chain's end
	ttl     time.Duration
	err     error // with TempError
}

// digest reads the reply to a question for the end of chain c. An error says
// that another server may know more.
func digest(m *dns.Msg, qtype uint16, c chain) (verdict, error) {
	if failed(m) {
		// One zone may fail on a server in good health. A server that refuses
		// us refuses everything.
		return verdict{}, &failing{err: errors.New(rcode(m.Rcode)), ill: m.Rcode == dns.RcodeRefused}
	}
	before := len(c.names)
	c, err := c.follow(m.Answer)
	if err != nil {
		return verdict{outcome: TempError, err: err}, nil
	}
	v := verdict{chain: c}
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Rrtype == qtype && h.Class == dns.ClassINET && fold(h.Name) == c.end() {
			v.records = append(v.records, rr)
		}
	}
	switch {
	case len(v.records) > 0 && m.Rcode == dns.RcodeNameError:
		return verdict{}, &failing{err: errors.New("contradiction")}
	case len(v.records) > 0:
		v.outcome, v.ttl = Found, positiveTTL(c, v.records)
		return v, nil
	case m.Rcode == dns.RcodeNameError:
		v.outcome, v.ttl = None, negativeTTL(c, authority(m))
		return v, nil
	case len(c.names) > before:
		return atAlias(m, v)
	}
	return nodata(m, v)
}

// atAlias reads an answer whose last word is an alias. Only a SOA of a zone
// that the target lies in says that the target has no such record; without one
// the server stopped on the way.
func atAlias(m *dns.Msg, v verdict) (verdict, error) {
	soa := authority(m)
	if soa == nil || !dns.IsSubDomain(soa.Hdr.Name, v.chain.end()) {
		return v, nil
	}
	v.outcome, v.ttl = None, negativeTTL(v.chain, soa)
	return v, nil
}

// nodata reads an empty answer: RFC 2308 section 2.2. It is a "no" if it has a
// SOA, or no NS and comes from a server that knows the zone (AA) or asks others
// (RA). Anything else is a server that only says who might know.
func nodata(m *dns.Msg, v verdict) (verdict, error) {
	soa := authority(m)
	isNS := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS }
	switch {
	case soa != nil:
	case slices.ContainsFunc(m.Ns, isNS):
		return verdict{}, &failing{err: errors.New("referral"), ill: true}
	case !m.Authoritative && !m.RecursionAvailable:
		return verdict{}, &failing{err: errors.New("lame reply"), ill: true}
	}
	v.outcome, v.ttl = None, negativeTTL(v.chain, soa)
	return v, nil
}

// authority is the SOA that goes with a negative answer; nil if there is none.
func authority(m *dns.Msg) *dns.SOA {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok && soa.Hdr.Class == dns.ClassINET {
			return soa
		}
	}
	return nil
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
