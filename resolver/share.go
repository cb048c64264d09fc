package resolver

import (
	"container/list"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

const (
	// minShare is what one decision may have under way at once: the names of an
	// address, and where ten of them and a HELO lead. A share is never less.
	minShare = 12
	// heloPart is the part of Config.MaxInFlight, one in so many, that lookups of
	// HELO names may have. A HELO name costs who says it nothing.
	heloPart = 2
	// nameRest is the part that is not for the names of addresses. Who has a reverse
	// zone chooses how many there are; all have to leave some room for HELO names.
	nameRest = 4
	// heloRest is the part that is for HELO names alone: they come last, but who has
	// many addresses in silent reverse zones is not to keep them from being looked up.
	heloRest = 8
	// ripeAfter is how long a lookup has at least before it gives way to another
	// that has no better claim. Nearly all that are answered at all are answered by
	// then. Unbound has the same time for the same purpose (jostle-timeout).
	ripeAfter = 200 * time.Millisecond
	// maxYielding bounds the flights that are looked at for one that gives way: the
	// oldest. Those that are not may have a better claim than all that come.
	maxYielding = 64
)

// charge is what a flight is charged to: the network of a client, or the zone
// that is asked. The zero charge is nobody's.
type charge struct {
	network netip.Prefix
	zone    string
}

// networkOf is the network of a client, of the size that is routed on its own in
// the Internet and is therefore in one hand: a /24 of IPv4, a /48 of IPv6.
func networkOf(client netip.Addr) netip.Prefix {
	client = address.Plain(client)
	bits := 48
	if client.Is4() {
		bits = 24
	}
	network, _ := client.Prefix(bits) // of the zero Addr: zero
	return network
}

// zoneAsked is the part of a name that is in one hand, as far as a name tells:
// the organisational domain of a host name, the reverse zone of a network. Zones
// below it are part of it, or who has one had as many shares as he likes. A name
// that is a public suffix, or none of a host, is in that of its last two labels.
func zoneAsked(name string) string {
	name = strings.TrimSuffix(name, ".")
	switch {
	case strings.HasSuffix(name, ".in-addr.arpa"):
		return lastLabels(name, 2+24/8)
	case strings.HasSuffix(name, ".ip6.arpa"):
		return lastLabels(name, 2+48/4)
	}
	if org := hostname.Organisation(name); org != "" {
		return org
	}
	return lastLabels(name, 2)
}

// lastLabels is the end of a name without a final dot.
func lastLabels(name string, n int) string {
	at := len(name)
	for ; n > 0 && at >= 0; n-- {
		at = strings.LastIndexByte(name[:at], '.')
	}
	return name[at+1:]
}

// claim is what a flight has its place for.
type claim struct {
	helo    bool // for a HELO name
	name    bool // for a name of an address
	charges [2]charge
	since   time.Time
}

func claimOf(q question, o Options) claim {
	return claim{
		helo:    o.HELO,
		name:    !o.HELO && q.qtype != dns.TypePTR,
		charges: [2]charge{{network: networkOf(o.Client)}, {zone: zoneAsked(q.name)}},
		since:   time.Now(),
	}
}

// seat is the place of a flight among those under way.
type seat struct {
	leash leash
	// What follows is guarded by Resolver.mu, once the flight has begun.
	claim
	place *list.Element // in the row; nil: it has none any more
	// wanted is how many callers have not said that they can do without.
	wanted int
}

// sit says what a seat is for.
func (s *seat) sit(q question, o Options) {
	s.claim = claimOf(q, o)
	s.leash.end = s.since.Add(flightTime)
	s.wanted = 1
}

// row is the flights of one kind, those of HELO names or all others. Each kind
// has charges of its own: that somebody floods us with HELO names of a zone, or
// from a network, takes nothing from what else is asked of it or for it.
type row struct {
	seats   list.List // of *seat, in the order of their beginning
	charged map[charge]int
}

// flying is how many flights are under way. The caller holds r.mu.
func (r *Resolver) flying() int { return r.helo.seats.Len() + r.rest.seats.Len() }

// row is where a seat is. The caller holds r.mu.
func (r *Resolver) row(helo bool) *row {
	if helo {
		return &r.helo
	}
	return &r.rest
}

// room is how many flights of a kind may still start: of HELO names up to their
// half. They count for nothing where others start, for nearly all of them give way to
// those.
func (r *Resolver) room(helo bool) int {
	if helo {
		return min(max(r.maxInFlight/heloPart, 1)-r.helo.seats.Len(), r.maxInFlight-r.flying())
	}
	return r.maxInFlight - r.rest.seats.Len()
}

// full says that there is no room for a flight. The caller holds r.mu.
func (r *Resolver) full(s *seat) bool {
	return r.room(s.helo) <= 0 || r.flying() >= r.maxInFlight || !s.helo && r.fullOfRest() || s.name && r.fullOfNames()
}

func (r *Resolver) fullOfNames() bool { return r.named >= r.maxInFlight-r.maxInFlight/nameRest }

func (r *Resolver) fullOfRest() bool {
	return r.rest.seats.Len() >= r.maxInFlight-r.maxInFlight/heloRest
}

// admit gives a flight its seat, or says why there is none. The caller holds
// r.mu.
//
// A network or zone may have as many under way as there is room left for all
// others: half of the whole if it is the only one, a third each if there are two.
// So nobody is refused while half is free, and whatever one takes leaves as much.
// Where those that take are so many that there is no room all the same, the oldest
// flight ends for the new one, if it has no better claim.
func (r *Resolver) admit(s *seat) error {
	if r.closed {
		return errClosed
	}
	why := r.find(s)
	switch why {
	case nil:
		return nil
	case ErrBusy:
		r.counts.busy.Add(1)
	default:
		r.counts.share.Add(1)
	}
	r.crowded()
	return why
}

// find is admit without its accounts. More than one flight never has to end for
// another: where Config.MaxInFlight is lower than it was, those that are too many
// end as they would have.
func (r *Resolver) find(s *seat) error {
	row := r.row(s.helo)
	share := max(r.room(s.helo), minShare)
	for i, why := range []error{errNetworkShare, errZoneShare} {
		if c := s.charges[i]; c != (charge{}) && row.charged[c] >= share {
			return why
		}
	}
	if r.full(s) && !r.displace(s) {
		return ErrBusy
	}
	r.take(s)
	return nil
}

// raise has a flight for a HELO name count as one for who joins it now, for whom the
// name is more than that, if there is room. Else who says his own name in HELO had
// to fear for the place of that, and somebody else who said it before could choose
// which. The caller holds r.mu.
func (r *Resolver) raise(s *seat, q question, o Options) {
	if !s.helo || s.place == nil {
		return
	}
	said, next := s.claim, s.place.Next()
	r.give(s)
	s.claim = claimOf(q, o)
	if r.find(s) == nil {
		return
	}
	s.claim = said
	r.take(s)
	if next != nil {
		r.helo.seats.MoveBefore(s.place, next)
	}
}

// displace ends a flight in favour of another, and says whether it could. The
// caller holds r.mu.
func (r *Resolver) displace(newer *seat) bool {
	row := r.row(newer.helo)
	if !newer.helo && r.helo.seats.Len() > 0 && !r.fullOfRest() && !(newer.name && r.fullOfNames()) {
		row = &r.helo
	}
	s, why := row.yielding(newer, r.health.patience(), newer.name && r.fullOfNames())
	if s == nil {
		return false
	}
	s.leash.cut(why)
	r.give(s)
	r.counts.displaced.Add(1)
	r.crowded()
	return true
}

// yielding is the flight that gives way to a newer one, and what those are told who
// wait for it: the oldest that is ripe, or whose network or zone holds more than
// those of the other do, or that is of a HELO name where the other is not. names:
// only one for the name of an address will do. Nil: there is none.
func (w *row) yielding(newer *seat, try time.Duration, names bool) (*seat, error) {
	others, _ := w.most(newer)
	looked := 0
	for e := w.seats.Front(); e != nil && looked < maxYielding; e = e.Next() {
		s := e.Value.(*seat)
		if names && !s.name {
			continue
		}
		looked++
		lasted := newer.since.Sub(s.since)
		share, errShare := w.most(s)
		switch {
		case lasted >= try:
			return s, errGaveWay
		case share > max(others+1, minShare):
			return s, errShare
		case share > others+1, lasted >= ripeAfter, s.helo != newer.helo:
			return s, ErrBusy
		}
	}
	return nil, nil
}

// most is how many flights are charged like a seat, to its network or its zone,
// and what to say of that.
func (w *row) most(s *seat) (int, error) {
	network, zone := w.charged[s.charges[0]], w.charged[s.charges[1]]
	if network > zone {
		return network, errNetworkShare
	}
	return zone, errZoneShare
}

// take charges a flight. The caller holds r.mu.
func (r *Resolver) take(s *seat) {
	row := r.row(s.helo)
	s.place = row.seats.PushBack(s)
	if s.name {
		r.named++
	}
	for _, c := range s.charges {
		if c != (charge{}) {
			row.charged[c]++
		}
	}
}

// give is the opposite of take. Once more it does nothing. The caller holds r.mu.
func (r *Resolver) give(s *seat) {
	if s.place == nil {
		return
	}
	row := r.row(s.helo)
	row.seats.Remove(s.place)
	s.place = nil
	if s.name {
		r.named--
	}
	for _, c := range s.charges {
		if row.charged[c]--; row.charged[c] <= 0 {
			delete(row.charged, c)
		}
	}
}

// disclaim ends a flight that nobody wants any more, now that one caller does not.
func (r *Resolver) disclaim(s *seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.wanted--; s.wanted == 0 {
		s.leash.cut(errUnwanted)
	}
}
