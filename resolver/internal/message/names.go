package message

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Reverse is the name that has the PTR records of an address. IPv4-mapped is IPv4.
func Reverse(addr netip.Addr) string {
	name, _ := dns.ReverseAddr(addr.String()) // only a text that is no address is an error
	return name
}

// Last is the end of an absolute name: its last labels.
func Last(name string, labels int) string {
	starts := dns.Split(name)
	if len(starts) <= labels {
		return name
	}
	return name[starts[len(starts)-labels]:]
}

// Within reports whether a name is that of a zone, or below it.
func Within(zone, name string) bool { return dns.IsSubDomain(zone, name) }

// Fold brings a name into the one form that we compare: lower case (RFC 4343:
// ASCII only) and absolute.
func Fold(name string) string { return dns.CanonicalName(name) }

// Relative is a name for people: without the final dot; the root stays ".".
func Relative(name string) string {
	if name == "." || !dns.IsFqdn(name) {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// Host is a name in lower case and without the final dot, as long as it is written as
// host names are. One in that form already is returned as it is.
func Host(name string) string {
	name = Relative(name)
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

// Canonical is a name as replies have it, with every byte escaped that is in
// them, or not ok if it is no domain name (RFC 1035 section 2.3.4). It is a
// string of its own: the name may be a piece of a long text, which the cache is
// not to keep.
func Canonical(name string) (_ string, ok bool) {
	var wire [256]byte
	if _, err := dns.PackDomainName(name+".", wire[:], 0, nil, false); err != nil {
		return "", false
	}
	name, _, err := dns.UnpackDomainName(wire[:], 0)
	if err != nil || name == "." {
		return "", false
	}
	return Relative(Fold(name)), true
}
