package resolver

import (
	"net/netip"

	"policyd-rdns/resolver/internal/message"
)

// key is one query as the cache knows it, R what answers it.
type key[R any] interface {
	comparable
	query() message.Query
	// records keeps what it may of the records of a reply; size is the bytes of memory
	// that it takes.
	records([]message.Record) (kept []R, size int, more bool)
}

// addrKey is the query for the names of an address (PTR): 16 bytes, IPv4 as
// IPv4-mapped.
type addrKey [16]byte

func (k addrKey) query() message.Query {
	return message.Query{Name: message.Reverse(netip.AddrFrom16(k)), Type: message.TypePTR}
}

func (k addrKey) records(r []message.Record) ([]string, int, bool) { return message.Names(r) }

// hostKey is the query for the addresses of a name (A, AAAA).
type hostKey struct {
	name  string // lower case, without the final dot
	qtype uint16
}

func (k hostKey) query() message.Query { return message.Query{Name: k.name + ".", Type: k.qtype} }

func (k hostKey) records(r []message.Record) ([]netip.Addr, int, bool) { return message.Addrs(r) }

// textKey is the query for what a domain publishes about its mail: texts (TXT), or the
// hosts that take it (MX).
type textKey struct {
	name  string // lower case, without the final dot
	qtype uint16
}

func (k textKey) query() message.Query { return message.Query{Name: k.name + ".", Type: k.qtype} }

func (k textKey) records(r []message.Record) ([]string, int, bool) {
	if k.qtype == message.TypeMX {
		return message.Exchangers(r)
	}
	return message.Texts(r)
}
