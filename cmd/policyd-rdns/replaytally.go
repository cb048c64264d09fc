package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/recent"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

const (
	// maxGroups bounds the groups of one change that are told apart. Who sends
	// mail chooses how many there are.
	maxGroups = 5000
	// maxSenders bounds the senders' domains that are counted for a group.
	maxSenders = 8
)

// replayed counts what becomes of recorded decisions.
type replayed struct {
	lines               journal.Counts
	decisions, messages int
	first, last         time.Time
	before, after       [policy.NumActions]int // by action
	otherRule           int                    // come out the same, by another rule
	unobserved          int
	observed            map[policy.Ruling]int // of the new rules
	needs               map[string]int        // of the undecided
	changes             [numChanges]changed
	seen                replayedMessages
	mail                *mailCounts // nil: not of Postfix's logs
}

// changed are the decisions of one change.
type changed struct {
	span
	deferred int // of those no longer rejected
	groups   map[groupKey]*group
	others   *group // beyond maxGroups
}

// groupKey is what the decisions of a group have in common.
type groupKey struct{ clients, rule string }

// group is who changes by one rule.
type group struct {
	groupKey
	span
	senders []sender // by domain
	more    bool     // there are others
}

type sender struct {
	domain    string
	decisions int
}

// span is a number of decisions, and when they were made.
type span struct {
	decisions, messages int
	first, last         time.Time
}

func newReplayed() *replayed {
	return &replayed{observed: map[policy.Ruling]int{}, needs: map[string]int{}}
}

func (t *replayed) add(j *judged) {
	if t.decisions == 0 || j.at.Before(t.first) {
		t.first = j.at
	}
	if j.at.After(t.last) {
		t.last = j.at
	}
	t.decisions++
	if t.seen.First(j.message, nil) {
		t.messages++
	}
	for _, v := range j.observed {
		t.observed[v]++
	}
	if j.unobserved {
		t.unobserved++
	}
	t.before[j.before.action]++
	if j.change == undecided {
		t.needs[j.needs]++
	} else {
		t.after[j.after.action]++
	}
	if j.change != unchanged {
		t.addChange(j)
	} else if j.before.rule != j.after.rule {
		t.otherRule++
	}
}

func (t *replayed) addChange(j *judged) {
	c := &t.changes[j.change]
	c.add(j, &t.seen)
	if j.change == undecided {
		return
	}
	if j.change == noLongerRejected && j.after.action.Refuses() {
		c.deferred++
	}
	g := c.group(groupKey{j.clients, j.rule()})
	g.add(j, &t.seen)
	g.addSender(j.sender)
}

// group is that of a key.
func (c *changed) group(key groupKey) *group {
	if g := c.groups[key]; g != nil {
		return g
	}
	switch {
	case c.groups == nil:
		c.groups = map[groupKey]*group{}
	case len(c.groups) == maxGroups && c.others != nil:
		return c.others
	case len(c.groups) == maxGroups:
		c.others = &group{groupKey: groupKey{clients: "others"}}
		return c.others
	}
	g := &group{groupKey: key}
	c.groups[key] = g
	return g
}

func (s *span) add(j *judged, seen *replayedMessages) {
	if s.decisions == 0 || j.at.Before(s.first) {
		s.first = j.at
	}
	if j.at.After(s.last) {
		s.last = j.at
	}
	s.decisions++
	if seen.First(j.message, s) {
		s.messages++
	}
}

func (g *group) addSender(domain string) {
	for i := range g.senders {
		if g.senders[i].domain == domain {
			g.senders[i].decisions++
			return
		}
	}
	if len(g.senders) == maxSenders {
		g.more = true
		return
	}
	g.senders = append(g.senders, sender{domain, 1})
}

// sendersText names the most frequent senders' domains.
func (g *group) sendersText() string {
	const most = 3
	slices.SortStableFunc(g.senders, func(a, b sender) int { return cmp.Compare(b.decisions, a.decisions) })
	var names []string
	for _, s := range g.senders[:min(most, len(g.senders))] {
		names = append(names, cell(s.domain))
	}
	if g.more || len(g.senders) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// sorted are the groups, those with the most messages first.
func (c *changed) sorted() []*group {
	groups := make([]*group, 0, len(c.groups)+1)
	for _, g := range c.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.messages, a.messages), cmp.Compare(b.decisions, a.decisions),
			strings.Compare(a.clients, b.clients), strings.Compare(a.rule, b.rule))
	})
	if c.others != nil {
		groups = append(groups, c.others)
	}
	return groups
}

// replayedMessages remembers the messages that were counted; nil: in all.
type replayedMessages = recent.Messages[*span]
