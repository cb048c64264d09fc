package replay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// TestLearnerRate: so many clients a second, however quickly they come, and only so
// many at once.
func TestLearnerRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearner(nil, nil, 20)
		begin := time.Now()
		for range maxLearning {
			if err := l.turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took, want := time.Since(begin), (maxLearning-1)*time.Second/20; took != want {
			t.Errorf("%d turns took %v; want %v", maxLearning, took, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := l.turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a turn beside %d others = %v; want none", maxLearning, err)
		}
		<-l.slots
		if err := l.turn(t.Context()); err != nil {
			t.Errorf("a turn after one has ended = %v; want it", err)
		}
	})
}

// TestLearningFailed: who could not be learnt of is asked about again, but not at
// once.
func TestLearningFailed(t *testing.T) {
	now := time.Now()
	open, closed := make(chan struct{}), make(chan struct{})
	close(closed)
	bad := policy.Facts{PTR: resolver.TempError, Errors: []resolver.LookupError{{About: "192.0.2.1", Reason: "timeout"}}}
	tests := []struct {
		name string
		l    learning
		want bool
	}{
		{"not learnt yet", learning{done: open, at: now.Add(-time.Hour)}, false},
		{"learnt", learning{done: closed, at: now.Add(-time.Hour)}, false},
		{"failed just now", learning{done: closed, facts: bad, at: now}, false},
		{"failed a while ago", learning{done: closed, facts: bad, at: now.Add(-failureKept - 1)}, true},
	}
	for _, test := range tests {
		if got := test.l.failed(now); got != test.want {
			t.Errorf("%s: failed = %t; want %t", test.name, got, test.want)
		}
	}
}
