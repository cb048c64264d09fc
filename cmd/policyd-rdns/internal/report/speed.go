package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Speed is how long decisions took, and what they queried.
type Speed struct {
	// Milliseconds that a share of the decisions took at most, to three digits.
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`

	Queried int    `json:"queried"` // decisions that needed the DNS
	Cached  int    `json:"cached"`  // of these, all from the cache
	Queries int    `json:"queries"` // that were sent
	Slowest []Slow `json:"slowest"`
}

// Slow is the slowest decision about a client.
type Slow struct {
	At      time.Time `json:"at"`
	MS      float64   `json:"ms"`
	Client  string    `json:"client"`
	Name    string    `json:"name"`
	Queries int       `json:"queries"`
	Fault   string    `json:"fault"` // of the first lookup that failed

	elapsed time.Duration
}

// maxSlow is how many of the slowest are told.
const maxSlow = 10

// longest is the longest time that is told apart; a decision has a minute at
// most (server.deadline).
const longest = 5 * time.Minute

// speed counts how long decisions took.
type speed struct {
	micros  *hdrhistogram.Histogram
	queried int
	cached  int
	queries int
	slowest []Slow // the slowest first
}

func newSpeed() speed {
	return speed{micros: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (s *speed) add(i *item) {
	// An error is that of a time out of range, which this is not.
	_ = s.micros.RecordValue(min(max(i.elapsed.Microseconds(), 0), longest.Microseconds()))
	s.queries += i.queries
	if i.queries > 0 || i.notes.cached {
		s.queried++
	}
	if i.notes.cached {
		s.cached++
	}
	if len(s.slowest) < maxSlow || i.elapsed > s.slowest[maxSlow-1].elapsed {
		s.keep(i)
	}
}

// keep puts a decision among the slowest, unless one of the same client is
// slower.
func (s *speed) keep(i *item) {
	slow := Slow{
		At: i.at, MS: millis(i.elapsed), Client: clientText(i.who.client), Name: strings.Clone(clip(i.who.name)),
		Queries: i.queries, elapsed: i.elapsed,
	}
	if of := slices.IndexFunc(s.slowest, func(o Slow) bool { return o.Client == slow.Client }); of >= 0 {
		if s.slowest[of].elapsed >= slow.elapsed {
			return
		}
		s.slowest = slices.Delete(s.slowest, of, of+1)
	}
	if len(i.faults) > 0 && len(i.faults[0].reasons) > 0 {
		slow.Fault = strings.Clone(i.faults[0].reasons[0].String())
	}
	// Behind those that took as long, so that the earliest of them stays.
	at, _ := slices.BinarySearchFunc(s.slowest, slow, func(a, b Slow) int {
		return cmp.Or(cmp.Compare(b.elapsed, a.elapsed), -1)
	})
	s.slowest = slices.Insert(s.slowest, at, slow)
	s.slowest = s.slowest[:min(len(s.slowest), maxSlow)]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (s *speed) report() Speed {
	// The histogram knows three digits, so that a share may seem slower than all.
	at := func(percent float64) float64 {
		return min(float64(s.micros.ValueAtQuantile(percent))/1000, s.slowest[0].MS)
	}
	return Speed{
		P50: at(50), P90: at(90), P99: at(99), Max: s.slowest[0].MS,
		Queried: s.queried, Cached: s.cached, Queries: s.queries, Slowest: s.slowest,
	}
}
