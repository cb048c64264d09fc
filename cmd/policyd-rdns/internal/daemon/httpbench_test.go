package daemon

import (
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// watchedHandling is newHandling with metrics and a status page.
func watchedHandling(tb testing.TB, client, helo string) *handling {
	tb.Helper()
	h := newHandling(tb, client, helo)
	conf := h.current.Load().conf
	h.watch = h.newWatch(conf)
	h.current.Store(h.generation(conf, h.current.Load().host, time.Now(), nil))
	return h
}

// TestWatchAllocatesNothing: what is served over HTTP costs a decision no memory.
func TestWatchAllocatesNothing(t *testing.T) {
	if testbed.UnderRace() {
		t.Skip("the race detector allocates")
	}
	for _, c := range handleCases {
		off, on := newHandling(t, c.client, c.helo), watchedHandling(t, c.client, c.helo)
		want := testing.AllocsPerRun(1000, func() { off.once(t) })
		if got := testing.AllocsPerRun(1000, func() { on.once(t) }); got > want {
			t.Errorf("%s: %v allocations a request with HTTP; want no more than the %v without", c.name, got, want)
		}
	}
}

// BenchmarkHandleWatched is [BenchmarkHandle] with metrics and a status page.
func BenchmarkHandleWatched(b *testing.B) {
	for _, c := range handleCases {
		b.Run(c.name, func(b *testing.B) {
			h := watchedHandling(b, c.client, c.helo)
			b.ReportAllocs()
			for b.Loop() {
				h.once(b)
			}
		})
	}
}
