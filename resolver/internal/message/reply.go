package message

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// StrangeError is a message that is no reply to the query.
type StrangeError struct{ What string }

func (e *StrangeError) Error() string { return e.What }

var (
	errMangled = &StrangeError{"a mangled reply"}
	errAnother = &StrangeError{"a reply to another query"}
	errNames   = &StrangeError{"a reply with too many names"}
	// ErrCase: some servers fold the query before they repeat it.
	ErrCase = &StrangeError{"a reply in another case"}
)

// Reply is what is read of a message: what a verdict needs, and no more, however
// much there is in it.
type Reply struct {
	Rcode         int // with the upper bits of EDNS: RFC 6891 section 6.1.3
	Truncated     bool
	Authoritative bool
	Recursive     bool // recursion is available
	Validated     bool // authentic data

	// Links are the aliases from the queried name on, one after the other, at most
	// MaxLinks and the one too many.
	Links []Link
	// Records are those of the queried type at the end of the links, in their order,
	// at most MaxRecords and maxBytes and the one too many. TTL is the least of
	// theirs, in seconds.
	Records []Record
	TTL     uint32

	SOA      *SOA // the first of the authority section
	Referral bool // there is an NS in that
}

// Link is an alias.
type Link struct {
	Target string // absolute, lower case
	TTL    uint32 // in seconds
}

// Record is one of those that were queried: a name, an address or a text, or, without
// data (RFC 2136 has such) and of other types, none of these.
type Record struct {
	Name string // absolute, lower case
	Addr netip.Addr
	// Text is the strings of a TXT, of any bytes, one after the other: RFC 7208 section
	// 3.3.
	Text string
}

// SOA is the part of a SOA that a "no" needs.
type SOA struct {
	Zone string // absolute, lower case
	// TTL and Minimum are in seconds.
	TTL, Minimum uint32
}

// Failed reports whether a reply is an error, which may come as the bare header: it
// is never more than "don't know".
func (r *Reply) Failed() bool {
	return r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError
}

// NoSuchName reports whether the reply says that the name does not exist.
func (r *Reply) NoSuchName() bool { return r.Rcode == dns.RcodeNameError }

// Misunderstood reports whether the server could not read the query, as servers do
// that do not know EDNS.
func (r *Reply) Misunderstood() bool {
	return r.Rcode == dns.RcodeFormatError || r.Rcode == dns.RcodeNotImplemented
}

// Code is the name of the response code, or its number.
func (r *Reply) Code() string {
	if r.Rcode == dns.RcodeBadVers { // shares its number with BADSIG, of TSIG
		return "BADVERS"
	}
	if s, ok := dns.RcodeToString[r.Rcode]; ok {
		return s
	}
	return fmt.Sprintf("RCODE%d", r.Rcode)
}

// Parse reads a message that came in answer to a query, or says why it is
// none: RFC 5452 section 9.1. A truncated one need not be whole. It keeps nothing
// of the packet.
func Parse(packet []byte, sent Packet) (*Reply, error) {
	if len(packet) < headerSize {
		return nil, errMangled
	}
	flags := binary.BigEndian.Uint16(packet[2:])
	switch {
	case binary.BigEndian.Uint16(packet) != sent.id():
		return nil, &StrangeError{"a reply with another ID"}
	case flags>>15 == 0 || flags>>11&0xf != dns.OpcodeQuery:
		return nil, &StrangeError{"a message that is no reply"}
	}
	r := &Reply{
		Rcode: int(flags & 0xf), Truncated: flags>>9&1 == 1, Authoritative: flags>>10&1 == 1,
		Recursive: flags>>7&1 == 1, Validated: flags>>5&1 == 1,
	}
	p := parser{packet: packet}
	err := p.sections(r)
	strange := p.queried(sent)
	switch {
	case p.questions == 0 && r.Failed(): // who refuses, or cannot read the query, may leave it out
		strange = nil
	case strange != nil && err != nil:
		return nil, errMangled
	}
	switch {
	case strange != nil:
		return nil, strange
	case r.Truncated:
		return r, nil
	case err != nil || p.short && !r.Failed():
		return nil, errMangled
	case r.Failed():
		return r, nil
	}
	if err := p.answer(r, sent); err != nil {
		return nil, err
	}
	if len(r.Records) == 0 && !sound(packet) {
		return nil, errMangled
	}
	return r, nil
}

// maxUnpacked is the largest message that is unpacked whole, in bytes: out of it one of 64
// KiB may take megabytes. An honest "no" has a chain of aliases and the
// SOA of the zone.
const maxUnpacked = 4096

// sound reports whether all of a message can be read, the records too that nobody asked for:
// a message in which anything is broken is no word of the server that there is nothing. What
// is too large to be unpacked is read as far as it is of use.
func sound(packet []byte) bool {
	return len(packet) > maxUnpacked || new(dns.Msg).Unpack(packet) == nil
}
