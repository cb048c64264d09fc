package history_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/internal/cases"
)

// faulty is a store that fails, hangs or works, as it is told, and that others write to
// or not.
type faulty struct {
	mu      sync.Mutex
	records map[history.Party]history.Record
	key     history.Key
	shared  bool
	fault   int // 0: well, 1: fails, 2: hangs
}

func (f *faulty) trouble(ctx context.Context) error {
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()
	switch fault {
	case 1:
		return errors.New("the disk is full")
	case 2:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (f *faulty) be(fault int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *faulty) Key(ctx context.Context) (history.Key, error) { return f.key, f.trouble(ctx) }

func (f *faulty) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	if err := f.trouble(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]history.Record, len(parties))
	for i, p := range parties {
		all[i] = f.records[p]
	}
	return all, nil
}

func (f *faulty) Save(ctx context.Context, records []history.Stored) error {
	if err := f.trouble(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range records {
		r := f.records[s.Party]
		r.Merge(&s.Record, &settings)
		f.records[s.Party] = r
	}
	return nil
}

func (f *faulty) Delete(ctx context.Context, parties []history.Party) error {
	if err := f.trouble(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range parties {
		delete(f.records, p)
	}
	return nil
}

func (f *faulty) Shared() bool { return f.shared }
func (f *faulty) Close() error { return nil }

// clients are those of the properties: hosts of one organisation and of none, of both
// families, neighbours, well and badly set up.
var clients = []string{
	"203.0.113.10 a.example.com>me helo:a.example.com>me",
	"203.0.113.11 b.example.com>me helo:b.example.com>me",
	"203.0.113.12 c.example.com>none helo:c.example.com>none",
	"203.0.113.10 ptr:none helo:a.example.com>me",
	"203.0.113.10 ptr:temperror helo:a.example.com>me",
	"203.0.113.20 ptr:none helo:x.example.net>198.51.100.7",
	"203.0.113.21 ip-203-0-113-21.example.net>me helo:ip-203-0-113-21.example.net>me",
	"203.0.113.22 mail.example.net>me helo:ubuntu",
	"2001:db8::25 ptr:none helo:a.example.com>me",
	"2001:db8::26 a.example.com>me helo:a.example.com>me",
	"2001:db8::27 ptr:none helo:x>none",
}

// play plays a random history, and calls each for every decision.
func play(t *testing.T, random *rand.Rand, store *faulty, lines []string, each func(s *stage, e *cases.Evidence, d policy.Decision)) {
	t.Helper()
	var s *stage
	if store == nil {
		s = newStage(nil)
	} else {
		s = newStage(store)
	}
	for _, line := range lines {
		if err := cases.Setting(s.rules, line); err != nil {
			t.Fatal(err)
		}
	}
	for range 120 {
		time.Sleep(time.Duration(random.ExpFloat64() * float64(2*time.Hour)))
		if store != nil && random.IntN(10) == 0 {
			store.be(random.IntN(3))
		}
		if store != nil && random.IntN(30) == 0 {
			s.restart()
		}
		if random.IntN(4) > 0 {
			s.past.Tick(t.Context())
		}
		e, err := cases.Client(clients[random.IntN(len(clients))] + fmt.Sprintf(" from:<u@example.%s> to:b%d@example.org", []string{"com", "net"}[random.IntN(2)], random.IntN(2)) +
			[]string{"", " spf:own", " spf:pass", " spf:fail", " spf:temperror"}[random.IntN(5)])
		if err != nil {
			t.Fatal(err)
		}
		s.number++
		e.Req.Instance = fmt.Sprint(s.number)
		each(s, &e, s.ask(&e))
	}
}

// TestFirstObjections: where defer_for is set no first answered objection of an address
// is a 5xx, whatever the store does and whoever else comes; none is before it has lasted
// so long.
func TestFirstObjections(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var store *faulty
			if seed%3 > 0 {
				store = &faulty{records: map[history.Party]history.Record{}, shared: seed%3 == 2, key: history.Key{1}}
			}
			objected := map[string]time.Time{} // the first of those answered
			play(t, random, store, []string{"builtin", "with defer_for:4h grace:96h"}, func(s *stage, e *cases.Evidence, d policy.Decision) {
				client, now := e.Req.Client.String(), time.Now()
				first, before := objected[client]
				switch {
				case d.Decided == policy.Reject && (!before || now.Sub(first) < 4*time.Hour-time.Second):
					t.Errorf("seed %d: %s: %s, %v after the first objection (%t)", seed, e.Text, cases.Told(d), now.Sub(first), before)
				case d.Noted&policy.NotedObjection != 0 && !before:
					objected[client] = now
				}
			})
		})
	}
}

// TestKnownNotNew: a party that is known is never deferred by a rule that asks for new.
// Trouble of the store may make it forgotten, and never a 5xx of a defer.
func TestKnownNotNew(t *testing.T) {
	lines := []string{"rule grey: defer when history=new", "rule never: reject when history=!known ptr=none"}
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			var store *faulty
			if seed%2 > 0 {
				store = &faulty{records: map[history.Party]history.Record{}, shared: seed%4 == 1, key: history.Key{1}}
			}
			known := map[string]time.Time{}
			play(t, random, store, lines, func(s *stage, e *cases.Evidence, d policy.Decision) {
				client, now := e.Req.Client.String(), time.Now()
				if d.Action == policy.Reject {
					t.Errorf("seed %d: %s: %s: nothing remembered is no ground for a 5xx", seed, e.Text, cases.Told(d))
				}
				if last, ok := known[client]; store == nil && ok && now.Sub(last) < settings.Keep && strings.HasPrefix(cases.Told(d), "defer (grey)") {
					t.Errorf("seed %d: %s was known %v ago: %s", seed, e.Text, now.Sub(last), cases.Told(d))
				}
				if d.Checks[policy.CheckHistory] == policy.Known && d.Noted&policy.NotedPass != 0 {
					known[client] = now
				}
			})
		})
	}
}

// TestOthersDoNoHarm: no event of another address makes an answer harsher.
func TestOthersDoNoHarm(t *testing.T) {
	lines := []string{"builtin", "with defer_for:4h grace:96h"}
	for seed := range uint64(80) {
		// The same client at the same times, alone and among others.
		var alone, among []policy.Decision
		for _, others := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 3))
				one := clients[random.IntN(len(clients))]
				s := newStage(nil)
				for _, line := range lines {
					if err := cases.Setting(s.rules, line); err != nil {
						t.Fatal(err)
					}
				}
				for range 60 {
					time.Sleep(time.Duration(random.ExpFloat64() * float64(3*time.Hour)))
					other := clients[random.IntN(len(clients))]
					mine := random.IntN(2) == 0
					text := other
					if mine {
						text = one
					}
					e, err := cases.Client(text + fmt.Sprintf(" from:<u@example.com> to:b%d@example.org", random.IntN(2)))
					if err != nil {
						t.Fatal(err)
					}
					own, _ := cases.Client(one)
					switch {
					case mine:
						d := s.ask(&e)
						if others {
							among = append(among, d)
						} else {
							alone = append(alone, d)
						}
					case others && e.Req.Client != own.Req.Client:
						s.ask(&e)
					}
				}
			})
		}
		for i := range alone {
			if alone[i].Action.Milder(among[i].Action) {
				t.Errorf("seed %d: request %d: %s alone, %s among others", seed, i, cases.Told(alone[i]), cases.Told(among[i]))
			}
		}
	}
}

// TestSeriesEndsElsewhere: a series of objections ends by a pass that another server of a
// common store has seen, though this one knows the client well.
func TestSeriesEndsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &faulty{records: map[history.Party]history.Record{}, shared: true}
		here, there := newHistory(100, store), newHistory(100, store)
		tick := func() {
			here.Tick(t.Context())
			there.Tick(t.Context())
		}
		tick()
		req, p := request(netip.MustParseAddr("203.0.113.10")), &policy.Parties{HELO: "mx.example.com"}
		note := func(h *history.History, noted policy.Noted) {
			h.Note(req, p, noted)
			tick()
			time.Sleep(21 * time.Hour)
		}
		note(here, passedOne)
		note(here, passedOne)
		note(here, policy.NotedContact|policy.NotedObjection)
		note(there, passedOne)
		past, wait := here.Begin(req, p, false)
		if wait != nil {
			past = wait(t.Context())
		}
		if past.PassDays < 2 || !past.Objected.IsZero() {
			t.Errorf("past is %+v; want a known client without objections", past)
		}
	})
}

// TestForgottenForNow: whom the store knows and cannot tell of is not rejected for that: a
// known client in its grace, one that is exempt as known, a correspondent.
func TestForgottenForNow(t *testing.T) {
	const well, broken = "203.0.113.10 a.example.com>me helo:a.example.com>me from:<a@example.com> to:b@example.org",
		"203.0.113.10 ptr:none helo:a.example.com>me from:<a@example.com> to:b@example.org"
	for _, tt := range []struct {
		name  string
		lines []string
		came  string
	}{
		{"in its grace", []string{"rule nameless: reject when ptr=none", "with grace:96h"}, well},
		{"exempt", []string{"exempt old: history=known", "rule nameless: reject when ptr=none"}, well},
		{"a correspondent", []string{"builtin"}, "192.168.0.7 auth helo:laptop from:<b@example.org> to:a@example.com"},
	} {
		for fault := range 3 {
			for _, shared := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					store := &faulty{records: map[history.Party]history.Record{}, shared: shared}
					s := newStage(store)
					for _, line := range tt.lines {
						if err := cases.Setting(s.rules, line); err != nil {
							t.Fatal(err)
						}
					}
					ask := func(text string) policy.Decision {
						e, err := cases.Client(text)
						if err != nil {
							t.Fatal(err)
						}
						return s.ask(&e)
					}
					for range 2 {
						s.past.Tick(t.Context())
						ask(tt.came)
						s.past.Tick(t.Context())
						time.Sleep(21 * time.Hour)
					}
					s.restart()
					for i := range 5 {
						if i == 1 { // the first comes before the store was asked at all
							s.past.Tick(t.Context())
							store.be(fault)
						}
						if d := ask(broken); d.Action == policy.Reject {
							t.Errorf("%s, fault %d, shared %t, request %d: %s", tt.name, fault, shared, i, cases.Told(d))
						}
					}
				})
			}
		}
	}
}
