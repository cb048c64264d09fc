package zone

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"policyd-rdns/cmd/policybench/internal/crowd"
)

// Zone answers queries. It is safe for concurrent use.
type Zone struct {
	Crowd crowd.Crowd
	TTL   time.Duration // of all records; whole seconds
	// Shares of the names that fail, of the replies over UDP that are cut, and
	// of the datagrams that are lost.
	Servfail, Truncate, Loss Share

	counts counts
}

// StatsName is where the TXT record with the counts is.
const StatsName = "stats.invalid."

// errQuery is what is no query to a recursive server.
var errQuery = errors.New("not one query")

// answer appends the reply to a query; the error says that there is none.
// stream: it came over TCP.
func (z *Zone) answer(reply, query []byte, stream bool) ([]byte, error) {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	if h.Response || h.OpCode != 0 {
		return nil, errQuery
	}
	queried := q // its case goes back as it came, which the client may look at
	fold(&q.Name)
	head := dnsmessage.Header{
		ID: h.ID, Response: true, RecursionDesired: h.RecursionDesired, RecursionAvailable: true,
	}
	if q.Name.String() == StatsName {
		return z.statsReply(reply, head, queried)
	}
	z.counts.query(q.Type, stream)
	name := q.Name.Data[:q.Name.Length]
	switch {
	case z.Servfail.falls(z.Crowd.Seed, 1, name):
		z.counts.servfail.Add(1)
		head.RCode = dnsmessage.RCodeServerFailure
		return z.bare(reply, head, queried)
	case !stream && z.Truncate.falls(z.Crowd.Seed, 2, name):
		z.counts.truncated.Add(1)
		head.Truncated = true
		return z.bare(reply, head, queried)
	}
	return z.records(reply, head, queried, q)
}

// fold makes a name lower case: RFC 4343.
func fold(n *dnsmessage.Name) {
	for i, c := range n.Data[:n.Length] {
		if 'A' <= c && c <= 'Z' {
			n.Data[i] = c + 'a' - 'A'
		}
	}
}

// bare is a reply without records.
func (z *Zone) bare(reply []byte, head dnsmessage.Header, q dnsmessage.Question) ([]byte, error) {
	b := dnsmessage.NewBuilder(reply, head)
	return finish(&b, question(&b, q))
}

func question(b *dnsmessage.Builder, q dnsmessage.Question) error {
	return errors.Join(b.StartQuestions(), b.Question(q))
}

func finish(b *dnsmessage.Builder, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return b.Finish()
}

// records is what the crowd says to a query as it came and in lower case.
func (z *Zone) records(reply []byte, head dnsmessage.Header, queried, q dnsmessage.Question) ([]byte, error) {
	var found record
	exists := z.find(&found, &q)
	if !exists {
		head.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(reply, head)
	if err := question(&b, queried); err != nil {
		return nil, err
	}
	r := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: uint32(z.TTL / time.Second)}
	if found.kind == 0 {
		return finish(&b, z.soa(&b, r))
	}
	err := b.StartAnswers()
	switch found.kind {
	case dnsmessage.TypePTR:
		err = errors.Join(err, b.PTRResource(r, dnsmessage.PTRResource{PTR: found.name}))
	case dnsmessage.TypeA:
		err = errors.Join(err, b.AResource(r, dnsmessage.AResource{A: found.addr.As4()}))
	case dnsmessage.TypeAAAA:
		err = errors.Join(err, b.AAAAResource(r, dnsmessage.AAAAResource{AAAA: found.addr.As16()}))
	}
	return finish(&b, err)
}

// soa has a "no" kept as long as a record: RFC 2308 section 5.
func (z *Zone) soa(b *dnsmessage.Builder, r dnsmessage.ResourceHeader) error {
	r.Name = dnsmessage.MustNewName("invalid.")
	return errors.Join(b.StartAuthorities(), b.SOAResource(r, dnsmessage.SOAResource{NS: r.Name, MBox: r.Name, MinTTL: r.TTL}))
}

// record is what answers a query; of no kind, if nothing does.
type record struct {
	kind dnsmessage.Type
	name dnsmessage.Name
	addr netip.Addr
}

// find looks a query up, and reports whether the name exists.
func (z *Zone) find(r *record, q *dnsmessage.Question) (exists bool) {
	name := bytes.TrimSuffix(q.Name.Data[:q.Name.Length], []byte{'.'})
	if addr := reversed(name); addr.IsValid() {
		n, ok := crowd.Number(addr)
		if !ok {
			return false
		}
		family := familyOf(addr)
		host := z.Crowd.AppendName(r.name.Data[:0], n, family)
		if len(host) == 0 {
			return false
		}
		if q.Type == dnsmessage.TypePTR {
			r.kind = q.Type
			r.name.Length = uint8(len(append(host, '.')))
		}
		return true
	}
	if len(name) == 0 {
		return true // the root
	}
	in4, in6 := z.Crowd.ResolvesTo(name, crowd.IPv4), z.Crowd.ResolvesTo(name, crowd.IPv6)
	switch {
	case q.Type == dnsmessage.TypeA && in4.IsValid():
		r.kind, r.addr = q.Type, in4
	case q.Type == dnsmessage.TypeAAAA && in6.IsValid():
		r.kind, r.addr = q.Type, in6
	}
	return in4.IsValid() || in6.IsValid()
}

func familyOf(addr netip.Addr) crowd.Family {
	if addr.Is4() {
		return crowd.IPv4
	}
	return crowd.IPv6
}

// reversed is the address that a name of the reverse zones is about, not valid
// for every other name: RFC 1035 section 3.5, RFC 3596 section 2.5.
func reversed(name []byte) netip.Addr {
	if labels, ok := bytes.CutSuffix(name, []byte(".in-addr.arpa")); ok {
		var a [4]byte
		for i := len(a) - 1; i >= 0; i-- {
			label, rest, more := bytes.Cut(labels, []byte{'.'})
			octet, ok := decimal(label)
			if !ok || more != (i > 0) {
				return netip.Addr{}
			}
			a[i], labels = octet, rest
		}
		return netip.AddrFrom4(a)
	}
	labels, ok := bytes.CutSuffix(name, []byte(".ip6.arpa"))
	if !ok || len(labels) != 63 {
		return netip.Addr{}
	}
	var digits [32]byte
	for i := range digits {
		digits[31-i] = labels[2*i]
		if i > 0 && labels[2*i-1] != '.' {
			return netip.Addr{}
		}
	}
	var a [16]byte
	if _, err := hex.Decode(a[:], digits[:]); err != nil {
		return netip.Addr{}
	}
	return netip.AddrFrom16(a)
}

// decimal reads an octet in its one form.
func decimal(label []byte) (octet byte, ok bool) {
	n := 0
	for _, d := range label {
		if d < '0' || d > '9' || len(label) > 3 {
			return 0, false
		}
		n = 10*n + int(d-'0')
	}
	return byte(n), n <= 255 && len(label) > 0 && (label[0] != '0' || len(label) == 1)
}
