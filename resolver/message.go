package resolver

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	// headerSize is that of a DNS message, in bytes; RFC 1035 section 4.1.1.
	headerSize = 12
	// maxMessage is the largest message there is, in bytes: over TCP, RFC 1035
	// section 4.2.2.
	maxMessage = 1<<16 - 1
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

// query is a question as it was sent.
type query struct {
	wire []byte // the message; its one name is not compressed
	// cased: its letters are of random case, and a reply that has not got
	// them so is from somebody who has not seen the question.
	cased bool
}

// newQuery is a question with a fresh ID. With cased, each letter of the name is
// of a case chosen at random, which a server that replies repeats: an attacker who
// does not see the question has to guess them all.
func newQuery(q question, edns, cased bool) (query, error) {
	ask := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true},
		Question: []dns.Question{{Name: q.name, Qtype: q.qtype, Qclass: dns.ClassINET}},
	}
	if edns {
		ask.SetEdns0(ednsSize, false)
	}
	wire, err := ask.Pack()
	if err != nil {
		return query{}, err
	}
	sent := query{wire: wire}
	sent.cased = cased && mixCase(sent.section())
	return sent, nil
}

// mixCase gives each letter of a question's name a case at random, if it has any.
// Upper and lower differ in one bit. The generator of the program is ChaCha8, seeded
// by the system.
func mixCase(section []byte) (some bool) {
	const letterCase = 'a' - 'A'
	var bits uint64
	for i, c := range section[:len(section)-4] {
		if i%64 == 0 {
			bits = rand.Uint64()
		}
		if isLetter(c) {
			section[i] ^= byte(bits&1) * letterCase
			some = true
		}
		bits >>= 1
	}
	return some
}

func isLetter(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }

// lower folds a byte of a name, or a length in one, which is below all letters
// (RFC 4343: ASCII only).
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func (q query) id() uint16 { return binary.BigEndian.Uint16(q.wire) }

// section is the question: name, type, class. It is ours, and well formed.
func (q query) section() []byte {
	end := headerSize
	for q.wire[end] != 0 {
		end += 1 + int(q.wire[end])
	}
	return q.wire[headerSize : end+1+4]
}

// qtype is the type asked for.
func (q query) qtype() uint16 {
	s := q.section()
	return binary.BigEndian.Uint16(s[len(s)-4:])
}

// strangeError is a message that is no reply to our question.
type strangeError struct{ what string }

func (e *strangeError) Error() string { return e.what }

var (
	errMangled = &strangeError{"a mangled reply"}
	errAnother = &strangeError{"a reply to another question"}
	errNames   = &strangeError{"a reply with too many names"}
	// errCase: some servers fold the question before they repeat it.
	errCase = &strangeError{"a reply in another case"}
)

// reply is what is read of a message: what a verdict needs, and no more, however
// much there is in it.
type reply struct {
	rcode         int // with the upper bits of EDNS: RFC 6891 section 6.1.3
	truncated     bool
	authoritative bool
	recursive     bool // recursion is available
	validated     bool // authentic data

	// links are the aliases from the name that was asked for on, one after the
	// other, at most maxLinks and the one too many.
	links []link
	// records are those of the type asked for at the end of the links, in their
	// order, at most MaxRecords and maxBytes and the one too many. ttl is the least
	// of theirs, in seconds.
	records []record
	ttl     uint32

	soa      *soa // the first of the authority section
	referral bool // there is an NS in that
}

// link is an alias.
type link struct {
	target string // absolute, lower case
	ttl    uint32 // in seconds
}

// record is one of those that were asked for: a name, or an address, or, without
// data (RFC 2136 has such) and of other types, neither.
type record struct {
	name string // absolute, lower case
	addr netip.Addr
}

// soa is the part of a SOA that a "no" needs.
type soa struct {
	zone string // absolute, lower case
	// ttl and minimum are in seconds.
	ttl, minimum uint32
}

// failed says that a reply is an error, which may come as the bare header: it
// is never more than "don't know".
func (r *reply) failed() bool {
	return r.rcode != dns.RcodeSuccess && r.rcode != dns.RcodeNameError
}

// parse reads a message that came in answer to a question, or says why it is
// none: RFC 5452 section 9.1. A truncated one need not be whole. It keeps nothing
// of the packet.
func parse(packet []byte, ask query) (*reply, error) {
	if len(packet) < headerSize {
		return nil, errMangled
	}
	flags := binary.BigEndian.Uint16(packet[2:])
	switch {
	case binary.BigEndian.Uint16(packet) != ask.id():
		return nil, &strangeError{"a reply with another ID"}
	case flags>>15 == 0 || flags>>11&0xf != dns.OpcodeQuery:
		return nil, &strangeError{"a message that is no reply"}
	}
	r := &reply{
		rcode: int(flags & 0xf), truncated: flags>>9&1 == 1, authoritative: flags>>10&1 == 1,
		recursive: flags>>7&1 == 1, validated: flags>>5&1 == 1,
	}
	p := parser{packet: packet}
	err := p.sections(r)
	strange := p.asked(ask)
	switch {
	case p.questions == 0 && r.failed(): // who refuses, or cannot read the question, may leave it out
		strange = nil
	case strange != nil && err != nil:
		return nil, errMangled
	}
	switch {
	case strange != nil:
		return nil, strange
	case r.truncated:
		return r, nil
	case err != nil || p.short && !r.failed():
		return nil, errMangled
	case r.failed():
		return r, nil
	}
	if err := p.answer(r, ask.qtype()); err != nil {
		return nil, err
	}
	return r, nil
}

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
func (p *parser) sections(r *reply) error {
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
				r.rcode = r.rcode&0xf | int(one.ttl>>24)<<4
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

// asked is nil if the question of the message is the one that was asked.
func (p *parser) asked(ask query) error {
	want := ask.section()
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
	if ask.cased {
		return errCase
	}
	return nil
}

// answer follows the aliases and keeps the records at their end. The question is
// the first name in a message.
func (p *parser) answer(r *reply, qtype uint16) error {
	end := headerSize
	for len(r.links) <= maxLinks {
		alias, err := p.alias(end)
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
		r.links = append(r.links, link{target, wireTTL(alias.ttl)})
		end = alias.data
	}
	if err := p.records(r, qtype, end); err != nil {
		return err
	}
	return p.authorities(r)
}

// alias is the first CNAME of the answer section that a name has, or the zero rr.
func (p *parser) alias(name int) (rr, error) {
	for _, at := range p.aliases {
		one, err := p.record(int(at))
		if err != nil {
			return rr{}, err
		}
		if one.class != dns.ClassINET || one.data == one.after {
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
func (p *parser) records(r *reply, qtype uint16, name int) error {
	r.ttl = maxWireTTL
	at, size := p.answers.at, 0
	for range p.answers.count {
		one, err := p.record(at)
		if err != nil {
			return err
		}
		at = one.after
		if one.rtype != qtype || one.class != dns.ClassINET {
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
		r.records = append(r.records, rec)
		r.ttl = min(r.ttl, wireTTL(one.ttl))
		size += addrKey{}.size(rec.name)
		if len(r.records) > MaxRecords || size > maxBytes {
			return nil
		}
	}
	return nil
}

// content reads the data of a record.
func (p *parser) content(one rr) (record, error) {
	data := p.packet[one.data:one.after]
	var rec record
	var err error
	switch {
	case len(data) == 0:
	case one.rtype == dns.TypePTR:
		rec.name, err = p.name(one.data)
	case one.rtype == dns.TypeMX:
		rec.name, err = p.name(one.data + preference)
	case one.rtype == dns.TypeA || one.rtype == dns.TypeAAAA:
		rec.addr, _ = netip.AddrFromSlice(data) // record has seen to the length
	}
	return rec, err
}

// authorities reads what a "no" needs of the authority section.
func (p *parser) authorities(r *reply) error {
	at := p.authority.at
	for range p.authority.count {
		one, err := p.record(at)
		if err != nil {
			return err
		}
		at = one.after
		r.referral = r.referral || one.rtype == dns.TypeNS
		if one.rtype != dns.TypeSOA || one.class != dns.ClassINET || r.soa != nil {
			continue
		}
		zone, err := p.name(one.owner)
		if err != nil {
			return err
		}
		r.soa = &soa{zone: zone, ttl: wireTTL(one.ttl)}
		if n, err := p.numbers(one); err == nil && n == soaNumbers {
			r.soa.minimum = binary.BigEndian.Uint32(p.packet[one.after-4:])
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

// fits says that the data of a record has the form of its type. A SOA may end after
// any of its fields, as the DNS library has it.
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

// label is the label at an offset, or where the pointers there lead, and what
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

// same says that two names are the same but for their case. It reads no further
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

// sameText says that two texts are the same but for their case.
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
	return fold(name), nil
}
