package resolver

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/resolver/internal/message"
)

// filled is a resolver that has n answers, half of them names of addresses, half
// addresses of those names, as they come from the wire.
func filled(t testing.TB, n int, now func() time.Time) *Resolver {
	t.Helper()
	r, err := New(Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: time.Second, CacheEntries: n, MaxInFlight: 1, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n / 2 {
		ip, name := client(i)
		ptr := finding{outcome: Found, ttl: time.Hour, records: []message.Record{{Name: name + "."}}}
		k := addrKey(ip.As16())
		r.names.cache.put(k, r.names.entry(k, ptr))
		a := finding{outcome: Found, ttl: time.Hour, records: []message.Record{{Addr: ip}}}
		h := hostKey{name: strings.Clone(name), qtype: dns.TypeA}
		r.hosts.cache.put(h, r.hosts.entry(h, a))
	}
	return r
}

// client is the address and name of client i.
func client(i int) (netip.Addr, string) {
	return netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprintf("mail%d.customer.example.com", i)
}

// TestNow: answers grow old by the clock that was handed in.
func TestNow(t *testing.T) {
	now := time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	r := filled(t, 100, func() time.Time { return now })
	defer r.Close()
	ip, _ := client(7)
	now = now.Add(time.Hour - time.Millisecond)
	if a := r.LookupPTR(t.Context(), ip, Options{CacheOnly: true}); a.Outcome != Found || a.Age != time.Hour-time.Millisecond {
		t.Errorf("after 59m59.999s = %s, of %v; want it found", words(a), a.Age)
	}
	now = now.Add(time.Millisecond)
	if a := r.LookupPTR(t.Context(), ip, Options{CacheOnly: true}); a.Outcome != NotQueried {
		t.Errorf("after an hour = %s; want it gone", words(a))
	}
}

func TestCachedAllocatesNothing(t *testing.T) {
	r := filled(t, 100, nil)
	defer r.Close()
	ip, name := client(7)
	ctx, o := t.Context(), Options{MaxAge: time.Minute, Budget: NewBudget(20)}
	for _, test := range []struct {
		name string
		call func() Answer
	}{
		{"LookupPTR", func() Answer { return r.LookupPTR(ctx, ip, o) }},
		{"LookupAddrs", func() Answer { return r.LookupAddrs(ctx, "ip4", name, o) }},
	} {
		if a := test.call(); a.Outcome != Found || !a.Cached {
			t.Fatalf("%s = %s; want it found and cached", test.name, words(a))
		}
		if got := testing.AllocsPerRun(100, func() { test.call() }); got != 0 {
			t.Errorf("%s, cached: %v allocations; want none", test.name, got)
		}
	}
}

func BenchmarkCachedPTR(b *testing.B) {
	const n = 100_000
	r := filled(b, n, nil)
	defer r.Close()
	ctx := b.Context()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		ip := netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})
		if a := r.LookupPTR(ctx, ip, Options{}); a.Outcome != Found {
			b.Fatal(words(a))
		}
		i = (i + 7919) % (n / 2)
	}
}

func BenchmarkCachedAddrs(b *testing.B) {
	const n = 100_000
	r := filled(b, n, nil)
	defer r.Close()
	names := make([]string, n/2)
	for i := range names {
		_, names[i] = client(i)
	}
	ctx := b.Context()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if a := r.LookupAddrs(ctx, "ip4", names[i], Options{}); a.Outcome != Found {
			b.Fatal(words(a))
		}
		i = (i + 7919) % len(names)
	}
}

// TestMemory: an answer takes 300 bytes at most, all told. With this number the
// maps are half empty, as they are with a million.
func TestMemory(t *testing.T) {
	const n = 250_000
	before := heap()
	r := filled(t, n, nil)
	if got := (heap() - before) / n; got > 300 {
		t.Errorf("%d answers take %d bytes each; want 300 at most", n, got)
	}
	r.Close()
}

// BenchmarkMemory measures what a million answers take, all told.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		r := filled(b, n, nil)
		b.ReportMetric(float64(heap()-before)/n, "heap-B/entry")
		r.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
