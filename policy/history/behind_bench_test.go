package history_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
)

// BenchmarkWrittenBehind is what noting costs a decision while as many as 20,000 a second
// are written to a file behind it, and in memory alone. worst is the longest that one took.
func BenchmarkWrittenBehind(b *testing.B) {
	for _, where := range []string{"memory", "file"} {
		b.Run(where, func(b *testing.B) {
			var store history.Store
			if where == "file" {
				store = sqlite.Open(filepath.Join(b.TempDir(), "history.sqlite"), sqlite.Options{Settings: settings})
			}
			h := newHistory(200_000, store)
			ctx, stop := context.WithCancel(b.Context())
			var behind sync.WaitGroup
			behind.Go(func() { h.Run(ctx) })
			var parties []policy.Parties
			for i := range 1000 {
				parties = append(parties, policy.Parties{Organisation: fmt.Sprintf("sender%d.example", i), HELO: fmt.Sprintf("mx.sender%d.example", i)})
			}
			const rate = 20_000
			begin, worst, noting := time.Now(), time.Duration(0), time.Duration(0)
			n := 0
			for b.Loop() {
				if ahead := time.Duration(n)*time.Second/rate - time.Since(begin); ahead > time.Millisecond {
					time.Sleep(ahead)
				}
				i := n % 40_000
				n++
				req := request(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}))
				now := time.Now()
				h.Note(req, &parties[i%len(parties)], passedOne)
				took := time.Since(now)
				noting += took
				worst = max(worst, took)
			}
			b.ReportMetric(float64(noting.Nanoseconds())/float64(n), "ns/note")
			b.ReportMetric(float64(worst.Microseconds()), "us-worst")
			b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "decisions/s")
			stop()
			behind.Wait()
			h.Close()
		})
	}
}
