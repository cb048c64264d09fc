package gather

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/memo"
	"policyd-rdns/resolver"
)

// acquaintances are what the DNS last said of the clients that come again and again, all
// that a request asks in one place: from the resolver's cache it is four answers and as many
// looks at names, a third of a request.
type acquaintances = memo.Table[meeting, *acquaintance]

// meeting is who asks: a client, and what it says of itself.
type meeting struct {
	client netip.Addr
	helo   string
}

// What is remembered of one client is bounded, to some 2 KiB, so that all take 32 MiB whatever
// zones strangers have: a HELO of as many bytes, which no name is longer than (RFC 1035 section
// 2.3.4), and as many names, of which honest hosts have one.
const (
	maxHELO  = 255
	maxNames = 2
)

// acquaintance is what was learnt of a client. It is not modified, but for its uses.
type acquaintance struct {
	said    string // in HELO
	ptr     resolver.Outcome
	more    bool
	names   []policy.Name
	helo    policy.HELO
	lookups []lookup
	at      time.Time
	uses    atomic.Int32
	validity
}

// validity is how long answers have held and go on to hold, taken together, at the time when
// they were given.
type validity struct {
	age  time.Duration // of the oldest
	left time.Duration // until the first of them is to be asked again
	any  bool
	none bool // one is no answer of a server, or holds no more
}

// add adds an answer.
func (v *validity) add(a *resolver.Answer) {
	left := a.Rest()
	if !v.any || left < v.left {
		v.left = left
	}
	v.age, v.any = max(v.age, a.Age), true
	v.none = v.none || a.Stale || a.Outcome == resolver.TempError || left <= 0
}

// after is the validity as it is when some time has passed; ok: all still hold. A little less
// than none has for a request that had arrived before others were answered.
func (v validity) after(passed time.Duration) (now validity, ok bool) {
	late := max(passed, 0)
	v.age, v.left = v.age+late, v.left-late
	return v, v.left > 0 && passed > -time.Minute
}

// passed is how much time has passed since then: the greater of what the monotonic and the wall
// clock say, as the resolver has it, for the monotonic one stands still while a machine is
// suspended.
func passed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// recall sets the facts to what was learnt when the client came before, if all of that still
// holds.
func (in *inquiry) recall() bool {
	found := in.g.known.Find(meeting{in.req.Client, in.req.HELO})
	if found == nil {
		return false
	}
	a := *found
	v, ok := a.after(passed(a.at, in.req.Time))
	if !ok {
		in.options.Kept = int(a.uses.Load())
		return false
	}
	if a.uses.Load() < resolver.PrefetchHits {
		a.uses.Add(1)
	}
	f := in.facts
	f.Reset(a.helo)
	f.PTR, f.MoreNames, f.Names = a.ptr, a.more, append(f.Names, a.names...)
	in.lookups.n = copy(in.lookups.list[:], a.lookups)
	in.helo, in.validity, in.restored = a.said, v, true
	in.known, in.aged = true, v.age > fresh
	return true
}

// keep has what was learnt remembered for the next time. It shares no memory with the
// request.
func (in *inquiry) keep() {
	v, f := in.validity, in.facts
	if in.restored || !v.any || v.none || len(f.Errors) > 0 || len(in.helo) > maxHELO || len(f.Names) > maxNames {
		return
	}
	lookups := slices.Clone(in.lookups.list[:in.lookups.n])
	for i := range lookups {
		lookups[i].source = resolver.Cached // from now on
	}
	in.g.known.Keep(meeting{in.req.Client, in.helo}, &acquaintance{
		said: in.helo, ptr: f.PTR, more: f.MoreNames, names: slices.Clone(f.Names), helo: f.HELO,
		lookups: lookups, at: time.Now(), validity: v,
	})
}
