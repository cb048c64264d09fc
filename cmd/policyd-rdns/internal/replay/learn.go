package replay

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy"
	"policyd-rdns/policy/gather"
	"policyd-rdns/resolver"
)

const (
	// maxLearnt bounds the clients whose facts are kept; twice as many at most.
	maxLearnt = 10_000
	// maxLearning bounds the clients that are looked up at once.
	maxLearning = 100
	// failureKept is for how long a client is not looked up again of whom the DNS
	// could not say enough.
	failureKept = time.Minute
)

// learner looks clients up in the DNS, so many a second, each with each of its
// HELO names once.
type learner struct {
	gatherer *gather.Gatherer
	resolver *resolver.Resolver
	pause    time.Duration // between two
	next     time.Time
	slots    chan struct{}
	running  sync.WaitGroup

	young, old map[clientKey]*learning
	queried    int
}

// clientKey is what facts are about. A HELO that is not known is none.
type clientKey struct {
	addr netip.Addr
	helo string
}

// learning is what is being learnt of a client.
type learning struct {
	done  chan struct{} // closed when the facts are there
	facts policy.Facts
	at    time.Time
}

// failed reports whether it is time to try again.
func (l *learning) failed(now time.Time) bool {
	select {
	case <-l.done:
		return len(l.facts.Errors) > 0 && now.Sub(l.at) > failureKept
	default:
		return false
	}
}

func newLearner(g *gather.Gatherer, r *resolver.Resolver, rate int) *learner {
	return &learner{
		gatherer: g, resolver: r, pause: time.Second / time.Duration(rate),
		slots: make(chan struct{}, maxLearning), young: map[clientKey]*learning{},
	}
}

// close waits for what is being learnt, at most for the deadline of one client.
func (l *learner) close() {
	l.running.Wait()
	l.resolver.Close()
}

// past is what is taken to be remembered of a client, which no log of Postfix tells: who is
// deferred for being new comes again, and it is asked who would be refused, so that each
// counts as one that came back.
func past(q *policy.Request) policy.Past {
	return policy.Past{Asked: true, DomainAsked: true, Returned: q.Time}
}

// known are the facts that need no query, as of [gather.Gatherer].
func (l *learner) known(q *policy.Request) policy.Facts {
	f := policy.NewFacts(q)
	f.Past, f.SPF.Result = past(q), policy.None // that of a domain is not asked here
	f.OwnClient = slices.Contains(l.gatherer.HostAddrs, q.Client)
	f.OwnHELO = f.HELO.Name != "" && slices.Contains(l.gatherer.HostNames, f.HELO.Name)
	return f
}

// facts waits for what is learnt; nil: what is known without a query is enough.
func (l *learner) facts(one *learning, q *policy.Request) policy.Facts {
	if one == nil {
		return l.known(q)
	}
	<-one.done
	f := one.facts
	f.Past = past(q)
	return f
}

// learn begins to learn of a client, or finds what was begun. It is called from one
// goroutine. The error is that of ctx, while it waits for its turn.
func (l *learner) learn(ctx context.Context, a *maillog.Attempt) (*learning, error) {
	key := clientKey{a.Client, a.HELO.Text}
	if one := l.find(key); one != nil && !one.failed(time.Now()) {
		return one, nil
	}
	if err := l.turn(ctx); err != nil {
		return nil, err
	}
	one := &learning{done: make(chan struct{})}
	l.keep(key, one)
	l.queried++
	// Without a time no answer is too old: a rejection is only counted here.
	q := policy.Request{Client: a.Client, HELO: a.HELO.Text, State: "RCPT"}
	l.running.Go(func() {
		defer func() { <-l.slots }()
		defer close(one.done)
		l.gatherer.Decide(ctx, &q, &policy.Rules{}, &one.facts)
		one.at = time.Now()
	})
	return one, nil
}

// turn waits until another client may be looked up.
func (l *learner) turn(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	timer := time.NewTimer(l.next.Sub(now))
	defer timer.Stop()
	l.next = l.next.Add(l.pause)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		<-l.slots
		return ctx.Err()
	}
}

func (l *learner) find(key clientKey) *learning {
	if one := l.young[key]; one != nil {
		return one
	}
	one := l.old[key]
	if one != nil {
		l.keep(key, one)
	}
	return one
}

// keep keeps what is asked for, and forgets what was not for long.
func (l *learner) keep(key clientKey, one *learning) {
	if len(l.young) == maxLearnt {
		l.young, l.old = make(map[clientKey]*learning, maxLearnt), l.young
	}
	l.young[key] = one
}
