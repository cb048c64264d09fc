package resolver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/resolver/internal/admission"
	"policyd-rdns/resolver/internal/clock"
	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

// Config is what a Resolver needs to know.
type Config struct {
	// Servers are recursive servers, queried in this order; at least one. One
	// that fails is queried last until it answers again.
	Servers []netip.AddrPort
	// Timeout bounds one try at one server; above 0, at most 20 seconds.
	Timeout time.Duration
	// CacheEntries bounds the answers that are kept; at least 2. Half of them
	// are for names of addresses, half for addresses of names: whoever owns
	// the zone of one address may have us look up many names. An eighth more is
	// for what domains publish about their mail (TXT, MX): whoever sends chooses
	// the domain.
	CacheEntries int
	// MaxInFlight bounds the lookups under way at once, those that run on behind
	// included; at least 1. HELO names (Options.HELO) have half of them at most, and
	// give way to others until they have an eighth; names of addresses have three
	// quarters at most. One network (Options.Client) and one zone may each have as
	// many as there is room left for all others, but not less than 12; above that
	// the outcome is TempError (ErrShare). While half is free nobody is refused.
	// Where there is no room at all the lookup that has lasted longest ends for the
	// new one: if its network or zone has more than the other's (ErrShare, or ErrBusy
	// up to 12), if it has lasted for 200 milliseconds (ErrBusy), or for Timeout (a
	// failure of its zone). Else the new one's outcome is TempError (ErrBusy). Log
	// gets a WARN then, one in 10 minutes, that names the zone and the network that
	// hold most.
	MaxInFlight int
	// Stale is how long answers are kept after their TTL, at most 7 days; 0: not
	// at all. They are given when the servers fail, or take longer than 1.8
	// seconds: RFC 8767.
	Stale time.Duration
	// OnOutage is called when an outage begins and, with its End, when it is
	// over, one call after the other. It should not take long. Nil: nobody.
	OnOutage func(Outage)
	// Log gets what an operator should know. Nil: nobody does.
	Log *slog.Logger
	// Dial opens a connection for one query; network is "udp" or "tcp". A
	// datagram is one Write and one Read. Nil: that of net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock by which answers grow old. Nil: time.Now.
	Now func() time.Time
}

// Options say what will do as an answer. The zero value takes any.
type Options struct {
	// MaxAge, if above 0, is the greatest age of a cached answer that will do;
	// an older one is queried again. If that fails, the outcome is TempError,
	// now and for a minute, for those who want a MaxAge; for others the
	// older answer goes on to hold.
	MaxAge time.Duration
	// CacheOnly: answer from the cache, or NotQueried; never wait. An answer past
	// its TTL is given if it would be without a new query.
	CacheOnly bool
	// Client is who the lookup is for: its network, a /24 of IPv4 or a /48 of
	// IPv6, has a share of Config.MaxInFlight, as the zone has that is queried. A
	// lookup that another caller has begun is free. The zero Addr has no bound of
	// its own.
	Client netip.Addr
	// HELO: the name is what the client says it is, which costs it nothing. Such
	// lookups have half of Config.MaxInFlight at most.
	HELO bool
	// Kept is how often the caller has used the answer that it was given last, without
	// asking again, as far as PrefetchHits: what is often of use is queried again before it
	// expires.
	Kept int
	// Uncounted: the caller counts the lookup itself (Resolver.Count).
	Uncounted bool
	// Budget pays for the queries; nil: without bound. When it is used up,
	// the outcome is TempError.
	Budget *Budget
}

// Resolver looks names and addresses up. Its methods may be called from any
// number of goroutines.
type Resolver struct {
	health    health
	clock     *clock.Clock // by which answers grow old
	onOutage  func(Outage)
	log       *slog.Logger
	stale     atomic.Int64 // Config.Stale, in milliseconds
	counts    counts
	reach     reach
	transport *transport.Client
	silence   silence

	names *table[addrKey, string]
	hosts *table[hostKey, netip.Addr]
	texts *table[textKey, string]

	flights sync.WaitGroup // and the prober
	mu      sync.Mutex     // guards what follows, and the flights of the tables
	limiter *admission.Limiter
	closed  bool
}

// New refuses a configuration that cannot work, with all that is wrong with it.
func New(c Config) (*Resolver, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &Resolver{
		transport: transport.New(c.Dial), clock: clock.New(c.Now), onOutage: c.OnOutage, log: c.Log,
	}
	r.limiter = admission.New(c.MaxInFlight, r.health.patience)
	r.stale.Store(c.Stale.Milliseconds())
	r.health.prober.wake = make(chan struct{}, 1)
	var errNames, errHosts, errTexts, errSilence error
	r.names, errNames = newTable[addrKey](r, c.CacheEntries/2, fewBytes)
	r.hosts, errHosts = newTable[hostKey](r, c.CacheEntries/2, fewBytes)
	r.texts, errTexts = newTable[textKey](r, textsOf(c.CacheEntries), fewTextBytes)
	r.silence, errSilence = newSilence()
	if err := errors.Join(errNames, errHosts, errTexts, errSilence); err != nil {
		return nil, err
	}
	r.health.set(c.Servers, c.Timeout)
	return r, nil
}

func (c *Config) check() error {
	err := checkServers(c.Servers, c.Timeout)
	if c.CacheEntries < 2 {
		err = errors.Join(err, fmt.Errorf("%d cache entries: want at least 2", c.CacheEntries))
	}
	if c.MaxInFlight < 1 {
		err = errors.Join(err, fmt.Errorf("%d lookups in flight: want at least 1", c.MaxInFlight))
	}
	if c.Stale < 0 || c.Stale > maxStale {
		err = errors.Join(err, fmt.Errorf("stale answers for %v: want 0 to %v", c.Stale, maxStale))
	}
	return err
}

func checkServers(servers []netip.AddrPort, timeout time.Duration) error {
	var err error
	if len(servers) == 0 {
		err = errors.New("no servers to ask")
	}
	for _, s := range servers {
		if !s.IsValid() || s.Port() == 0 {
			err = errors.Join(err, fmt.Errorf("server %v: want an address and a port", s))
		}
	}
	if timeout <= 0 || timeout > flightTime {
		err = errors.Join(err, fmt.Errorf("timeout %v: want above 0 and at most %v", timeout, flightTime))
	}
	return err
}

// SetServers replaces the servers and the time for one try. The cache stays, and
// lookups under way are not disturbed. What New would refuse changes nothing.
func (r *Resolver) SetServers(servers []netip.AddrPort, timeout time.Duration) {
	if checkServers(servers, timeout) != nil {
		return
	}
	r.health.set(servers, timeout)
}

// Resize changes Config.CacheEntries. A smaller cache throws out the answers
// that were not used for longest.
func (r *Resolver) Resize(entries int) {
	half := max(entries/2, 1)
	r.names.cache.resize(half)
	r.hosts.cache.resize(half)
	r.texts.cache.resize(textsOf(entries))
}

// SetStale changes Config.Stale. What New would refuse changes nothing.
func (r *Resolver) SetStale(d time.Duration) {
	if d >= 0 && d <= maxStale {
		r.stale.Store(d.Milliseconds())
	}
}

// SetMaxInFlight changes Config.MaxInFlight. Lookups under way are not
// disturbed: where they are too many, one ends for each new one. What New would refuse
// changes nothing.
func (r *Resolver) SetMaxInFlight(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n >= 1 {
		r.limiter.Most = n
	}
}

// Close cuts the lookups under way and returns when they have ended. Those who
// wait for one get TempError. Only the cache answers afterwards.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.names.cut(errClosed)
	r.hosts.cut(errClosed)
	r.texts.cut(errClosed)
	r.mu.Unlock()
	r.health.close()
	r.flights.Wait()
	r.transport.Close()
}

// LookupPTR looks up the names of an address, as [address.Plain] has it. The outcome is
// TempError at the latest when ctx is over; the lookup then runs on behind, for 20 seconds at
// most, and fills the cache, unless the cause of ctx is ErrUnneeded.
func (r *Resolver) LookupPTR(ctx context.Context, addr netip.Addr, o Options) Answer {
	a, wait := r.BeginPTR(ctx, addr, o)
	if wait != nil {
		a = wait(ctx)
	}
	return a
}

// BeginPTR is LookupPTR for who has other things to do meanwhile. If the
// answer is at hand, there is no room for it (ErrBusy, ErrShare), or Options.CacheOnly
// is set, wait is nil. Else the query is
// on its way, unless ctx is over, and wait waits for the answer, until the context
// that it is given is over; it may be called once.
func (r *Resolver) BeginPTR(ctx context.Context, addr netip.Addr, o Options) (a Answer, wait func(context.Context) Answer) {
	if !addr.IsValid() {
		return Answer{Outcome: TempError, Err: errors.New("no address")}, nil
	}
	addr = address.Plain(addr)
	k := addrKey(addr.As16())
	res, ok := r.names.cached(k, o)
	switch {
	case ok && res.due(o):
		r.names.prefetch(k)
	case !ok && o.CacheOnly:
		return Answer{}, nil
	case !ok:
		p := r.names.begin(ctx, k, o)
		if p.answered() {
			return r.pointers(p.wait(ctx), p.o.Uncounted), nil
		}
		return Answer{}, func(ctx context.Context) Answer { return r.pointers(p.wait(ctx), p.o.Uncounted) }
	}
	return r.pointers(res, o.Uncounted), nil
}

// pointers is the answer of a result.
func (r *Resolver) pointers(res result[string], uncounted bool) Answer {
	a := answer(r, KindPTR, res, uncounted)
	a.Names = res.records()
	return a
}

// LookupAddrs looks up the addresses of a name: network "ip4" for A records,
// "ip6" for AAAA. The name is in presentation format and absolute, with or
// without its final dot. A text that is no domain name is a TempError. For the
// rest it is as LookupPTR.
func (r *Resolver) LookupAddrs(ctx context.Context, network, name string, o Options) Answer {
	a, wait := r.BeginAddrs(ctx, network, name, o)
	if wait != nil {
		a = wait(ctx)
	}
	return a
}

// BeginAddrs is to LookupAddrs as BeginPTR is to LookupPTR.
func (r *Resolver) BeginAddrs(ctx context.Context, network, name string, o Options) (a Answer, wait func(context.Context) Answer) {
	k, a, ok := r.addrsAtHand(network, name, o)
	if ok || o.CacheOnly {
		return a, nil
	}
	p := r.hosts.begin(ctx, k, o)
	if p.answered() {
		return r.addrs(k, p.wait(ctx), p.o.Uncounted), nil
	}
	return Answer{}, func(ctx context.Context) Answer { return r.addrs(k, p.wait(ctx), p.o.Uncounted) }
}

// Raise has a lookup that was begun with Options.HELO count as one without, for
// Options.Client: the HELO name turned out to be more than what a client says. If
// there is no room for that it goes on as it is. Not ok: it is not under way.
func (r *Resolver) Raise(network, name string, o Options) (ok bool) {
	k := hostKey{qtype: message.TypeA}
	if network == "ip6" {
		k.qtype = message.TypeAAAA
	}
	k.name, _ = message.Canonical(message.Host(name))
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.hosts.flights[k]
	if f != nil {
		r.limiter.Raise(&f.seat, purpose(k.query(), o))
	}
	return f != nil
}

// addrsAtHand answers from the cache, or says what is to be queried.
func (r *Resolver) addrsAtHand(network, name string, o Options) (k hostKey, a Answer, ok bool) {
	k = hostKey{name: message.Host(name)}
	switch network {
	case "ip4":
		k.qtype = message.TypeA
	case "ip6":
		k.qtype = message.TypeAAAA
	default:
		return k, Answer{Outcome: TempError, Err: fmt.Errorf("network %.60q: want ip4 or ip6", network)}, true
	}
	res, ok := r.hosts.cached(k, o)
	if !ok {
		queried, ok := message.Canonical(k.name)
		if !ok {
			return k, noName(name), true
		}
		k.name = queried
		return k, Answer{}, false
	}
	if res.due(o) {
		r.hosts.prefetch(hostKey{strings.Clone(k.name), k.qtype})
	}
	return k, r.addrs(k, res, o.Uncounted), true
}

// addrs is the answer of a result.
func (r *Resolver) addrs(k hostKey, res result[netip.Addr], uncounted bool) Answer {
	a := answer(r, kindOf(k.qtype), res, uncounted)
	a.Addrs = res.records()
	return a
}

// answer is a result without its records.
func answer[R any](r *Resolver, k Kind, res result[R], uncounted bool) Answer {
	a := Answer{Outcome: res.outcome, More: res.more, Cached: res.cached, Stale: res.stale}
	if !uncounted {
		r.Count(k, a.Outcome, a.Source())
	}
	switch res.outcome {
	case Found, None:
		a.Age = time.Duration(res.age) * time.Millisecond
		a.TTL = time.Duration(max(int64(res.ttl)-res.age, 0)) * time.Millisecond
	case TempError:
		a.Err = res.why()
	}
	return a
}

// noName is the answer about what is no domain name.
func noName(name string) Answer {
	return Answer{Outcome: TempError, Err: fmt.Errorf("%.60q is %w", name, ErrName)}
}
