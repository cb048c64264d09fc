package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// recorder passes questions on and keeps them with their answers.
type recorder struct {
	dns policy.DNS

	mu    sync.Mutex
	asked []lookup
}

// BeginPTR is that of [policy.DNS].
func (r *recorder) BeginPTR(ctx context.Context, addr netip.Addr, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	begin := time.Now()
	a, wait := r.dns.BeginPTR(ctx, addr, o)
	return r.record(ctx, "PTR "+addr.String(), begin, a, wait)
}

// BeginAddrs is that of [policy.DNS].
func (r *recorder) BeginAddrs(ctx context.Context, network, name string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	begin := time.Now()
	a, wait := r.dns.BeginAddrs(ctx, network, name, o)
	return r.record(ctx, addrsQuestion(network, name), begin, a, wait)
}

// record keeps a query with its answer. A goroutine waits for that at once, so
// that the time is known that it took, and does nothing else: a panic would end the
// daemon.
func (r *recorder) record(ctx context.Context, question string, begin time.Time, a resolver.Answer, wait func(context.Context) resolver.Answer) (resolver.Answer, func(context.Context) resolver.Answer) {
	if wait == nil {
		r.keep(question, a, begin)
		return a, nil
	}
	answered := make(chan resolver.Answer, 1)
	go func() {
		a := wait(ctx)
		r.keep(question, a, begin)
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

func addrsQuestion(network, name string) string {
	if network == "ip6" {
		return "AAAA " + name
	}
	return "A " + name
}

// Raise is that of [policy.DNS].
func (r *recorder) Raise(network, name string, o resolver.Options) bool {
	return r.dns.Raise(network, name, o)
}

// Outage is that of [policy.DNS].
func (r *recorder) Outage() bool { return r.dns.Outage() }

// Count is that of [policy.DNS].
func (r *recorder) Count(k resolver.Kind, o resolver.Outcome, s resolver.Source) {
	r.dns.Count(k, o, s)
}

// keep leaves out questions that only looked into the cache.
func (r *recorder) keep(question string, a resolver.Answer, begin time.Time) {
	if a.Outcome == resolver.NotQueried {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, lookup{question, a, time.Since(begin)})
}

// lookups gives what was asked: the client's names first, then what was asked
// side by side, by name.
func (r *recorder) lookups() []lookup {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.asked, func(a, b lookup) int {
		if a, b := strings.HasPrefix(a.Question, "PTR"), strings.HasPrefix(b.Question, "PTR"); a != b {
			return map[bool]int{true: -1, false: 1}[a]
		}
		return strings.Compare(a.Question, b.Question)
	})
	return slices.Clone(r.asked)
}
