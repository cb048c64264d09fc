// Package admission bounds the lookups under way: as a whole, and, when half of that is in
// use, for the network of a client and for the zone that is queried. HELO names have half
// of the whole at most; names of addresses leave a quarter. Where there is no room the
// oldest lookup gives way to one with a better claim. It knows of a lookup only what it is
// for and how to end it.
package admission

import (
	"container/list"
	"errors"
	"net/netip"
	"time"
)

const (
	// minShare is what one decision may have under way at once: the names of an
	// address, and where ten of them and a HELO lead. A share is never less.
	minShare = 12
	// heloPart is the part of Most, one in so many, that lookups of
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

var (
	// ErrBusy: as many lookups are under way as may, and none of them has lasted for
	// long; or this one had to give way to another.
	ErrBusy = errors.New("too many lookups under way")
	// ErrShare: so many of them are for the same network or query the same zone that this
	// one is put off, or ended, for the sake of others.
	ErrShare = errors.New("too many lookups under way for one network or zone")
	// ErrGaveWay: this one has lasted for as long as one try may.
	ErrGaveWay = errors.New("no answer yet when others needed the room")
)

// shareError is ErrShare in the words of a log line.
type shareError struct{ of string }

func (e *shareError) Error() string {
	return "too many lookups under way for this " + e.of
}

func (e *shareError) Is(target error) bool { return target == ErrShare }

var (
	errNetworkShare = &shareError{"network"}
	errZoneShare    = &shareError{"zone"}
)

// Limiter counts lookups and gives them their seats. One caller may use it at a time.
type Limiter struct {
	// Most is how many lookups may be under way; at least 1.
	Most int
	// Patience is how long one try at one server may take.
	Patience func() time.Duration

	// Lookups that were refused with ErrBusy, with ErrShare, and ended for others.
	Busy, Shared, Displaced uint64

	helo, rest row
	named      int       // of the rest, for names of addresses
	warned     time.Time // of a crowd
	refused    uint64    // since then
	crowd      *Crowd    // to be told
}

// New makes a limiter: see [Limiter.Most], [Limiter.Patience].
func New(most int, patience func() time.Duration) *Limiter {
	return &Limiter{
		Most: most, Patience: patience,
		helo: row{charged: make(map[charge]int)},
		rest: row{charged: make(map[charge]int)},
	}
}

// claim is what a flight has its place for.
type claim struct {
	helo    bool // for a HELO name
	name    bool // for a name of an address
	charges [2]charge
	since   time.Time
}

// Purpose is what a lookup is for.
type Purpose struct {
	Name   string // that is queried
	Client netip.Addr
	HELO   bool // for a HELO name
	OfName bool // for a name of an address
}

func (p Purpose) claim() claim {
	return claim{
		helo:    p.HELO,
		name:    p.OfName && !p.HELO,
		charges: [2]charge{{network: networkOf(p.Client)}, {zone: Zone(p.Name)}},
		since:   time.Now(),
	}
}

// Seat is the place of a lookup among those under way. What is in it is the limiter's.
type Seat struct {
	claim
	work  Work
	place *list.Element // in the row; nil: it has none any more
}

// Work is a lookup that can be ended for another.
type Work interface{ Cut(why error) }

// NewSeat is a seat that is not taken.
func NewSeat(p Purpose, w Work) Seat { return Seat{claim: p.claim(), work: w} }

// Since is when the lookup began.
func (s *Seat) Since() time.Time { return s.since }

// HELO reports whether the lookup counts as one of a HELO name.
func (s *Seat) HELO() bool { return s.helo }

// row is the flights of one kind, those of HELO names or all others. Each kind
// has charges of its own: that somebody floods us with HELO names of a zone, or
// from a network, takes nothing from what else is queried of it or for it.
type row struct {
	seats   list.List // of *Seat, in the order of their beginning
	charged map[charge]int
}

// Flying is how many flights are under way.
func (l *Limiter) Flying() int { return l.helo.seats.Len() + l.rest.seats.Len() }

// row is where a seat is.
func (l *Limiter) row(helo bool) *row {
	if helo {
		return &l.helo
	}
	return &l.rest
}

// room is how many flights of a kind may still start: of HELO names up to their
// half. They count for nothing where others start, for nearly all of them give way to
// those.
func (l *Limiter) room(helo bool) int {
	if helo {
		return min(max(l.Most/heloPart, 1)-l.helo.seats.Len(), l.Most-l.Flying())
	}
	return l.Most - l.rest.seats.Len()
}

// full reports whether there is no room for a flight.
func (l *Limiter) full(s *Seat) bool {
	return l.room(s.helo) <= 0 || l.Flying() >= l.Most || !s.helo && l.fullOfRest() || s.name && l.fullOfNames()
}

func (l *Limiter) fullOfNames() bool { return l.named >= l.Most-l.Most/nameRest }

func (l *Limiter) fullOfRest() bool {
	return l.rest.seats.Len() >= l.Most-l.Most/heloRest
}

// Admit gives a flight its seat, or says why there is none.
//
// A network or zone may have as many under way as there is room left for all
// others: half of the whole if it is the only one, a third each if there are two.
// So nobody is refused while half is free, and whatever one takes leaves as much.
// Where those that take are so many that there is no room all the same, the oldest
// flight ends for the new one, if it has no better claim.
func (l *Limiter) Admit(s *Seat) error {
	why := l.find(s)
	switch why {
	case nil:
		return nil
	case ErrBusy:
		l.Busy++
	default:
		l.Shared++
	}
	l.crowded()
	return why
}

// find is Admit without its accounts. More than one flight never has to end for
// another: where Most is lower than it was, those that are too many
// end as they would have.
func (l *Limiter) find(s *Seat) error {
	row := l.row(s.helo)
	share := max(l.room(s.helo), minShare)
	for i, why := range []error{errNetworkShare, errZoneShare} {
		if c := s.charges[i]; c != (charge{}) && row.charged[c] >= share {
			return why
		}
	}
	if l.full(s) && !l.displace(s) {
		return ErrBusy
	}
	l.Take(s)
	return nil
}

// Raise has a flight for a HELO name count as one for who joins it now, for whom the
// name is more than that, if there is room. Else who says his own name in HELO had
// to fear for the place of that, and somebody else who said it before could choose
// which.
func (l *Limiter) Raise(s *Seat, p Purpose) {
	if !s.helo || s.place == nil {
		return
	}
	said, next := s.claim, s.place.Next()
	l.Give(s)
	s.claim = p.claim()
	if l.find(s) == nil {
		return
	}
	s.claim = said
	l.Take(s)
	if next != nil {
		l.helo.seats.MoveBefore(s.place, next)
	}
}

// displace ends a flight in favour of another, and reports whether it could.
func (l *Limiter) displace(newer *Seat) bool {
	row := l.row(newer.helo)
	if !newer.helo && l.helo.seats.Len() > 0 && !l.fullOfRest() && !(newer.name && l.fullOfNames()) {
		row = &l.helo
	}
	s, why := row.yielding(newer, l.Patience(), newer.name && l.fullOfNames())
	if s == nil {
		return false
	}
	s.work.Cut(why)
	l.Give(s)
	l.Displaced++
	l.crowded()
	return true
}

// yielding is the flight that gives way to a newer one, and what those are told who
// wait for it: the oldest that is ripe, or whose network or zone holds more than
// those of the other do, or that is of a HELO name where the other is not. names:
// only one for the name of an address will do. Nil: there is none.
func (w *row) yielding(newer *Seat, try time.Duration, names bool) (*Seat, error) {
	others, _ := w.most(newer)
	looked := 0
	for e := w.seats.Front(); e != nil && looked < maxYielding; e = e.Next() {
		s := e.Value.(*Seat)
		if names && !s.name {
			continue
		}
		looked++
		lasted := newer.since.Sub(s.since)
		share, errShare := w.most(s)
		switch {
		case lasted >= try:
			return s, ErrGaveWay
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
func (w *row) most(s *Seat) (int, error) {
	network, zone := w.charged[s.charges[0]], w.charged[s.charges[1]]
	if network > zone {
		return network, errNetworkShare
	}
	return zone, errZoneShare
}

// Take charges a flight.
func (l *Limiter) Take(s *Seat) {
	row := l.row(s.helo)
	s.place = row.seats.PushBack(s)
	if s.name {
		l.named++
	}
	for _, c := range s.charges {
		if c != (charge{}) {
			row.charged[c]++
		}
	}
}

// Give is the opposite of take. Once more it does nothing.
func (l *Limiter) Give(s *Seat) {
	if s.place == nil {
		return
	}
	row := l.row(s.helo)
	row.seats.Remove(s.place)
	s.place = nil
	if s.name {
		l.named--
	}
	for _, c := range s.charges {
		if row.charged[c]--; row.charged[c] <= 0 {
			delete(row.charged, c)
		}
	}
}
