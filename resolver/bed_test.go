package resolver

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

// serverAddrs are those of the servers of a bed.
var serverAddrs = [...]string{"192.0.2.53:53", "198.51.100.53:53", "203.0.113.53:53", "[2001:db8::53]:53", "[2001:db8::54]:53"}

// bed is a resolver with servers in memory, each with a world of its own, for
// use under synctest.
type bed struct {
	*Resolver
	t      *testing.T
	worlds []*world.World
	// server opens a connection for one query.
	server func(ctx context.Context, network, address string) (net.Conn, error)
}

// newBed makes a server of each text.
func newBed(t *testing.T, texts ...string) *bed {
	t.Helper()
	return configured(t, Config{}, texts...)
}

// configured is newBed with what the configuration says beside the usual.
func configured(t *testing.T, c Config, texts ...string) *bed {
	t.Helper()
	b := &bed{t: t}
	c.Timeout = cmp.Or(c.Timeout, 2*time.Second)
	c.CacheEntries = cmp.Or(c.CacheEntries, 1000)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 100)
	if b.server = c.Dial; b.server == nil {
		b.server = b.dial
	}
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return b.server(ctx, network, address)
	}
	for i, text := range texts {
		w, err := world.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b.worlds = append(b.worlds, w)
		c.Servers = append(c.Servers, netip.MustParseAddrPort(serverAddrs[i]))
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	b.Resolver = r
	return b
}

func (b *bed) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return b.worlds[slices.Index(serverAddrs[:], address)].Dial(ctx, network, address)
}

// set replaces the text of the first server.
func (b *bed) set(text string) {
	b.t.Helper()
	b.setServer(0, text)
}

func (b *bed) setServer(server int, text string) {
	b.t.Helper()
	if err := b.worlds[server].Set(text); err != nil {
		b.t.Fatal(err)
	}
}

// heard are the servers that got a query, and how often.
func (b *bed) heard(query string) []int {
	var servers []int
	for i := range b.worlds {
		for _, q := range b.queries(i) {
			if q == query {
				servers = append(servers, i)
			}
		}
	}
	return servers
}

// probes is how many probes a server got.
func (b *bed) probes(server int) int {
	return len(b.worlds[server].Queries()) - len(b.queries(server))
}

// asked is how many queries of callers the first server got.
func (b *bed) queried() int { return len(b.queries(0)) }

// queries are those that a server got, without probes.
func (b *bed) queries(server int) []string {
	probe := func(q string) bool { return q == "NS " || q == "PTR in-addr.arpa" }
	return slices.DeleteFunc(b.worlds[server].Queries(), probe)
}

// charged is how many networks and zones have lookups under way.
func (b *bed) charged() (n int) {
	for _, row := range []string{"helo", "rest"} {
		n += reflect.ValueOf(b.limiter).Elem().FieldByName(row).FieldByName("charged").Len()
	}
	return n
}

// named is how many lookups under way are for names of addresses.
func (b *bed) named() int64 { return reflect.ValueOf(b.limiter).Elem().FieldByName("named").Int() }

// What the rooms below keep to themselves, and tests wait for.
const (
	ripeAfter    = 200 * time.Millisecond // admission: until a lookup may give way to its like
	crowdPause   = 10 * time.Minute       // admission: between two warnings
	foldTimes    = 4                      // transport: queries until a server is taken to fold
	foldTime     = time.Hour              // transport: for how long
	refusedTries = 3                      // transport: queries that a server has to refuse
	refusedPause = 10 * time.Millisecond  // transport: between them
)

// lookup looks up "PTR 192.0.2.1", "A mail.example.com", "AAAA …", "TXT …" or "MX …".
func (b *bed) lookup(query string, o Options) Answer {
	return b.lookupContext(b.t.Context(), query, o)
}

func (b *bed) lookupContext(ctx context.Context, query string, o Options) Answer {
	qtype, name, _ := strings.Cut(query, " ")
	switch qtype {
	case "A":
		return b.LookupAddrs(ctx, "ip4", name, o)
	case "AAAA":
		return b.LookupAddrs(ctx, "ip6", name, o)
	case "TXT":
		return b.LookupTXT(ctx, name, o)
	case "MX":
		return b.LookupMX(ctx, name, o)
	}
	return b.LookupPTR(ctx, netip.MustParseAddr(name), o)
}

// say is lookup in words.
func (b *bed) say(query string, o Options) string { return words(b.lookup(query, o)) }

// words tells an answer: "found mail.example.com", "none", "temperror: why",
// "not queried", with "cached: " or "stale: " before it if it was.
func words(a Answer) string {
	var s string
	switch a.Outcome {
	case NotQueried:
		s = "not queried"
	case Found:
		s = "found"
		for _, name := range a.Names {
			s += " " + name
		}
		for _, text := range a.Texts {
			s += fmt.Sprintf(" %q", text)
		}
		for _, addr := range a.Addrs {
			s += " " + addr.String()
		}
		if a.More {
			s += " and more"
		}
	case None:
		s = "none"
	case TempError:
		s = fmt.Sprintf("temperror: %v", a.Err)
	}
	switch {
	case a.Stale && !a.Cached:
		s = "stale and not cached: " + s
	case a.Stale:
		s = "stale: " + s
	case a.Cached:
		s = "cached: " + s
	}
	return s
}
