package status

import (
	"cmp"
	"slices"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

const (
	// maxCounted bounds the rules that are counted, each with each of its actions: a
	// configuration has fewer, and one after the other has some more.
	maxCounted  = 512
	countsBytes = maxCounted * 128
	// topShown is how many clients are told as those that were refused most.
	topShown = 10
)

// counts are today's decisions by rule, or those since the daemon runs.
type counts struct {
	day int64 // since 1970, in UTC
	of  map[ruled]uint64
	cut uint64 // decisions by rules that there was no room for
}

// ruled is what a rule came to.
type ruled struct {
	Rule     string
	Action   string
	Observed bool // it was not carried out
}

// add counts a decision, and what observed rules would have done.
func (c *counts) add(r *journal.Record) {
	if day := dayOf(r.Request.Time); day > c.day || c.of == nil {
		c.day, c.of, c.cut = day, map[ruled]uint64{}, 0
	}
	d := &r.Decision
	c.one(ruled{d.Rule, d.Decided.String(), !d.CarriedOut()})
	for _, w := range d.Would {
		c.one(ruled{w.Rule, w.Action.String(), true})
	}
}

func (c *counts) one(key ruled) {
	if _, ok := c.of[key]; !ok && len(c.of) >= maxCounted {
		c.cut++
		return
	}
	c.of[key]++
}

// ruleCount is a line of the table of rules.
type ruleCount struct {
	ruled
	N uint64
}

// table is today's decisions by rule, the most first.
func (c *counts) table(now time.Time) (all []ruleCount) {
	if c.day != dayOf(now) {
		return nil
	}
	for key, n := range c.of {
		key.Rule = plain.Line(key.Rule)
		all = append(all, ruleCount{key, n})
	}
	slices.SortFunc(all, func(a, b ruleCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Action, b.Action))
	})
	return all
}

// top are the clients that were refused most, of rows of the list.
func top(rows []found) []found {
	at := map[string]int{}
	var all []found
	for i := range rows {
		if n, ok := at[rows[i].Client]; ok {
			all[n].Times += rows[i].Times
			continue
		}
		at[rows[i].Client] = len(all)
		all = append(all, rows[i])
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.Times, a.Times) })
	all = all[:min(len(all), topShown)]
	return slices.DeleteFunc(all, func(f found) bool { return f.Times < 2 })
}
