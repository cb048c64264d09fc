package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

const (
	// maxGroups bounds the networks, and the domains, that are told apart. Who
	// sends mail chooses how many there are.
	maxGroups = 10_000
	// maxSenders bounds the senders' domains, and the rules, that are counted for
	// one of them.
	maxSenders = 6
)

// groupKey is what the decisions of a group have in common: a network or a
// domain.
type groupKey struct {
	network   netip.Prefix
	domain    string
	confirmed bool
}

// name is the key as it is shown.
func (k groupKey) name() string {
	if k.domain != "" {
		return k.domain
	}
	if k.network.IsValid() {
		return k.network.String()
	}
	return "no address"
}

// group counts the refused decisions of a group.
type group struct {
	*Count // apart, for it is kept for as long as messages are remembered
	period
	Refusals
	senders tally
	rules   tally
}

// groups is a bounded number of groups.
type groups struct {
	byKey  map[groupKey]*group
	others Count // of groups that were let go
	cut    int   // how many that were
}

// add counts a refused decision.
func (g *groups) add(key groupKey, i *item, seen *counted) {
	one := g.byKey[key]
	if one == nil {
		one = g.begin(key)
	}
	one.Count.add(i.message, seen)
	one.period.add(i.at)
	one.Refusals.add(i.outcome)
	countText(&one.senders, i.who.sender)
	countText(&one.rules, i.who.refusal.Rule)
}

// countText counts a text whose memory is not ours.
func countText(t *tally, text string) {
	if !t.has(text) {
		text = strings.Clone(clip(text))
	}
	t.add(text, maxSenders)
}

func (t *tally) has(text string) bool {
	return slices.ContainsFunc(t.list, func(one tallied) bool { return one.text == text })
}

// begin begins a group, if need be in place of the lighter half of all.
func (g *groups) begin(key groupKey) *group {
	if len(g.byKey) == maxGroups {
		for _, k := range lighter(g.byKey, func(one *group) int { return one.Decisions }) {
			g.others.Decisions += g.byKey[k].Decisions
			g.others.Messages += g.byKey[k].Messages
			g.cut++
			delete(g.byKey, k)
		}
	}
	if g.byKey == nil {
		g.byKey = map[groupKey]*group{}
	}
	key.domain = strings.Clone(key.domain)
	one := &group{Count: &Count{}}
	g.byKey[key] = one
	return one
}

// report tells the top groups.
func (g *groups) report(top int) Groups {
	r := Groups{List: []Group{}, Others: g.others, Cut: g.cut}
	for key, one := range g.byKey {
		out := Group{
			Name: key.name(), Confirmed: key.confirmed, Count: *one.Count, Refusals: one.Refusals,
			Rule: one.rules.sorted()[0].text, MoreSenders: one.senders.more, First: one.first, Last: one.last,
		}
		for _, s := range one.senders.sorted() {
			out.Senders = append(out.Senders, Sender{s.text, s.n})
		}
		r.List = append(r.List, out)
	}
	slices.SortFunc(r.List, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Decisions, a.Decisions), cmp.Compare(a.Name, b.Name), compareBool(b.Confirmed, a.Confirmed))
	})
	r.List, r.More = cutTo(r.List, top)
	return r
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
