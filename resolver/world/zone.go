package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// zone is what a text says.
type zone struct {
	// records are those of each name. A name that has none but exists, since
	// there are names under it, is there too (RFC 8020).
	records map[string][]dns.RR
	faults  []fault
}

func parseZone(text string) (*zone, error) {
	z := &zone{records: map[string][]dns.RR{".": {}}}
	var records strings.Builder // directives as blank lines, so that the line numbers hold
	n := 0
	for line := range strings.Lines(text) {
		n++
		directive, ok := strings.CutPrefix(line, "!")
		if !ok {
			records.WriteString(line)
			continue
		}
		records.WriteString("\n")
		f, err := parseFault(directive)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		z.faults = append(z.faults, f)
	}
	p := dns.NewZoneParser(strings.NewReader(records.String()), ".", "")
	p.SetDefaultTTL(300)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		z.add(rr)
	}
	if err := p.Err(); err != nil { // has the line
		return nil, fmt.Errorf("zone text: %w", err)
	}
	return z, nil
}

func (z *zone) add(rr dns.RR) {
	owner := asQueried(fold(rr.Header().Name))
	z.records[owner] = append(z.records[owner], rr)
	for _, i := range dns.Split(owner) {
		if parent := owner[i:]; z.records[parent] == nil {
			z.records[parent] = []dns.RR{}
		}
	}
}

// asQueried is a name of the text as queries have it, which may be escaped in another way.
func asQueried(name string) string {
	var wire [256]byte
	if _, err := dns.PackDomainName(name, wire[:], 0, nil, false); err != nil {
		return name
	}
	unpacked, _, err := dns.UnpackDomainName(wire[:], 0)
	if err != nil {
		return name
	}
	return unpacked
}

// sending is what is sent, and when.
type sending struct {
	packets [][]byte
	delay   time.Duration
	drip    time.Duration // between the bytes of a stream; 0: all at once
}

// respond is the reply to a query, on the wire, as the faults spoil it.
func (z *zone) respond(query *dns.Msg, stream bool) sending {
	faults := z.faultsOf(query.Question[0])
	chase := !slices.ContainsFunc(faults, func(f fault) bool { return f.kind == "nochase" })
	r := response{reply: z.answer(query, chase)}
	for _, f := range faults {
		f.spoil(&r, query, stream)
	}
	return sending{r.wire(query, stream), r.delay, r.drip}
}

// answer is the reply of a server that does as it should.
func (z *zone) answer(query *dns.Msg, chase bool) *dns.Msg {
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable = true
	if opt := query.IsEdns0(); opt != nil {
		m.SetEdns0(opt.UDPSize(), false)
	}
	if !query.RecursionDesired {
		m.Rcode = dns.RcodeRefused
		return m
	}
	q := query.Question[0]
	var seen []string
	for name := fold(q.Name); !slices.Contains(seen, name); {
		seen = append(seen, name)
		rrs, exists := z.records[name]
		found, alias := ofType(rrs, q.Qtype), ofType(rrs, dns.TypeCNAME)
		switch {
		case len(found) > 0:
			m.Answer = append(m.Answer, found...)
			return m
		case len(alias) > 0:
			m.Answer = append(m.Answer, alias...)
			if !chase {
				return m
			}
			name = fold(alias[0].(*dns.CNAME).Target)
			continue
		case !exists:
			m.Rcode = dns.RcodeNameError
		}
		m.Ns = []dns.RR{z.soa(name)}
		return m
	}
	return m // a loop
}

func ofType(rrs []dns.RR, t uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype == t {
			found = append(found, rr)
		}
	}
	return found
}

// soa is that of the closest zone of the text above name, or of a root zone
// whose answers may be kept for 60 seconds.
func (z *zone) soa(name string) dns.RR {
	for _, i := range append(dns.Split(name), len(name)-1) {
		if soa := ofType(z.records[name[i:]], dns.TypeSOA); len(soa) > 0 {
			return soa[0]
		}
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
		Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.",
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 60,
	}
}
