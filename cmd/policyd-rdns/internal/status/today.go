package status

import (
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/deferral"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

const (
	// maxDeferred bounds the deferred messages that are followed at once.
	maxDeferred = 4096
	todayBytes  = maxDeferred*deferral.MessageBytes + deferral.RuleBytes
	// maxRules bounds the rules that are told.
	maxRules = 20
)

// today follows the messages that were deferred since midnight UTC, or since the daemon
// runs.
type today struct {
	seed     deferral.Seed
	messages *deferral.Messages
	day      int64 // since 1970
}

func newToday() today {
	return today{seed: deferral.NewSeed(), messages: deferral.New(maxDeferred)}
}

// try makes of a decision what is followed. Several goroutines may call it at once.
func (t *today) try(r *journal.Record) (deferral.Try, bool) { return t.seed.Try(r) }

// begin begins another day at midnight. A clock that was put back begins none.
func (t *today) begin(at time.Time) {
	if day := dayOf(at); day > t.day {
		t.day = day
		t.messages.Forget()
	}
}

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// add takes the next try.
func (t *today) add(try *deferral.Try, at time.Time) {
	t.begin(at)
	t.messages.Add(try)
}

// todayFigures are what became of the messages that were deferred today.
type todayFigures struct {
	Since time.Time
	All   deferral.Figures
	Rules []deferral.Figures // the most first
	More  int                // rules that are not told
}

func (t *today) figures(begun, now time.Time) todayFigures {
	t.begin(now)
	f := todayFigures{Since: now.UTC().Truncate(24 * time.Hour)}
	if begun.After(f.Since) {
		f.Since = begun
	}
	f.All, f.Rules = t.messages.Figures()
	if n := len(f.Rules); n > maxRules {
		f.Rules, f.More = f.Rules[:maxRules], n-maxRules
	}
	for i := range f.Rules {
		f.Rules[i].Rule = plain.Line(f.Rules[i].Rule)
	}
	return f
}
