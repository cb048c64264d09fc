package transport

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// foldTimes is after how many queries in a row that a server has folded it is
	// taken for one that does, and foldTime for how long its queries are then not
	// put twice for that. Somebody who wants it to be taken so has to guess as many
	// IDs and ports, with no reply of the server between.
	foldTimes = 4
	foldTime  = time.Hour
)

// folding is which servers do not repeat the case of a query. There are as many as were
// ever configured.
type folding struct {
	mu      sync.Mutex
	servers map[netip.AddrPort]folds
}

// folds is how many queries in a row a server has folded, and when it did the last.
type folds struct {
	times int
	last  time.Time
}

// keepsCase reports whether a server may repeat the case of a query.
func (f *folding) keepsCase(server netip.AddrPort) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.servers[server]
	return s.times < foldTimes || time.Since(s.last) >= foldTime
}

// repeated records whether a server has repeated the case of a query.
func (f *folding) repeated(server netip.AddrPort, itsCase bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if itsCase {
		delete(f.servers, server)
		return
	}
	if f.servers == nil {
		f.servers = make(map[netip.AddrPort]folds)
	}
	f.servers[server] = folds{f.servers[server].times + 1, time.Now()}
}
