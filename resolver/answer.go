package resolver

import (
	"net/netip"
	"time"

	"policyd-rdns/resolver/internal/message"
)

// Outcome is what became of a lookup. "No" and "don't know" are different
// from the lowest layer up: only a server's own word is a "no".
type Outcome uint8

// The outcomes. The zero value says that nobody has queried yet.
const (
	// NotQueried: no query was sent.
	NotQueried Outcome = iota
	// Found: there is at least one record of the type.
	Found
	// None: the server says that the name does not exist (NXDOMAIN) or has
	// no record of the type (NODATA); RFC 2308 section 2.
	None
	// TempError: nobody could say. SERVFAIL, REFUSED, silence, a lame or
	// mangled reply, a CNAME loop, the deadline, a bound of ours.
	TempError
	numOutcomes
)

// String is the outcome's name in metrics and explanations.
func (o Outcome) String() string {
	return [numOutcomes]string{"not queried", "found", "none", "temperror"}[o]
}

// Answer is the result of one lookup. Names, Texts and Addrs are shared with the
// cache and with other callers: read them, do not modify them.
type Answer struct {
	Outcome Outcome

	// Names are the targets of the PTR or MX records: presentation format (RFC 1035
	// section 5.1, so bytes outside of printable ASCII are \DDD), lower case,
	// without the final dot, in the order of the reply, none twice (but of MX records,
	// which may differ in preference), at most MaxRecords. The root, which is no host, is ".": as an MX it says that the domain
	// takes no mail (RFC 7505).
	Names []string
	// Texts are the TXT records, the strings of each one after the other (RFC 7208
	// section 3.3), of any bytes, in the order of the reply, none twice, at most
	// MaxRecords.
	Texts []string
	// Addrs are the addresses of the A or AAAA records, none twice, at most
	// MaxRecords.
	Addrs []netip.Addr
	// More: the reply held more than was kept.
	More bool

	// Err says in a few words why the outcome is TempError, for people:
	// "SERVFAIL from 192.0.2.53:53", "no reply from 192.0.2.53:53 in 2s". It
	// is nil with every other outcome.
	Err error

	// Age is how long ago the server said so, if it is Cached: the greater of what
	// the wall clock and the monotonic clock say, so that a machine that was
	// suspended does not take last night's answer for a new one. 0 if no server
	// said so.
	Age time.Duration
	// TTL is for how long the answer goes on to hold, within the limits by which answers
	// are kept; 0 if no server said so, or it is Stale.
	TTL time.Duration
	// Cached: the answer was kept from before: no query was sent
	// for it, or, if it is Stale, none that was answered in time. A caller that
	// shares the query of another has not got a cached answer.
	Cached bool
	// Stale: the answer is past its TTL, and that the servers failed or
	// are slow (RFC 8767). It may help a client, and is no ground to refuse one.
	Stale bool
}

// Rest is for how long the answer need not be asked for again, from when it was given: until
// the last part of its time, in which it is prefetched if it is often of use. Not above 0: it
// is in that part, is Stale, or is no server's.
func (a *Answer) Rest() time.Duration { return a.TTL - (a.Age+a.TTL)/prefetchShare }

// MaxRecords bounds the records that are kept of one reply, which have 16 KiB at most.
// Who owns a zone chooses how many there are, and we keep them in memory for a day.
const MaxRecords = message.MaxRecords
