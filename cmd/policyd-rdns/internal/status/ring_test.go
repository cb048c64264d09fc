package status

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// TestRing compares a ring with a list of all that was put into it.
func TestRing(t *testing.T) {
	for _, size := range []struct{ bytes, lines int }{{100, 1000}, {1000, 7}, {300_000, 1000}, {64, 64}} {
		r, random := newRing(size.bytes, size.lines), rand.New(rand.NewPCG(1, 2))
		var all [][]byte
		for n := range 3000 {
			text := bytes.Repeat([]byte{byte('a' + n%26)}, 1+random.IntN(min(size.bytes, 500)))
			all = append(all, text)
			r.put(uint64(n), text)
			if n%97 != 0 && n > 20 {
				continue
			}
			kept, sum := 0, 0
			for i := len(all) - 1; i >= 0 && kept < size.lines && sum+len(all[i]) <= size.bytes; i-- {
				sum += len(all[i])
				kept++
			}
			seen := 0
			for next := ^uint64(0); next > 0; {
				var lines []line
				lines, next = r.before(next)
				for _, l := range lines {
					if want := len(all) - 1 - seen; int(l.number) != want || !bytes.Equal(l.text, all[want]) {
						t.Fatalf("%v: line %d from the end is %d, %.20q; want %d, %.20q", size, seen, l.number, l.text, want, all[want])
					}
					seen++
				}
			}
			if seen != kept || r.held() != kept {
				t.Fatalf("%v: %d of %d lines, held %d; want %d", size, seen, len(all), r.held(), kept)
			}
		}
	}
}

// TestRingWhileRead: lines that are thrown out between two batches end the
// reading.
func TestRingWhileRead(t *testing.T) {
	r := newRing(3*batch, 1000)
	for n := range 300 {
		r.put(uint64(n), make([]byte, 1000))
	}
	lines, next := r.before(^uint64(0))
	if len(lines) == 0 || next == 0 {
		t.Fatalf("before() = %d lines, %d; want a batch and more", len(lines), next)
	}
	for n := range 1000 {
		r.put(uint64(1000+n), make([]byte, 1000))
	}
	if lines, next := r.before(next); len(lines) != 0 || next != 0 {
		t.Errorf("before() of what is gone = %d lines, %d; want none", len(lines), next)
	}
}

// TestTooLong: a line beyond the bound is counted and not kept.
func TestTooLong(t *testing.T) {
	p := tested(well())
	r := record("r1", "203.0.113.10", time.Minute, policy.Reject)
	p.Keep(r, make([]byte, maxLine+1))
	if _, body := get(p, "/"); !bytes.Contains([]byte(body), []byte("too long to be kept: 1")) || listed(body) != "" {
		t.Errorf("a line that is too long: listed %q", listed(body))
	}
}

// TestFlood: good mail does not drive refused clients out.
func TestFlood(t *testing.T) {
	p := tested(well())
	p.keep(record("r1", "203.0.113.10", time.Minute, policy.Reject))
	for i := range 3 * maxLines {
		p.keep(record(fmt.Sprintf("p%d", i), "198.51.100.7", 0, policy.DUNNO))
	}
	if status, _ := get(p, "/decision/r1"); status != 200 {
		t.Errorf("the refused client: %d; want 200", status)
	}
	if status, _ := get(p, fmt.Sprintf("/decision/p%d", 3*maxLines-1)); status != 200 {
		t.Errorf("the last that passed: %d; want 200", status)
	}
}

// TestChart counts the decisions of the hours before now, each in its bar.
func TestChart(t *testing.T) {
	var d day
	for _, r := range []*journal.Record{
		record("", "203.0.113.1", 0, policy.Reject),
		record("", "203.0.113.1", time.Minute, policy.Reject),
		record("", "203.0.113.1", 20*time.Minute, policy.Defer),
		record("", "203.0.113.1", 5*time.Hour, policy.DUNNO),
		record("", "203.0.113.1", 23*time.Hour, policy.DUNNO),
		record("", "203.0.113.1", 25*time.Hour, policy.DUNNO), // too old
	} {
		d.count(r)
	}
	for _, test := range []struct {
		hours, bars int
		total       tally
		most        uint32
	}{
		{1, 60, tally{Rejected: 2, Deferred: 1}, 4},
		{6, 72, tally{Rejected: 2, Deferred: 1, Passed: 1}, 4},
		{24, 96, tally{Rejected: 2, Deferred: 1, Passed: 2}, 4},
	} {
		c := d.chart(noon, test.hours)
		if len(c.Bars) != test.bars || c.Total != test.total || c.Most != test.most {
			t.Errorf("%d hours: %d bars, %+v, at most %d; want %d, %+v, %d", test.hours, len(c.Bars), c.Total, c.Most, test.bars, test.total, test.most)
		}
		var table tally
		for _, row := range c.Rows {
			table.add(row.tally)
		}
		if table != c.Total || !c.Bars[len(c.Bars)-1].To.After(noon) || c.Times[len(c.Times)-1] != c.Bars[len(c.Bars)-1].To {
			t.Errorf("%d hours: table %+v, until %v", test.hours, table, c.Times)
		}
	}
	// The clock goes on by a day: what was is forgotten.
	if c := d.chart(noon.Add(25*time.Hour), 24); c.Total != (tally{}) {
		t.Errorf("a day later %+v; want nothing", c.Total)
	}
}

func TestScale(t *testing.T) {
	for n, want := range map[uint32]uint32{0: 4, 4: 4, 5: 6, 10: 10, 11: 20, 27: 30, 41: 60, 99: 100, 101: 200, 4_000_000_000: 4_000_000_000} {
		if got := scale(n); got != want {
			t.Errorf("scale(%d) = %d; want %d", n, got, want)
		}
	}
}
