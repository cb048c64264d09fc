package daemon

import (
	"context"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/past/answer"
	"policyd-rdns/policy/postfix"
)

// inquire answers what commands ask over a policy socket. A unix socket is Postfix's,
// whose user is nobody to be told; who may connect over TCP learns no more than that
// the daemon runs, how it does, and whether a file is the one in force.
func (d *Daemon) inquire(ctx context.Context, q *postfix.Inquiry) []postfix.Attribute {
	if q.Asker == postfix.Stranger {
		return told("error", "only root and the daemon's own user may ask here")
	}
	switch verb, _, _ := strings.Cut(q.Query, " "); {
	case q.Query == "hash":
		return told("hash", d.current.Load().conf.Hash)
	case q.Query == "health":
		return d.healthy(ctx)
	case q.Asker != postfix.Owner:
		return told("error", "over TCP only hash and health are told")
	case verb == answer.Past, verb == answer.Forget, verb == answer.Correspondent:
		s := d.current.Load().conf.History.Settings
		return answer.Make(ctx, d.history, q.Query, &s, time.Now())
	}
	return told("error", "unknown query: want hash, health, past, correspondent or forget")
}

func told(name, value string) []postfix.Attribute {
	return []postfix.Attribute{{Name: name, Value: value}}
}

// healthy reports whether Postfix can be served: who asks this way has found the daemon
// listening, so that it is whether a DNS server answers. Beside that it tells what an
// operator should look at, in sentences that name nobody.
func (d *Daemon) healthy(ctx context.Context) []postfix.Attribute {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	all := told("ready", "yes")
	if err := d.resolver.Reachable(ctx); err != nil {
		all = []postfix.Attribute{{Name: "ready", Value: "no"}, {Name: "why", Value: "no DNS server answers: " + err.Error()}}
	}
	conf, server, lines := d.current.Load().conf, d.server.Stats(), d.journal.Stats()
	tell := func(name, value string) { all = append(all, postfix.Attribute{Name: name, Value: value}) }
	tell("mode", conf.Rules.Mode.String())
	tell("decisions", strconv.FormatUint(d.decisions.Load(), 10))
	tell("refused", strconv.FormatUint(d.refused.Load(), 10))
	tell("lost", strconv.FormatUint(lines.Lost, 10))
	tell("connections", strconv.FormatInt(server.Open, 10))
	tell("max_connections", strconv.Itoa(d.server.MaxConnections))
	for _, trouble := range []struct {
		name, why string
		is        bool
	}{
		{"reload", "the configuration has mistakes, and an older one is in force", d.reloadFailed.Load()},
		{"exempt_file", "exempt_file is damaged, and what it held before is in force", d.damage.Load() != nil},
		{"log", "lines of the decision log cannot be written", lines.Losing},
		{"clients", "Postfix does not see who its clients are", d.nat.trouble() != ""},
	} {
		if trouble.is {
			tell("trouble_"+trouble.name, trouble.why)
		}
	}
	return all
}
