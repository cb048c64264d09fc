package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Config is what a Resolver needs to know.
type Config struct {
	// Servers are recursive servers, asked in this order; at least one. One
	// that fails is asked last until it answers again.
	Servers []netip.AddrPort
	// Timeout bounds one try at one server; above 0, at most 20 seconds.
	Timeout time.Duration
	// CacheEntries bounds the answers that are kept; at least 2. Half of them
	// are for names of addresses, half for addresses of names: whoever owns
	// the zone of one address may have us look up many names.
	CacheEntries int
	// MaxInFlight bounds the look-ups under way at once, those that run on
	// behind included; at least 1. Above it the outcome is TempError.
	MaxInFlight int
	// Dial opens a connection for one question; network is "udp" or "tcp". A
	// datagram is one Write and one Read. Nil: that of net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock by which answers grow old. Nil: time.Now.
	Now func() time.Time
}

// Options say what will do as an answer. The zero value takes any.
type Options struct {
	// MaxAge, if above 0, is the greatest age of a cached answer that will do;
	// an older one is asked again. If that fails, the outcome is TempError,
	// now and for a minute, for those who ask with a MaxAge; for others the
	// older answer goes on to hold.
	MaxAge time.Duration
	// CacheOnly: answer from the cache, or NotAsked; never wait, never send.
	CacheOnly bool
	// Budget pays for the questions; nil: without bound. When it is used up,
	// the outcome is TempError.
	Budget *Budget
}

// Resolver looks names and addresses up. Its methods may be called from any
// number of goroutines.
type Resolver struct {
	servers servers
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	now     func() time.Time
	start   time.Time

	names *table[addrKey, string]
	hosts *table[hostKey, netip.Addr]

	maxInFlight int
	flights     sync.WaitGroup
	mu          sync.Mutex // guards what follows, and the flights of the tables
	flying      int
	closed      bool
}

// New refuses a configuration that cannot work, with all that is wrong with it.
func New(c Config) (*Resolver, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Resolver{dial: c.Dial, now: c.Now, start: c.Now(), maxInFlight: c.MaxInFlight}
	var errNames, errHosts error
	r.names, errNames = newTable[addrKey](r, c.CacheEntries/2)
	r.hosts, errHosts = newTable[hostKey](r, c.CacheEntries/2)
	if err := errors.Join(errNames, errHosts); err != nil {
		return nil, err
	}
	r.servers.set(c.Servers, c.Timeout)
	return r, nil
}

func (c *Config) check() error {
	err := checkServers(c.Servers, c.Timeout)
	if c.CacheEntries < 2 {
		err = errors.Join(err, fmt.Errorf("%d cache entries: want at least 2", c.CacheEntries))
	}
	if c.MaxInFlight < 1 {
		err = errors.Join(err, fmt.Errorf("%d look-ups in flight: want at least 1", c.MaxInFlight))
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
// look-ups under way are not disturbed. What New would refuse changes nothing.
func (r *Resolver) SetServers(servers []netip.AddrPort, timeout time.Duration) {
	if checkServers(servers, timeout) != nil {
		return
	}
	r.servers.set(servers, timeout)
}

// Resize changes Config.CacheEntries. A smaller cache throws out the answers
// that were not used for longest.
func (r *Resolver) Resize(entries int) {
	half := max(entries/2, 1)
	r.names.cache.resize(half)
	r.hosts.cache.resize(half)
}

// Close cuts the look-ups under way and returns when they have ended. Those who
// wait for one get TempError. Only the cache answers afterwards.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	for _, f := range r.names.flights {
		f.cancel()
	}
	for _, f := range r.hosts.flights {
		f.cancel()
	}
	r.mu.Unlock()
	r.flights.Wait()
}

// LookupPTR asks for the names of an address. An IPv4-mapped IPv6 address is
// its IPv4 address; a zone is disregarded. The outcome is TempError at the
// latest when ctx is over; the look-up then runs on behind, for 20 seconds at
// most, and fills the cache.
func (r *Resolver) LookupPTR(ctx context.Context, addr netip.Addr, o Options) Answer {
	if !addr.IsValid() {
		return Answer{Outcome: TempError, Err: errors.New("no address")}
	}
	k := addrKey(addr.As16())
	e, cached := r.names.cached(k, o)
	if !cached {
		e, cached = r.names.ask(ctx, k, o)
	}
	a := answer(r, &e, cached)
	a.Names = e.records
	return a
}

// LookupAddrs asks for the addresses of a name: network "ip4" for A records,
// "ip6" for AAAA. The name is in presentation format and absolute, with or
// without its final dot. A text that is no domain name is a TempError. For the
// rest it is as LookupPTR.
func (r *Resolver) LookupAddrs(ctx context.Context, network, name string, o Options) Answer {
	k := hostKey{name: hostName(name)}
	switch network {
	case "ip4":
		k.qtype = dns.TypeA
	case "ip6":
		k.qtype = dns.TypeAAAA
	default:
		return Answer{Outcome: TempError, Err: fmt.Errorf("network %.60q: want ip4 or ip6", network)}
	}
	e, cached := r.hosts.cached(k, o)
	if !cached {
		asked, ok := canonical(k.name)
		if !ok {
			return Answer{Outcome: TempError, Err: fmt.Errorf("%.60q is no domain name", name)}
		}
		k.name = asked
		e, cached = r.hosts.ask(ctx, k, o)
	}
	a := answer(r, &e, cached)
	a.Addrs = e.records
	return a
}

// answer is an entry without its records.
func answer[R any](r *Resolver, e *entry[R], cached bool) Answer {
	a := Answer{Outcome: e.outcome, More: e.more, Cached: cached}
	switch e.outcome {
	case Found, None:
		a.At = r.start.Add(time.Duration(e.at) * time.Millisecond)
	case TempError:
		a.Err = e.err
	}
	return a
}

// clock is the time in milliseconds since the Resolver was made. It follows the
// monotonic clock, so that setting the wall clock ages nothing.
func (r *Resolver) clock() int64 { return r.now().Sub(r.start).Milliseconds() }
