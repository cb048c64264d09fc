package resolver

import (
	"net/netip"
	"time"
)

// ServerStats is what one server has done.
type ServerStats struct {
	Addr netip.AddrPort
	// Failing: it is queried last until it answers again.
	Failing  bool
	Answers  uint64
	Failures uint64 // tries without an answer: SERVFAIL, REFUSED, silence, …
	// Took is how long it took for all of Answers together.
	Took time.Duration
	// Tries are Answers and Failures by kind. An answer that is an alias to go
	// on from is Found.
	Tries []TryStats
	// Times are how many of Answers took no longer than each of AnswerTimes.
	Times []uint64
}

// TryStats counts the tries at one server that came out alike.
type TryStats struct {
	Kind    Kind
	Outcome Outcome
	N       uint64
}

// AnswerTimes are the times by which the answers of a server are counted
// (ServerStats.Times), ascending. A cache answers in less than a millisecond, the
// world in less than a second, and Config.Timeout is 2 seconds by default.
func AnswerTimes() [12]time.Duration {
	const ms = time.Millisecond
	return [...]time.Duration{ms / 2, ms, 2 * ms, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, 1000 * ms, 2500 * ms}
}

// tries counts those at one server. The caller holds health.mu.
type tries struct {
	byKind [numKinds][numOutcomes]uint64
	times  [12]uint64 // by the first of AnswerTimes that is not shorter
	took   time.Duration
	// answered: there was an answer among them.
	answered bool
}

func (t *tries) answer(k Kind, o Outcome, took time.Duration) {
	if o == NotQueried {
		o = Found // an alias
	}
	t.byKind[k][o]++
	t.answered = true
	t.took += took
	for i, most := range AnswerTimes() {
		if took <= most {
			t.times[i]++
			return
		}
	}
}

func (t *tries) failure(k Kind) { t.byKind[k][TempError]++ }

// stats fills in what a server has done.
func (t *tries) stats(s *ServerStats) {
	s.Took = t.took
	for k := range numKinds {
		for o := range numOutcomes {
			n := t.byKind[k][o]
			switch {
			case n == 0:
				continue
			case o == TempError:
				s.Failures += n
			default:
				s.Answers += n
			}
			s.Tries = append(s.Tries, TryStats{k, o, n})
		}
	}
	var sum uint64
	for _, n := range t.times {
		sum += n
		s.Times = append(s.Times, sum)
	}
}
