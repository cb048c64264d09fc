package main

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"policyd-rdns/address"
	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// What makes the guard speak: natShare percent of at least natMessages messages
// within at least natTime.
const (
	natMessages = 200
	natShare    = 95
	natTime     = 10 * time.Minute
)

// natGuard notices that Postfix does not see who its clients are: behind the
// NAT of a container network, or a load balancer that does not say, all of them
// have one address, or a private one. All would be refused for its name, or
// none would be looked at. It says so once.
type natGuard struct {
	log *slog.Logger

	mu       sync.Mutex
	told     bool
	instance string // of the last message
	since    time.Time
	messages int
	inside   int // from private, loopback or own addresses
	// The address that more than half of the messages came from, if there is
	// one, by Boyer and Moore: a vote for it counts up, any other down.
	most  netip.Addr
	votes int
	ofIt  int // messages from most since it was chosen

	carriers carriers
}

// see counts a request of a client, by what became of the question for its names.
// Who logged in has an address of his own to come from.
func (g *natGuard) see(req *policy.Request, own bool, ptr resolver.Outcome) {
	if req.Authenticated || !req.Client.IsValid() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if req.Instance != "" && req.Instance == g.instance {
		return // another recipient of the same message
	}
	g.instance = req.Instance
	if !own {
		g.carriers.see(req, ptr, g.log)
	}
	if g.told {
		return
	}
	if g.messages == 0 {
		g.since = req.Time
	}
	g.messages++
	if own || address.Private(req.Client) || req.Client.IsLoopback() {
		g.inside++
	}
	g.vote(req.Client)
	if g.messages >= natMessages && req.Time.Sub(g.since) >= natTime {
		g.conclude()
	}
}

func (g *natGuard) vote(client netip.Addr) {
	switch {
	case client == g.most:
		g.votes++
		g.ofIt++
	case g.votes == 0:
		g.most, g.votes, g.ofIt = client, 1, 1
	default:
		g.votes--
	}
}

// conclude looks at what was counted, and begins anew.
func (g *natGuard) conclude() {
	enough := g.messages * natShare / 100
	const mend = "let Postfix see the clients: in smtpd behind a proxy smtpd_upstream_proxy_protocol = haproxy " +
		"(in front of postscreen postscreen_upstream_proxy_protocol), for containers a published port without " +
		"userland-proxy and masquerading, or host networking"
	switch {
	case g.ofIt >= enough:
		g.told = true
		g.log.Warn("nearly all mail comes from one address: Postfix does not see who its clients are, so that all are judged as one",
			"client", g.most, "messages", g.messages, "mend", mend)
	case g.inside >= enough:
		g.told = true
		g.log.Warn("nearly all mail comes from private or own addresses, which are not judged: Postfix does not see who its clients are",
			"messages", g.messages, "inside", g.inside, "mend", mend)
	}
	g.messages, g.inside, g.votes, g.ofIt, g.most = 0, 0, 0, 0, netip.Addr{}
}
