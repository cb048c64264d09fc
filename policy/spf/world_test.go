package spf

import (
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// bed is a resolver and the world that it queries, for use under synctest.
type bed struct {
	*resolver.Resolver
	*world.World
}

func newDNS(t testing.TB, zone string) bed {
	t.Helper()
	w, err := world.Parse(zone)
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")},
		Timeout: 2 * time.Second, CacheEntries: 1000, MaxInFlight: 100, Dial: w.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return bed{r, w}
}
