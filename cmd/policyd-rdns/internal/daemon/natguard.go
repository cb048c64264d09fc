package daemon

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/resolver"
)

// What makes the guard speak: natShare percent of at least natMessages messages
// within at least natTime.
const (
	natMessages = 200
	natShare    = 95
	natTime     = 10 * time.Minute
)

// natMend is what to do when Postfix does not see its clients.
const natMend = "let Postfix see the clients: in smtpd behind a proxy smtpd_upstream_proxy_protocol = haproxy " +
	"(in front of postscreen postscreen_upstream_proxy_protocol), for containers a published port without " +
	"userland-proxy and masquerading, or host networking"

// natGuard notices that Postfix does not see who its clients are: behind the
// NAT of a container network, or a load balancer that does not say, all of them
// have one address, or a private one. All would be refused for its name, or
// none would be looked at. The log says so once; the status page as long as it is
// so.
type natGuard struct {
	log *slog.Logger

	// behind is an address that others stand behind, as the warning names it; nil: none.
	behind atomic.Pointer[netip.Addr]

	mu       sync.Mutex
	told     bool   // by the log
	why      string // as the last count had it, Postfix does not see them; empty: it does
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

// see counts a request of a client, by what became of the query for its names.
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
	g.behind.Store(nil)
	switch {
	case g.ofIt >= enough:
		g.tell("nearly all mail comes from one address: Postfix does not see who its clients are, so that all are judged as one",
			"client", g.most, "messages", g.messages)
		most := g.most
		g.behind.Store(&most)
		g.why = fmt.Sprintf("Nearly all mail comes from one address, %v, so that all clients are judged as one", g.most)
	case g.inside >= enough:
		g.tell("nearly all mail comes from private or own addresses, which are not judged: Postfix does not see who its clients are",
			"messages", g.messages, "inside", g.inside)
		g.why = "Nearly all mail comes from private or own addresses, which are not judged"
	default:
		g.why = ""
	}
	g.messages, g.inside, g.votes, g.ofIt, g.most = 0, 0, 0, 0, netip.Addr{}
}

// tell has it in the log, unless that has it already.
func (g *natGuard) tell(what string, args ...any) {
	if !g.told {
		g.log.Warn(what, append(args, "mend", natMend)...)
	}
	g.told = true
}

// names reports whether the warning names a client.
func (g *natGuard) names(client netip.Addr) bool {
	behind := g.behind.Load()
	return behind != nil && *behind == client
}

// trouble says why Postfix does not see who its clients are, and what to do about
// it; empty: it does, or nobody knows yet.
func (g *natGuard) trouble() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == "" {
		return ""
	}
	return g.why + ". To mend it, " + natMend + "."
}
