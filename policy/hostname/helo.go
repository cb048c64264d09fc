package hostname

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
)

// Form is what kind of thing a client says of itself in HELO or EHLO.
type Form uint8

// The forms of a HELO.
const (
	// Missing: no HELO yet, or an empty one.
	Missing Form = iota
	// FQDN: a name for which [Valid] holds, and not Unqualified.
	FQDN
	// Literal: an address in brackets, RFC 5321 section 4.1.3.
	Literal
	// Unqualified: one label of legal bytes, or a name by which every host calls
	// itself, as localhost.localdomain.
	Unqualified
	// BareIP: an address without the brackets that would make it a literal.
	BareIP
	// Malformed: anything else.
	Malformed
)

// String is the form as it stands in rules and in the decision log.
func (f Form) String() string {
	switch f {
	case Missing:
		return "missing"
	case FQDN:
		return "fqdn"
	case Literal:
		return "literal"
	case Unqualified:
		return "unqualified"
	case BareIP:
		return "bare_ip"
	default:
		return "malformed"
	}
}

// ParseHELO is the form of a HELO. For Literal and BareIP it is also the
// address, as [address.Plain] has it;
// for the others the address is not valid. A literal that does not parse is
// Malformed: one with a zone, an IPv6 address without its tag, and an octet
// with leading zeros, which some read as octal.
func ParseHELO(helo string) (Form, netip.Addr) {
	if helo == "" {
		return Missing, netip.Addr{}
	}
	if helo[0] == '[' {
		if addr, ok := parseLiteral(helo); ok {
			return Literal, addr
		}
		return Malformed, netip.Addr{}
	}
	if addr, ok := parseBare(helo); ok {
		return BareIP, addr
	}
	labels, ok := countLabels(cutDot(helo))
	switch {
	case !ok:
		return Malformed, netip.Addr{}
	case labels == 1 || isLocalhost(cutDot(helo)):
		return Unqualified, netip.Addr{}
	case allDigits(lastLabel(cutDot(helo))):
		return Malformed, netip.Addr{}
	}
	return FQDN, netip.Addr{}
}

// parseLiteral reads an address literal, RFC 5321 section 4.1.3.
func parseLiteral(helo string) (netip.Addr, bool) {
	inner, ok := strings.CutSuffix(helo[1:], "]")
	if !ok {
		return netip.Addr{}, false
	}
	const tag = "IPv6:"
	tagged := len(inner) >= len(tag) && strings.EqualFold(inner[:len(tag)], tag)
	if tagged {
		inner = inner[len(tag):]
	}
	addr, err := netip.ParseAddr(inner)
	if err != nil || addr.Zone() != "" || addr.Is4() == tagged {
		return netip.Addr{}, false
	}
	return address.Plain(addr), true
}

// parseBare reads an address without brackets. Names, the usual case, are
// passed over without asking the parser, which allocates to say no.
func parseBare(helo string) (netip.Addr, bool) {
	helo = cutDot(helo)
	if !strings.Contains(helo, ":") && !allDigits(lastLabel(helo)) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(helo)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return address.Plain(addr), true
}
