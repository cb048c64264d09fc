package resolver

import (
	"net/netip"
	"slices"
	"strings"
)

// Forward is what a name resolves to, in one address family.
type Forward struct {
	Outcome Outcome
	Addrs   []netip.Addr // as many as who asked keeps
}

// To reports whether the name resolves to the address.
func (l *Forward) To(addr netip.Addr) bool { return slices.Contains(l.Addrs, addr) }

// String is what the name resolves to, for people.
func (l *Forward) String() string {
	switch l.Outcome {
	case Found:
		parts := make([]string, len(l.Addrs))
		for i, a := range l.Addrs {
			parts[i] = a.String()
		}
		return strings.Join(parts, ", ")
	case None:
		return "nothing"
	case TempError:
		return "temperror"
	}
	return "(not queried)"
}

// Undetermined reports whether nobody knows yet, or nobody could say.
func (l *Forward) Undetermined() bool {
	return l.Outcome == NotQueried || l.Outcome == TempError
}
