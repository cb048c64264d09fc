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

// LookupPTR is that of [policy.DNS].
func (r *recorder) LookupPTR(ctx context.Context, addr netip.Addr, o resolver.Options) resolver.Answer {
	begin := time.Now()
	a := r.dns.LookupPTR(ctx, addr, o)
	r.keep("PTR "+addr.String(), a, begin)
	return a
}

// LookupAddrs is that of [policy.DNS].
func (r *recorder) LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer {
	begin := time.Now()
	a := r.dns.LookupAddrs(ctx, network, name, o)
	qtype := "A "
	if network == "ip6" {
		qtype = "AAAA "
	}
	r.keep(qtype+name, a, begin)
	return a
}

// Outage is that of [policy.DNS].
func (r *recorder) Outage() bool { return r.dns.Outage() }

// keep leaves out questions that only looked into the cache.
func (r *recorder) keep(question string, a resolver.Answer, begin time.Time) {
	if a.Outcome == resolver.NotAsked {
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
