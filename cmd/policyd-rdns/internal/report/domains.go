package report

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"policyd-rdns/policy/hostname"
)

// domains remember the organisational domains of the last domains, for a few send the most
// of all mail, and the public suffix list is long. They are safe for concurrent use.
type domains [1 << 10]atomic.Pointer[member]

// member is a domain and its organisational domain.
type member struct{ domain, organisation string }

var domainSeed = maphash.MakeSeed()

// organisation is [hostname.Organisation].
func (d *domains) organisation(domain string) string {
	place := &d[maphash.String(domainSeed, domain)%uint64(len(d))]
	m := place.Load()
	if m == nil || m.domain != domain {
		if len(domain) > maxDomain {
			return hostname.Organisation(domain)
		}
		domain = strings.Clone(domain)
		m = &member{domain, hostname.Organisation(domain)}
		place.Store(m)
	}
	return m.organisation
}
