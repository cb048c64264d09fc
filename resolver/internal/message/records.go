package message

import (
	"net/netip"
	"slices"
	"strings"
)

const (
	// MaxRecords bounds the records that are kept of one reply. Who owns a zone
	// chooses how many there are.
	MaxRecords = 100
	// maxBytes bounds what is kept of one reply, in bytes of memory: MaxRecords names
	// of ordinary length, but not MaxRecords of the 1000 bytes that a name may take.
	maxBytes = 16 << 10
)

// nameSize is how many bytes of memory a name takes.
func nameSize(name string) int { return 16 + len(name) }

// Names keeps what it may of the names of records: relative, in their order, none
// twice. size is the bytes of memory that they take; more: there were too many.
func Names(records []Record) (kept []string, size int, more bool) {
	return keep(records, true, relative)
}

func relative(r Record) (name string, size int, ok bool) {
	name = Relative(r.Name)
	return name, nameSize(name), name != ""
}

// Exchangers is to the names of MX records as Names is to those of others, but that one
// may be there twice, with another preference: RFC 7208 section 4.6.4 counts records.
func Exchangers(records []Record) (kept []string, size int, more bool) {
	return keep(records, false, relative)
}

// Addrs is to addresses as Names is to names.
func Addrs(records []Record) (kept []netip.Addr, size int, more bool) {
	return keep(records, true, func(r Record) (netip.Addr, int, bool) { return r.Addr, 24, r.Addr.IsValid() })
}

// Texts is to texts as Names is to names. A TXT may hold no byte at all.
func Texts(records []Record) (kept []string, size int, more bool) {
	return keep(records, true, func(r Record) (string, int, bool) { return r.Text, nameSize(r.Text), true })
}

// keep keeps none twice, if once, at most MaxRecords, at most maxBytes, those that are
// there twice counted twice. read is not ok with a record that there is nothing in.
func keep[R comparable](records []Record, once bool, read func(Record) (_ R, size int, ok bool)) (kept []R, size int, more bool) {
	total := 0
	for i, one := range records {
		rec, n, ok := read(one)
		if !ok {
			continue
		}
		if total += n; i == MaxRecords || total > maxBytes {
			more = true
			break
		}
		if !once || !slices.Contains(kept, rec) {
			kept = append(kept, rec)
			size += n
		}
	}
	return slices.Clip(kept), size, more
}

// text is the strings of a TXT, one after the other: RFC 1035 section 3.3.14. Of what is
// more than may be kept it has the beginning, which is too much by a byte at least.
func text(data []byte) (string, error) {
	var all strings.Builder
	all.Grow(min(len(data), maxBytes+1))
	for len(data) > 0 {
		n := 1 + int(data[0])
		if n > len(data) {
			return "", errMangled
		}
		room := maxBytes + 1 - all.Len()
		all.Write(data[1:min(n, 1+room)])
		data = data[n:]
	}
	return all.String(), nil
}
