// Package message makes the queries that a resolver sends, and reads the messages
// that come back: whoever owns a zone, or sends us a datagram, chooses what these are
// made of. It knows neither sockets nor servers nor caches.
//
// Of a message only what an answer needs is unpacked, and each reading is bounded in
// time and memory. A message that is no reply to the query is a [StrangeError]; what a
// reply says is a [Reading], or a [Refusal] where another server may know more.
//
// This package and the test server alone import the DNS library.
package message

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/miekg/dns"
)

// Types of records, and the class of what servers say of themselves: RFC 1035 section 3.2, RFC
// 3596.
const (
	TypeA    = dns.TypeA
	TypeAAAA = dns.TypeAAAA
	TypeMX   = dns.TypeMX
	TypeNS   = dns.TypeNS
	TypePTR  = dns.TypePTR
	TypeSOA  = dns.TypeSOA
	TypeTXT  = dns.TypeTXT

	ClassChaos = dns.ClassCHAOS
)

// EDNSSize is the largest UDP reply that a query asks for, in bytes: what passes
// every path unfragmented (DNS flag day 2020; RFC 9715 section 3.1).
const EDNSSize = 1232

// Query is what a server is to answer.
type Query struct {
	Name  string // absolute, lower case
	Type  uint16
	Class uint16 // 0: IN
}

// Packet is a query as it is sent.
type Packet struct {
	Bytes []byte // the message; its one name is not compressed
	// Cased: its letters are of random case, and a reply that has not got
	// them so is from somebody who has not seen the query.
	Cased bool
}

// Pack makes a packet with a fresh ID. With cased, each letter of the name is
// of a case chosen at random, which a server that replies repeats: an attacker who
// does not see the query has to guess them all.
func (q Query) Pack(edns, cased bool) (Packet, error) {
	class := q.Class
	if class == 0 {
		class = dns.ClassINET
	}
	m := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true},
		Question: []dns.Question{{Name: q.Name, Qtype: q.Type, Qclass: class}},
	}
	if edns {
		m.SetEdns0(EDNSSize, false)
	}
	wire, err := m.Pack()
	if err != nil {
		return Packet{}, err
	}
	p := Packet{Bytes: wire}
	p.Cased = cased && mixCase(p.section())
	return p, nil
}

// WantValidated sets AD, which says that AD in the reply is understood: RFC 6840
// section 5.7.
func (p Packet) WantValidated() { p.Bytes[3] |= 1 << 5 }

// mixCase gives each letter of a query's name a case at random, if it has any.
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

func (p Packet) id() uint16 { return binary.BigEndian.Uint16(p.Bytes) }

// section is the question section: name, type, class. It is ours, and well formed.
func (p Packet) section() []byte {
	end := headerSize
	for p.Bytes[end] != 0 {
		end += 1 + int(p.Bytes[end])
	}
	return p.Bytes[headerSize : end+1+4]
}

// form is the type and the class that are queried.
func (p Packet) form() (rtype, class uint16) {
	s := p.section()
	return binary.BigEndian.Uint16(s[len(s)-4:]), binary.BigEndian.Uint16(s[len(s)-2:])
}
