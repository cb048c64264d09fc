package message

import "time"

// How long an answer is kept, whatever its zone says.
const (
	minPositive = time.Minute
	maxPositive = 24 * time.Hour
	minNegative = 5 * time.Second
	// maxNegative: a repaired zone is to be seen soon. RFC 2308 section 5
	// would allow hours.
	maxNegative = 15 * time.Minute
	// bareNegative is for a "no" without a SOA, which RFC 2308 section 5 would
	// not keep at all.
	bareNegative = time.Minute
)

// maxWireTTL is the largest TTL there is, in seconds: RFC 2181 section 8.
const maxWireTTL = 1<<31 - 1

// wireTTL is the TTL of a record in seconds. With the top bit set it counts as
// zero: RFC 2181 section 8.
func wireTTL(ttl uint32) uint32 {
	if ttl > maxWireTTL {
		return 0
	}
	return ttl
}

// positiveTTL is how long records at the end of a chain are kept, the least of
// whose TTLs is given.
func positiveTTL(c Chain, ttl uint32) time.Duration {
	return min(max(seconds(min(ttl, c.ttl)), minPositive), maxPositive)
}

// negativeTTL is how long a "no" is kept: the lesser of the SOA's own TTL and
// its minimum field (RFC 2308 section 5), and no longer than the aliases that
// led to it.
func negativeTTL(c Chain, soa *SOA) time.Duration {
	ttl := bareNegative
	if soa != nil {
		ttl = soa.Holds()
	}
	return min(max(min(ttl, seconds(c.ttl)), minNegative), maxNegative)
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// Holds is how long a zone lets a "no" be kept: RFC 2308 section 5.
func (s *SOA) Holds() time.Duration { return seconds(min(s.TTL, s.Minimum)) }
