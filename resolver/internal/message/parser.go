package message

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	// headerSize is that of a DNS message, in bytes; RFC 1035 section 4.1.1.
	headerSize = 12
	// MaxSize is the largest message there is, in bytes: over TCP, RFC 1035
	// section 4.2.2.
	MaxSize = 1<<16 - 1
	// maxName is the longest name, in bytes as it is sent; RFC 1035 section
	// 2.3.4.
	maxName = 255
	// maxPointers bounds the pointers from one label to the next: more than there
	// can be labels. Honest ones have one.
	maxPointers = maxName / 2
	// maxCompared bounds what it may cost to compare names while one message is
	// read: labelCost for each label, which is what finding it takes, and one for
	// each byte. Thousands of records of others are within it, as long as they do
	// not differ at the last label only.
	maxCompared = 1 << 17
	labelCost   = 8
)

// parser walks through a message. Names are read where they are, and only those
// that are of use are unpacked: a name of 255 bytes that takes two in the message
// may take a thousand out of it, and a message has room for thousands.
type parser struct {
	packet    []byte
	questions int
	aliases   []uint16 // where the CNAMEs of the answer section are
	short     bool     // the message ended before all that the header promises
	compared  int      // see maxCompared
	answers   section
	authority section
}

// section is where the records of a section begin, and how many they are.
type section struct{ at, count int }

// rr is where a resource record is: RFC 1035 section 4.1.3.
type rr struct {
	owner       int // offset
	rtype       uint16
	class       uint16
	ttl         uint32
	data, after int // offsets of its data and of what follows
}

// sections finds out where the sections are, whether all records are whole, and
// what EDNS says. A message that ends between two records is short, which is no
// error here.
func (p *parser) sections(r *Reply) error {
	at := headerSize
	count := func(i int) int { return int(binary.BigEndian.Uint16(p.packet[4+2*i:])) }
	for range count(0) {
		if at == len(p.packet) {
			p.short = true
			return nil
		}
		end, err := p.skip(at)
		if err != nil || end+4 > len(p.packet) {
			return errMangled
		}
		at = end + 4
		p.questions++
	}
	for i := 1; i <= 3; i++ {
		s := section{at: at}
		for range count(i) {
			if at == len(p.packet) {
				p.short = true
				return nil
			}
			one, err := p.record(at)
			if err != nil {
				return err
			}
			switch {
			case i == 1 && one.rtype == dns.TypeCNAME:
				p.aliases = append(p.aliases, uint16(at))
			case i == 3 && one.rtype == dns.TypeOPT:
				r.Rcode = r.Rcode&0xf | int(one.ttl>>24)<<4
			}
			at = one.after
			s.count++
		}
		switch i {
		case 1:
			p.answers = s
		case 2:
			p.authority = s
		}
	}
	return nil
}

// queried is nil if the question section is that of the query.
func (p *parser) queried(sent Packet) error {
	want := sent.section()
	if p.questions != 1 || len(p.packet) < headerSize+len(want) {
		return errAnother
	}
	got := p.packet[headerSize : headerSize+len(want)]
	if bytes.Equal(got, want) {
		return nil
	}
	name := len(want) - 4
	if !sameText(got[:name], want[:name]) || !bytes.Equal(got[name:], want[name:]) {
		return errAnother
	}
	if sent.Cased {
		return ErrCase
	}
	return nil
}

// answer follows the aliases and keeps the records at their end. What was queried
// is the first name in a message.
func (p *parser) answer(r *Reply, sent Packet) error {
	qtype, class := sent.form()
	end := headerSize
	for len(r.Links) <= maxLinks {
		alias, err := p.alias(end, class)
		if err != nil {
			return err
		}
		if alias == (rr{}) {
			break
		}
		target, err := p.name(alias.data)
		if err != nil {
			return err
		}
		r.Links = append(r.Links, Link{target, wireTTL(alias.ttl)})
		end = alias.data
	}
	if err := p.records(r, qtype, class, end); err != nil {
		return err
	}
	return p.authorities(r)
}

// alias is the first CNAME of the answer section that a name has, or the zero rr.
func (p *parser) alias(name int, class uint16) (rr, error) {
	for _, at := range p.aliases {
		one, err := p.record(int(at))
		if err != nil {
			return rr{}, err
		}
		if one.class != class || one.data == one.after {
			continue
		}
		same, err := p.same(one.owner, name)
		if err != nil || same {
			return one, err
		}
	}
	return rr{}, nil
}

// records keeps those of a type that a name has.
func (p *parser) records(r *Reply, qtype, class uint16, name int) error {
	r.TTL = maxWireTTL
	at, size := p.answers.at, 0
	for range p.answers.count {
		one, err := p.record(at)
		if err != nil {
			return err
		}
		at = one.after
		if one.rtype != qtype || one.class != class {
			continue
		}
		same, err := p.same(one.owner, name)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		rec, err := p.content(one)
		if err != nil {
			return err
		}
		r.Records = append(r.Records, rec)
		r.TTL = min(r.TTL, wireTTL(one.ttl))
		size += nameSize(rec.Name) + len(rec.Text)
		if len(r.Records) > MaxRecords || size > maxBytes {
			return nil
		}
	}
	return nil
}

// content reads the data of a record.
func (p *parser) content(one rr) (Record, error) {
	data := p.packet[one.data:one.after]
	var rec Record
	var err error
	switch {
	case len(data) == 0:
	case one.rtype == dns.TypePTR:
		rec.Name, err = p.name(one.data)
	case one.rtype == dns.TypeMX && len(data) > preference:
		rec.Name, err = p.name(one.data + preference)
	case one.rtype == dns.TypeTXT:
		rec.Text, err = text(data)
	case one.rtype == dns.TypeA || one.rtype == dns.TypeAAAA:
		rec.Addr, _ = netip.AddrFromSlice(data) // record has seen to the length
	}
	return rec, err
}

// authorities reads what a "no" needs of the authority section.
func (p *parser) authorities(r *Reply) error {
	at := p.authority.at
	for range p.authority.count {
		one, err := p.record(at)
		if err != nil {
			return err
		}
		at = one.after
		r.Referral = r.Referral || one.rtype == dns.TypeNS
		if one.rtype != dns.TypeSOA || one.class != dns.ClassINET || r.SOA != nil {
			continue
		}
		zone, err := p.name(one.owner)
		if err != nil {
			return err
		}
		r.SOA = &SOA{Zone: zone, TTL: wireTTL(one.ttl)}
		if n, err := p.numbers(one); err == nil && n == soaNumbers {
			r.SOA.Minimum = binary.BigEndian.Uint32(p.packet[one.after-4:])
		}
	}
	return nil
}

// record finds out where a resource record is. It is an error if it is not whole,
// or if its data cannot be what its type says, as far as we read that type.
func (p *parser) record(at int) (rr, error) {
	const fixed = 10 // type, class, TTL, length of the data
	end, err := p.skip(at)
	if err != nil || end+fixed > len(p.packet) {
		return rr{}, errMangled
	}
	b := p.packet[end:]
	one := rr{
		owner: at, rtype: binary.BigEndian.Uint16(b), class: binary.BigEndian.Uint16(b[2:]),
		ttl: binary.BigEndian.Uint32(b[4:]), data: end + fixed,
	}
	size := int(binary.BigEndian.Uint16(b[8:]))
	one.after = one.data + size
	if one.after > len(p.packet) {
		return rr{}, errMangled
	}
	if size > 0 && !p.fits(one) {
		return rr{}, errMangled
	}
	return one, nil
}

// preference is the size of what an MX record has before its name, in bytes; RFC 1035
// section 3.3.9.
const preference = 2

// fits reports whether the data of a record has the form of its type. A SOA and an MX may
// end after any of their fields, as the DNS library has it.
func (p *parser) fits(one rr) bool {
	switch one.rtype {
	case dns.TypeA:
		return one.after-one.data == 4
	case dns.TypeAAAA:
		return one.after-one.data == 16
	case dns.TypePTR, dns.TypeCNAME, dns.TypeNS:
		end, err := p.skip(one.data)
		return err == nil && end == one.after
	case dns.TypeMX:
		if one.after-one.data == preference {
			return true
		}
		end, err := p.skip(one.data + preference)
		return err == nil && end == one.after
	case dns.TypeSOA:
		rest, err := p.numbers(one)
		return err == nil && rest >= 0 && rest <= soaNumbers && rest%4 == 0
	}
	return true
}

// soaNumbers is the size of what follows the names in a SOA: serial, refresh, retry,
// expire, minimum; RFC 1035 section 3.3.13.
const soaNumbers = 5 * 4

// numbers is how many bytes there are of them.
func (p *parser) numbers(soa rr) (int, error) {
	at := soa.data
	for range 2 {
		if at == soa.after {
			break
		}
		end, err := p.skip(at)
		if err != nil {
			return 0, err
		}
		at = end
	}
	return soa.after - at, nil
}

// skip is what follows a name. A pointer ends it: RFC 1035 section 4.1.4.
func (p *parser) skip(at int) (int, error) {
	for begin := at; at < len(p.packet) && at-begin < maxName; {
		c := int(p.packet[at])
		switch {
		case c == 0:
			return at + 1, nil
		case c >= 0xc0 && at+1 < len(p.packet):
			return at + 2, nil
		case c >= 0x40: // reserved
			return 0, errMangled
		}
		at += 1 + c
	}
	return 0, errMangled
}

// label is the label at an offset, or where the pointers there lead to, and what
// follows it; that of the root has no bytes.
func (p *parser) label(at int) (text []byte, next int, err error) {
	for hops := 0; at+1 < len(p.packet) && p.packet[at] >= 0xc0; hops++ {
		at = int(binary.BigEndian.Uint16(p.packet[at:]) & 0x3fff)
		if p.compared++; hops == maxPointers {
			return nil, 0, errMangled
		}
	}
	if at >= len(p.packet) {
		return nil, 0, errMangled
	}
	next = at + 1 + int(p.packet[at])
	if p.packet[at] >= 0x40 || next > len(p.packet) {
		return nil, 0, errMangled
	}
	return p.packet[at+1 : next], next, nil
}

// same reports whether two names are the same but for their case. It reads no further
// than to the first difference.
func (p *parser) same(a, b int) (bool, error) {
	for size := 0; size < maxName; {
		x, nextA, err := p.label(a)
		if err != nil {
			return false, err
		}
		y, nextB, err := p.label(b)
		if err != nil {
			return false, err
		}
		if p.compared += labelCost + len(x); p.compared > maxCompared {
			return false, errNames
		}
		if !sameText(x, y) {
			return false, nil
		}
		if len(x) == 0 || nextA == nextB { // the rest is in the same place
			return true, nil
		}
		size += 1 + len(x)
		a, b = nextA, nextB
	}
	return false, errMangled
}

// sameText reports whether two texts are the same but for their case.
func sameText(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// name unpacks a name: absolute, in lower case.
func (p *parser) name(at int) (string, error) {
	name, _, err := dns.UnpackDomainName(p.packet, at)
	if err != nil {
		return "", errMangled
	}
	return Fold(name), nil
}
