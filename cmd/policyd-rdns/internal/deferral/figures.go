package deferral

import (
	"cmp"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Figures are what became of messages that were deferred. Each is one of Again, Other,
// Never and Cut, and one of Passed, Rejected and Open.
type Figures struct {
	Rule     string `json:"rule"`     // that deferred them first; empty: all
	Deferred int    `json:"deferred"` // messages
	Waiting  int    `json:"waiting"`  // of them, by a reject that waits (defer_for, grace)

	Again  int `json:"again"`  // were tried again
	Other  int `json:"other"`  // were not, and their client came with other mail
	Never  int `json:"never"`  // were not, nor did their client come
	Recent int `json:"recent"` // of Other and Never: so late that they may still be tried
	Cut    int `json:"cut"`    // were let go for want of room, before any of that was known

	Passed   int `json:"passed"`   // in the end
	Slow     int `json:"slow"`     // of Passed: after more than 5 minutes
	Rejected int `json:"rejected"` // in the end
	Open     int `json:"open"`     // neither

	AgainAfter  Times `json:"again_after"`  // from the first deferral to the next try
	PassedAfter Times `json:"passed_after"` // and until it passed
}

// Times are how long a share of some messages took at most, in seconds, to two digits; 0:
// there was none.
type Times struct {
	Median int `json:"median_s"`
	P90    int `json:"p90_s"`
}

// counts are what is counted of a rule's messages.
type counts struct {
	Figures
	again  times
	passed times // of those that were let go
}

// ended counts how a message was answered, or takes that back.
func (c *counts) ended(how ending, after int64, n int) {
	switch how {
	case passed:
		c.Passed += n
		if after > slow.Milliseconds() {
			c.Slow += n
		}
	case rejected:
		c.Rejected += n
	}
}

// times counts times, to two digits. The zero value is empty.
type times struct{ seconds *hdrhistogram.Histogram }

// timesBytes is what one takes, about.
const timesBytes = 16 << 10

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(2*patience.Seconds()), 2)
}

// add counts a time in milliseconds.
func (t *times) add(millis int64) {
	if t.seconds == nil {
		t.seconds = newHistogram()
	}
	// An error is that of a time out of range, which this is not.
	_ = t.seconds.RecordValue(min(max((millis+999)/1000, 1), int64(2*patience.Seconds())))
}

func (t *times) report() (r Times) {
	if t.seconds == nil || t.seconds.TotalCount() == 0 {
		return r
	}
	return Times{int(t.seconds.ValueAtQuantile(50)), int(t.seconds.ValueAtQuantile(90))}
}

// merge adds other times.
func (t *times) merge(o *times) {
	if o.seconds == nil {
		return
	}
	if t.seconds == nil {
		t.seconds = newHistogram()
	}
	t.seconds.Merge(o.seconds)
}

// told are the figures of a rule while they are put together.
type told struct {
	Figures
	passed times
}

// Figures tells of all messages, and of those of each rule, the most first.
func (m *Messages) Figures() (all Figures, byRule []Figures) {
	rules := map[*counts]*told{}
	for _, c := range m.rules {
		t := &told{Figures: c.Figures}
		t.AgainAfter = c.again.report()
		t.Open = t.Deferred - t.Passed - t.Rejected
		t.passed.merge(&c.passed)
		rules[c] = t
	}
	for i := range m.entries {
		e := &m.entries[i]
		t := rules[e.rule]
		if t == nil {
			continue // forgotten
		}
		m.settle(e, &t.Figures)
		if e.ending == passed {
			t.passed.add(e.passedAfter)
		}
	}
	var again, passing times
	byRule = []Figures{}
	for c, t := range rules {
		t.PassedAfter = t.passed.report()
		again.merge(&c.again)
		passing.merge(&t.passed)
		all.add(&t.Figures)
		byRule = append(byRule, t.Figures)
	}
	all.AgainAfter, all.PassedAfter = again.report(), passing.report()
	slices.SortFunc(byRule, func(a, b Figures) int {
		return cmp.Or(cmp.Compare(b.Deferred, a.Deferred), cmp.Compare(a.Rule, b.Rule))
	})
	return all, byRule
}

// add adds the numbers of other messages.
func (f *Figures) add(o *Figures) {
	f.Deferred += o.Deferred
	f.Waiting += o.Waiting
	f.Again += o.Again
	f.Other += o.Other
	f.Never += o.Never
	f.Recent += o.Recent
	f.Cut += o.Cut
	f.Passed += o.Passed
	f.Slow += o.Slow
	f.Rejected += o.Rejected
	f.Open += o.Open
}
