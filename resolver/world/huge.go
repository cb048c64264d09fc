package world

import (
	"bytes"
	"encoding/binary"

	"github.com/miekg/dns"
)

// maxHuge is how many bytes a huge reply has at most: what a resolver in front of
// the one who made it adds has to fit, too.
const maxHuge = dns.MaxMsgSize - 600

// huge is a reply that takes a hundred times its size when it is unpacked: an alias
// of 255 bytes, none of which can be printed, and thousands of records there, each
// with two bytes for its name.
func huge(query *dns.Msg) ([]byte, error) {
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable = true
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	const question = headerSize // the offset of its name
	put := func(owner int, rtype uint16, data []byte) (at int) {
		wire = append(wire, 0xc0|byte(owner>>8), byte(owner)) // a pointer: RFC 1035 section 4.1.4
		wire = binary.BigEndian.AppendUint16(wire, rtype)
		wire = binary.BigEndian.AppendUint16(wire, dns.ClassINET)
		wire = binary.BigEndian.AppendUint32(wire, 60)
		wire = binary.BigEndian.AppendUint16(wire, uint16(len(data)))
		at = len(wire)
		wire = append(wire, data...)
		return at
	}
	label := func(n int) []byte { return append([]byte{byte(n)}, bytes.Repeat([]byte{0xff}, n)...) }
	long := put(question, dns.TypeCNAME, bytes.Join([][]byte{label(63), label(63), label(63), label(61), {0}}, nil))
	n := uint16(1)
	for ; len(wire) < maxHuge; n++ {
		number := []byte{0x80 | byte(n>>7), 0x80 | byte(n)}
		switch rtype := query.Question[0].Qtype; rtype {
		case dns.TypePTR:
			second := long + 64
			put(long, rtype, append([]byte{2}, append(number, 0xc0|byte(second>>8), byte(second))...))
		case dns.TypeTXT:
			put(long, rtype, append([]byte{2}, number...))
		case dns.TypeMX:
			second := long + 64
			put(long, rtype, append([]byte{0, 1, 2}, append(number, 0xc0|byte(second>>8), byte(second))...))
		case dns.TypeA:
			put(long, rtype, append([]byte{198, 51}, number...))
		default:
			put(long, rtype, append([]byte{0x20, 0x01, 0x0d, 0xb8, 15: 0}[:14], number...))
		}
	}
	binary.BigEndian.PutUint16(wire[6:], n) // RFC 1035 section 4.1.1
	return wire, nil
}
