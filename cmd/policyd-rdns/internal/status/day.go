package status

import (
	"time"

	"policyd-rdns/policy/journal"
)

// dayMinutes is how far back decisions are counted.
const dayMinutes = 24 * 60

// day counts decisions minute by minute, for a day.
type day [dayMinutes]minute

// minute is what was decided in one.
type minute struct {
	which int64 // since 1970
	tally
}

// tally is a number of decisions, by what the rules came to.
type tally struct {
	Passed, Deferred, Rejected uint32
	Overload                   uint32 // of them, made without room for a lookup
}

// All is the number of decisions.
func (t tally) All() uint32 { return t.Passed + t.Deferred + t.Rejected }

func (t *tally) add(o tally) {
	t.Passed += o.Passed
	t.Deferred += o.Deferred
	t.Rejected += o.Rejected
	t.Overload += o.Overload
}

func minuteOf(at time.Time) int64 { return at.Unix() / 60 }

// slot is where a minute is counted.
func (d *day) slot(which int64) *minute { return &d[uint64(which)%dayMinutes] }

func (d *day) count(r *journal.Record) {
	which := minuteOf(r.Request.Time)
	m := d.slot(which)
	switch {
	case m.which < which:
		*m = minute{which: which}
	case m.which > which:
		return // the clock was put back by a day
	}
	switch decided := r.Decision.Decided; {
	case decided.Permanent():
		m.Rejected++
	case decided.Refuses():
		m.Deferred++
	default:
		m.Passed++
	}
	if r.Facts.Overload {
		m.Overload++
	}
}

// sum is what was decided in n minutes, from one on.
func (d *day) sum(from int64, n int) tally {
	var t tally
	for which := from; which < from+int64(n); which++ {
		if m := d.slot(which); m.which == which {
			t.add(m.tally)
		}
	}
	return t
}
