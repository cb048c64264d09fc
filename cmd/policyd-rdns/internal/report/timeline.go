package report

import (
	"time"
)

// unit is how long a bucket of a timeline is.
type unit uint8

const (
	hour unit = iota
	day
	month
	year
)

func (u unit) String() string { return [...]string{"hour", "day", "month", "year"}[u] }

// begin is the beginning of the unit that a time is in, in its place.
func (u unit) begin(t time.Time) time.Time {
	y, m, d := t.Date()
	switch u {
	case year:
		return time.Date(y, 1, 1, 0, 0, 0, 0, t.Location())
	case month:
		return time.Date(y, m, 1, 0, 0, 0, 0, t.Location())
	case day:
		return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
	}
	// Not time.Date, for an hour may come twice where clocks are put back.
	past := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	return t.Add(-past)
}

// next is the beginning of the next unit.
func (u unit) next(begin time.Time) time.Time {
	switch u {
	case year:
		return begin.AddDate(1, 0, 0)
	case month:
		return begin.AddDate(0, 1, 0)
	case day:
		// Where clocks are put forward at midnight, there is no such time.
		return u.begin(begin.AddDate(0, 0, 1).Add(time.Hour))
	}
	return begin.Add(time.Hour)
}

const (
	// maxBuckets bounds the buckets that are kept. A log that has more is kept
	// by the next longer unit. Of years there are 10,000 at most (RFC 3339).
	maxBuckets = 1500
	// maxHours and maxBars bound the buckets that are told: two days by the
	// hour, three months by the day.
	maxHours = 48
	maxBars  = 100
)

// timeline counts decisions by time.
type timeline struct {
	place   *time.Location
	unit    unit
	buckets map[int64]*moment // by their beginning, Unix time
	// The bucket of the last decision, in [begin, end).
	current    *moment
	begin, end time.Time
}

// moment is one bucket.
type moment struct {
	outcomes Outcomes
	rules    map[*ruling]int // decisions
}

// at is the bucket that a time is in.
func (t *timeline) at(when time.Time) *moment {
	if t.current != nil && !when.Before(t.begin) && when.Before(t.end) {
		return t.current
	}
	if len(t.buckets) >= maxBuckets && t.unit < year {
		t.coarsen()
	}
	t.begin = t.unit.begin(when.In(t.place))
	t.end = t.unit.next(t.begin)
	key := t.begin.Unix()
	t.current = t.buckets[key]
	if t.current == nil {
		t.current = &moment{rules: map[*ruling]int{}}
		if t.buckets == nil {
			t.buckets = map[int64]*moment{}
		}
		t.buckets[key] = t.current
	}
	return t.current
}

// coarsen goes over to the next longer unit. Messages are counted once in each
// bucket, so that one over the border of two is then counted twice: by one too
// many for each border.
func (t *timeline) coarsen() {
	t.unit++
	t.current = nil
	old := t.buckets
	t.buckets = map[int64]*moment{}
	for key, m := range old {
		begin := t.unit.begin(time.Unix(key, 0).In(t.place)).Unix()
		into := t.buckets[begin]
		if into == nil {
			t.buckets[begin] = m
			continue
		}
		for i := range m.outcomes {
			into.outcomes[i].Decisions += m.outcomes[i].Decisions
			into.outcomes[i].Messages += m.outcomes[i].Messages
		}
		for r, n := range m.rules {
			into.rules[r] += n
		}
	}
}

// bars are the buckets from the first to the last, in the shortest unit of
// which they are not too many to look at.
func (t *timeline) bars(p period) []Bucket {
	for {
		if begins := t.begins(p); begins != nil || t.unit == year {
			bars := make([]Bucket, len(begins))
			for i, begin := range begins {
				bars[i].Begin = begin
				if m := t.buckets[begin.Unix()]; m != nil {
					bars[i].Outcomes = m.outcomes
				}
			}
			return bars
		}
		t.coarsen()
	}
}

// begins are the beginnings of all units of a period, none if they are too
// many.
func (t *timeline) begins(p period) []time.Time {
	most := maxBars
	if t.unit == hour {
		most = maxHours
	}
	var begins []time.Time
	for b := t.unit.begin(p.first.In(t.place)); !b.After(p.last); b = t.unit.next(b) {
		if len(begins) == most {
			if t.unit == year {
				return begins // a log of more than a century has a wrong clock
			}
			return nil
		}
		begins = append(begins, b)
	}
	return begins
}

// of is what a rule did in each of the bars.
func (t *timeline) of(r *ruling, bars []Bucket) []int {
	counts := make([]int, len(bars))
	for i, b := range bars {
		if m := t.buckets[b.Begin.Unix()]; m != nil {
			counts[i] = m.rules[r]
		}
	}
	return counts
}
