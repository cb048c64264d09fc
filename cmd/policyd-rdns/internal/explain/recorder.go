package explain

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// recorder passes queries on and keeps them with their answers.
type recorder struct {
	dns   gather.DNS
	whole spf.DNS

	mu   sync.Mutex
	made []Lookup
}

// BeginPTR is that of [gather.DNS].
func (r *recorder) BeginPTR(ctx context.Context, addr netip.Addr, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	begin := time.Now()
	a, wait := r.dns.BeginPTR(ctx, addr, o)
	return r.record(ctx, "PTR "+addr.String(), begin, a, wait)
}

// BeginAddrs is that of [gather.DNS].
func (r *recorder) BeginAddrs(ctx context.Context, network, name string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	begin := time.Now()
	a, wait := r.dns.BeginAddrs(ctx, network, name, o)
	return r.record(ctx, addrsQuery(network, name), begin, a, wait)
}

// record keeps a query with its answer. A goroutine waits for that at once, so
// that the time is known that it took, and does nothing else: a panic would end the
// daemon.
func (r *recorder) record(ctx context.Context, query string, begin time.Time, a resolver.Answer, wait func(context.Context) resolver.Answer) (resolver.Answer, func(context.Context) resolver.Answer) {
	if wait == nil {
		r.keep(query, a, begin)
		return a, nil
	}
	answered := make(chan resolver.Answer, 1)
	go func() {
		a := wait(ctx)
		r.keep(query, a, begin)
		answered <- a
	}()
	return resolver.Answer{}, func(enough context.Context) resolver.Answer {
		select {
		case a := <-answered:
			return a
		case <-enough.Done():
		}
		select {
		case a := <-answered: // at the same time
			return a
		default:
			return resolver.Answer{Outcome: resolver.TempError, Err: enough.Err()}
		}
	}
}

// LookupTXT is that of [spf.DNS].
func (r *recorder) LookupTXT(ctx context.Context, name string, o resolver.Options) resolver.Answer {
	begin := time.Now()
	return r.kept("TXT "+name, r.whole.LookupTXT(ctx, name, o), begin)
}

// LookupMX is that of [spf.DNS].
func (r *recorder) LookupMX(ctx context.Context, domain string, o resolver.Options) resolver.Answer {
	begin := time.Now()
	return r.kept("MX "+domain, r.whole.LookupMX(ctx, domain, o), begin)
}

// LookupAddrs is that of [spf.DNS].
func (r *recorder) LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer {
	begin := time.Now()
	return r.kept(addrsQuery(network, name), r.whole.LookupAddrs(ctx, network, name, o), begin)
}

// LookupPTR is that of [spf.DNS].
func (r *recorder) LookupPTR(ctx context.Context, addr netip.Addr, o resolver.Options) resolver.Answer {
	begin := time.Now()
	return r.kept("PTR "+addr.String(), r.whole.LookupPTR(ctx, addr, o), begin)
}

// kept keeps a query that was answered, if it was not made before.
func (r *recorder) kept(query string, a resolver.Answer, begin time.Time) resolver.Answer {
	r.mu.Lock()
	made := slices.ContainsFunc(r.made, func(l Lookup) bool { return l.Query == query })
	r.mu.Unlock()
	if !made {
		r.keep(query, a, begin)
	}
	return a
}

func addrsQuery(network, name string) string {
	if network == "ip6" {
		return "AAAA " + name
	}
	return "A " + name
}

// Raise is that of [gather.DNS].
func (r *recorder) Raise(network, name string, o resolver.Options) bool {
	return r.dns.Raise(network, name, o)
}

// Outage is that of [gather.DNS].
func (r *recorder) Outage() bool { return r.dns.Outage() }

// Count is that of [gather.DNS].
func (r *recorder) Count(k resolver.Kind, o resolver.Outcome, s resolver.Source) {
	r.dns.Count(k, o, s)
}

// keep leaves out queries that only looked into the cache.
func (r *recorder) keep(query string, a resolver.Answer, begin time.Time) {
	if a.Outcome == resolver.NotQueried {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, Lookup{query, a, time.Since(begin)})
}

// lookups gives what was queried: the client's names first, then what was queried
// side by side, by name.
func (r *recorder) lookups() []Lookup {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.made, func(a, b Lookup) int {
		if a, b := strings.HasPrefix(a.Query, "PTR"), strings.HasPrefix(b.Query, "PTR"); a != b {
			return map[bool]int{true: -1, false: 1}[a]
		}
		return strings.Compare(a.Query, b.Query)
	})
	return slices.Clone(r.made)
}
