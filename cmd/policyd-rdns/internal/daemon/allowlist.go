package daemon

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/gather"
	"policyd-rdns/resolver"
)

// listPause is how often an operator is told that an allow-list does not answer us.
const listPause = time.Hour

// listMend is what to do then.
const listMend = "ask by a resolver of this host, not a large public one (resolver.servers), register with the list's operator if you send more queries than are free, or set names.dnswl = \"\""

// listGuard notices that the allow-list refuses to answer us. Of each decision the log has
// a temperror, which looks like any other, and nobody is spared any more.
type listGuard struct {
	mu    sync.Mutex
	list  string // that was told of
	at    time.Time
	times uint64 // since then
}

// see looks at what was learnt for a request at some time.
func (g *listGuard) see(list string, f *policy.Facts, now time.Time, log *slog.Logger) {
	refuses := func(e resolver.LookupError) bool { return e.Reason == gather.ListRefuses }
	if f.Listed != policy.TempError || !slices.ContainsFunc(f.Errors, refuses) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.times++
	if g.list == list && now.Sub(g.at) < listPause {
		return
	}
	log.Warn("the allow-list refuses our queries, for their number or for the resolver that they come from, so that the check dnswl spares nobody; told once in an hour",
		"list", list, "times", g.times, "mend", listMend)
	g.list, g.at, g.times = list, now, 0
}
