package daemon

import (
	"context"

	"policyd-rdns/policy/postfix"
)

// inquire answers what commands ask over a policy socket. A unix socket is Postfix's,
// whose user is nobody to be told; who may connect over TCP learns no more than that
// the daemon runs, how it does, and whether a file is the one in force.
func (d *Daemon) inquire(ctx context.Context, q *postfix.Inquiry) []postfix.Attribute {
	if q.Asker == postfix.Stranger {
		return []postfix.Attribute{{Name: "error", Value: "only root and the daemon's own user may ask here"}}
	}
	switch q.Query {
	case "hash":
		return []postfix.Attribute{{Name: "hash", Value: d.current.Load().conf.Hash}}
	case "health":
		return d.healthy(ctx)
	}
	return []postfix.Attribute{{Name: "error", Value: "unknown query: want hash or health"}}
}

// healthy tells whether Postfix can be served: who asks this way has found the daemon
// listening, so that it is whether a DNS server answers.
func (d *Daemon) healthy(ctx context.Context) []postfix.Attribute {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if err := d.resolver.Reachable(ctx); err != nil {
		return []postfix.Attribute{{Name: "ready", Value: "no"}, {Name: "why", Value: "no DNS server answers: " + err.Error()}}
	}
	return []postfix.Attribute{{Name: "ready", Value: "yes"}}
}
