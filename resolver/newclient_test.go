package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

// BenchmarkNewClient is what the DNS is asked of a client that nobody has seen: its
// names, and the addresses of one, over sockets of the loopback. The server is in it.
func BenchmarkNewClient(b *testing.B) {
	w, err := world.Parse("")
	if err != nil {
		b.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.Serve(ctx, pc, l) })
	b.Cleanup(func() {
		stop()
		serving.Wait()
	})
	r, err := New(Config{
		Servers: []netip.AddrPort{pc.LocalAddr().(*net.UDPAddr).AddrPort()},
		Timeout: time.Second, CacheEntries: 1000, MaxInFlight: 100,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.Close)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		addr, _ := client(i)
		name := fmt.Sprintf("mail%d.example%d.com", i, i)
		for _, a := range []Answer{r.LookupPTR(ctx, addr, Options{}), r.LookupAddrs(ctx, "ip4", name, Options{})} {
			if a.Outcome != None {
				b.Fatal(words(a))
			}
		}
		i++
	}
}
