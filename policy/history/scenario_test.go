package history_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/internal/cases"
)

// settings are those of design: the defaults of the configuration.
var settings = history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}

// A stage is where a scenario plays: rules, and a history that goes by the time of a
// bubble.
type stage struct {
	rules  *policy.Rules
	past   *history.History
	store  history.Store
	begun  time.Time
	nat    bool
	number int // of messages
	// jumps is by how much the wall clock is wrong when a message comes, one after the
	// other.
	jumps []time.Duration
}

func newStage(store history.Store) *stage {
	s := &stage{rules: &policy.Rules{OnDoubt: policy.Defer, Keep: settings.Keep}, store: store, begun: time.Now()}
	s.restart()
	return s
}

// restart begins with an empty memory.
func (s *stage) restart() {
	s.past = history.New(history.Options{Settings: settings, Entries: 1000, Store: s.store, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

// ask decides about one request, and notes what became of it.
func (s *stage) ask(e *cases.Evidence) policy.Decision {
	e.Req.Time = time.Now()
	if len(s.jumps) > 0 {
		e.Req.Time = e.Req.Time.Round(0).Add(s.jumps[s.number%len(s.jumps)])
	}
	f := &e.Facts
	if f.Parties, _ = s.rules.Parties(&e.Req, f); s.nat {
		f.Past = policy.Past{Asked: true, NAT: true}
	} else {
		past, wait := s.past.Begin(&e.Req, &f.Parties, false)
		if wait != nil {
			past = wait(context.Background())
		}
		f.Past = past
	}
	is, wait := s.past.Sender(e.Req.SenderDomain(), false)
	if wait != nil {
		is = wait(context.Background())
	}
	f.Past.Correspondent, f.Past.DomainKnown, f.Past.DomainAsked = is.Correspondent == policy.Yes, is.Known == policy.Yes, true
	f.Past.Unsure = f.Past.Unsure || is.Correspondent == policy.Unknown || is.Known == policy.Unknown
	d := s.rules.Judge(&e.Req, f)
	if !s.nat {
		s.past.Note(&e.Req, &f.Parties, d.Noted)
	}
	return d
}

// line plays a line of a scenario:
//
//	TIME CLIENT => DECISION          since the begin of the scenario
//	every TIME until TIME CLIENT => DECISION, …
//	mode enforce | restart | nat
//
// and settings and rules as the tables of package policy have them. DECISION is as there;
// "4xx", "5xx" and "2xx" stand for any of its kind, and of "every" the last one holds for
// all that follow.
func (s *stage) line(t *testing.T, where, line string) {
	t.Helper()
	left, want, request := strings.Cut(line, "=>")
	if !request {
		s.command(t, where, line)
		return
	}
	first, rest, _ := strings.Cut(left, " ")
	if first != "every" {
		s.at(t, where, s.begun.Add(duration(t, where, first)), rest, strings.TrimSpace(want))
		return
	}
	words := strings.Fields(rest)
	step, until := duration(t, where, words[0]), s.begun.Add(duration(t, where, words[2]))
	wants := strings.Split(want, ";")
	for i, at := 0, time.Now().Add(step); !at.After(until); i, at = i+1, at.Add(step) {
		s.at(t, where, at, strings.Join(words[3:], " "), strings.TrimSpace(wants[min(i, len(wants)-1)]))
	}
}

func (s *stage) at(t *testing.T, where string, at time.Time, client, want string) {
	t.Helper()
	if wait := time.Until(at); wait < 0 {
		t.Fatalf("%s: the time has passed", where)
	}
	time.Sleep(time.Until(at)) // of the bubble
	times := 1
	if n, rest, ok := strings.Cut(strings.TrimSpace(client), "x "); ok {
		if many, err := strconv.Atoi(n); err == nil {
			times, client = many, rest
		}
	}
	for i := range times {
		text := strings.ReplaceAll(client, "%", strconv.Itoa(i+1))
		e, err := cases.Client(text)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		s.number++
		e.Req.Instance = fmt.Sprint(s.number)
		d := s.ask(&e)
		got := cases.Told(d)
		switch kind := map[policy.Action]string{policy.Defer: "4xx", policy.Reject: "5xx", policy.DUNNO: "2xx"}[d.Action]; {
		case want == kind, want == got:
		default:
			t.Errorf("%s: after %v, %s: %s; want %s", where, time.Since(s.begun), text, got, want)
		}
	}
}

func (s *stage) command(t *testing.T, where, line string) {
	t.Helper()
	switch line {
	case "mode enforce":
		s.rules.Mode = policy.Enforce
		s.past.Enforced()
	case "restart":
		s.restart()
	case "nat":
		s.nat = true
	default:
		if err := cases.Setting(s.rules, line); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
	}
}

func duration(t *testing.T, where, text string) time.Duration {
	t.Helper()
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		days, rest = "0", text
	}
	n, err := strconv.Atoi(days)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if rest == "" {
		rest = "0s"
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	return time.Duration(n)*24*time.Hour + d
}

// TestScenarios plays scenarios.txt.
func TestScenarios(t *testing.T) { playScenarios(t, nil) }

// TestClockJumps plays them while the wall clock jumps from message to message, by more
// than anything is remembered for: history goes by the monotonic clock, and what it tells
// is as long ago for the request.
func TestClockJumps(t *testing.T) {
	const far = 40 * 24 * time.Hour
	playScenarios(t, []time.Duration{far, -far, 0, -far, far})
}

func playScenarios(t *testing.T, jumps []time.Duration) {
	t.Helper()
	text, err := os.ReadFile("testdata/scenarios.txt")
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	for block := range strings.SplitSeq(string(text), "\n\n") {
		begin := number + 1
		number += strings.Count(block, "\n") + 2
		name, lines, ok := strings.Cut(strings.TrimPrefix(block, "# "), "\n")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(nil)
				s.jumps = jumps
				for i, line := range strings.Split(lines, "\n") {
					if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
						s.line(t, fmt.Sprintf("scenarios.txt:%d", begin+1+i), line)
					}
				}
			})
		})
	}
}
