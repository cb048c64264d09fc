package history_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

// failing is a store that fails with one error after the other, and then is empty.
type failing struct{ errs []error }

func (f *failing) next() error {
	if len(f.errs) == 0 {
		return nil
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return err
}

func (f *failing) Key(context.Context) (history.Key, error) { return history.Key{}, f.next() }

func (f *failing) Load(_ context.Context, parties []history.Party) ([]history.Record, error) {
	return make([]history.Record, len(parties)), f.next()
}

func (f *failing) Save(context.Context, []history.Stored) error  { return f.next() }
func (f *failing) Delete(context.Context, []history.Party) error { return f.next() }
func (f *failing) Shared() bool                                  { return false }
func (f *failing) Close() error                                  { return nil }

// TestTold: that a store does not answer is told once, with the first error; that it
// answers again with the last, which may tell what became of a damaged file.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &failing{errs: []error{errors.New("first"), errors.New("second"), errors.New("third")}}
		h := history.New(history.Options{Settings: settings, Entries: 100, Store: s, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 10 {
			h.Tick(t.Context())
			time.Sleep(time.Second) // of the bubble
		}
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], "error=first") ||
			!strings.Contains(lines[1], "the store answers again") || !strings.Contains(lines[1], "after=third") {
			t.Errorf("told is\n%s\nwant a warning of the first error, and that it answers again after the third", log.String())
		}
	})
}

// stalling is a store that does not answer loads while it stalls.
type stalling struct {
	failing
	stalls atomic.Bool
}

func (s *stalling) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	if s.stalls.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.failing.Load(ctx, parties)
}

// TestOneStall: many decisions that wait in vain for the same moment of a store do not make
// it one that does not answer; some one after the other do.
func TestOneStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := new(stalling)
		h := history.New(history.Options{Settings: settings, Entries: 1000, Store: s, Log: slog.New(slog.NewTextHandler(&log, nil))})
		h.Tick(t.Context())
		n := 0
		decide := func(many int) {
			var deciding sync.WaitGroup
			for range many {
				n++
				client := netip.AddrFrom4([4]byte{203, 0, 113, byte(n)})
				deciding.Go(func() { knows(h, client, &policy.Parties{}) })
			}
			deciding.Wait()
		}
		s.stalls.Store(true)
		decide(20)
		if log.Len() > 0 {
			t.Errorf("after one stall: %s", &log)
		}
		s.stalls.Store(false)
		decide(1)
		s.stalls.Store(true)
		decide(20)
		decide(20)
		if log.Len() > 0 {
			t.Errorf("after two stalls more: %s", &log)
		}
		decide(20)
		if !strings.Contains(log.String(), "level=WARN") {
			t.Error("after three stalls one after the other nothing is said")
		}
		begun := time.Now()
		if decide(20); time.Since(begun) > 0 {
			t.Error("decisions wait for a store that does not answer")
		}
	})
}

// slow is a store that takes its time to save, if it is given that.
type slow struct {
	failing
	takes time.Duration
	saved []int
}

func (s *slow) Save(ctx context.Context, records []history.Stored) error {
	select {
	case <-time.After(s.takes): // of the bubble
	case <-ctx.Done():
		return ctx.Err()
	}
	s.saved = append(s.saved, len(records))
	return nil
}

// TestStop: a daemon that stops does not wait for a slow store longer than two seconds.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(100_000, &slow{takes: 1500 * time.Millisecond})
		h.Probe(t.Context())
		for i := range 25_000 {
			h.Note(request(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})), new(policy.Parties), policy.NotedContact)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		begun := time.Now()
		if h.Run(ctx); time.Since(begun) > 2*time.Second {
			t.Errorf("it stopped after %v", time.Since(begun))
		}
	})
}

// TestBatches: what comes while a batch is written waits for the next second, so that a
// busy daemon does not write without a pause.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 10 * time.Millisecond}
		h := newHistory(100_000, s)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		for i := range 5000 {
			h.Note(request(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})), new(policy.Parties), policy.NotedContact)
			time.Sleep(time.Millisecond) // of the bubble
		}
		stop()
		running.Wait()
		if len(s.saved) > 8 {
			t.Errorf("5 seconds were written in %d batches of %d", len(s.saved), s.saved)
		}
	})
}
