package resolver

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// key is one question as the cache knows it, R what answers it.
type key[R any] interface {
	comparable
	question() question
	// record reads a record; not ok: there is nothing in it.
	record(record) (_ R, ok bool)
	// size is how many bytes of memory a record takes.
	size(R) int
}

// addrKey asks for the names of an address (PTR): 16 bytes, IPv4 as
// IPv4-mapped.
type addrKey [16]byte

func (k addrKey) question() question {
	// Only a text that is no address is an error; IPv4-mapped is read as IPv4.
	name, _ := dns.ReverseAddr(netip.AddrFrom16(k).String())
	return question{name, dns.TypePTR}
}

func (k addrKey) record(rec record) (string, bool) { return relative(rec.name), rec.name != "" }

func (k addrKey) size(name string) int { return 16 + len(name) }

// hostKey asks for the addresses of a name (A, AAAA).
type hostKey struct {
	name  string // lower case, without the final dot
	qtype uint16
}

func (k hostKey) question() question { return question{k.name + ".", k.qtype} }

func (k hostKey) record(rec record) (netip.Addr, bool) { return rec.addr, rec.addr.IsValid() }

func (k hostKey) size(netip.Addr) int { return 24 }

// hostName is a name as hostKey has it, as long as it is spelt as host names
// are. One in that form already is returned as it is.
func hostName(name string) string {
	name = relative(name)
	upper := func(c rune) bool { return c >= 'A' && c <= 'Z' }
	if !strings.ContainsFunc(name, upper) {
		return name
	}
	lower := []byte(name)
	for i, c := range lower {
		if upper(rune(c)) {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// canonical is a name as replies have it, with every byte escaped that is in
// them, or not ok if it is no domain name (RFC 1035 section 2.3.4). It is a
// string of its own: the name may be a piece of a long text, which the cache is
// not to keep.
func canonical(name string) (_ string, ok bool) {
	var wire [256]byte
	if _, err := dns.PackDomainName(name+".", wire[:], 0, nil, false); err != nil {
		return "", false
	}
	name, _, err := dns.UnpackDomainName(wire[:], 0)
	if err != nil || name == "." {
		return "", false
	}
	return relative(fold(name)), true
}

// collect keeps what it may of the records of an answer, of which it was given no
// more than that and the one too many: none twice, at most MaxRecords, at most
// maxBytes, those that are there twice counted twice.
func collect[K key[R], R comparable](k K, records []record) (kept []R, size int, more bool) {
	read := 0
	for i, one := range records {
		rec, ok := k.record(one)
		if !ok {
			continue
		}
		n := k.size(rec)
		if read += n; i == MaxRecords || read > maxBytes {
			more = true
			break
		}
		if !slices.Contains(kept, rec) {
			kept = append(kept, rec)
			size += n
		}
	}
	return slices.Clip(kept), size, more
}
