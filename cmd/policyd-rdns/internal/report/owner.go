package report

import (
	"net/netip"
	"strings"
)

// maxOwners bounds the senders' domains of which is known who uses them.
const maxOwners = 1 << 16

// maxDomain is the longest domain name, as text (RFC 1035 section 2.3.4).
const maxDomain = 253

// owners knows of senders' domains whether one client alone uses them. A botnet
// forges the same few on many clients, or those of others who use them too.
type owners struct {
	byDomain map[string]netip.Addr // not valid: several clients
	full     bool
}

func (o *owners) add(domain string, client netip.Addr) {
	owner, ok := o.byDomain[domain]
	switch {
	case ok && owner != client && owner.IsValid():
		o.byDomain[domain] = netip.Addr{}
	case ok || o.full || len(domain) > maxDomain:
	case len(o.byDomain) == maxOwners:
		// Who is not known is not alone.
		o.full = true
	default:
		if o.byDomain == nil {
			o.byDomain = map[string]netip.Addr{}
		}
		o.byDomain[strings.Clone(domain)] = client
	}
}

// alone reports whether a domain is used by that client and no other.
func (o *owners) alone(domain string, client netip.Addr) bool { return o.byDomain[domain] == client }
