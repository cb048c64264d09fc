package why

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// decision is one that the word is in, with what is counted of it.
type decision struct {
	journal.Record
	as      declog.Roles
	client  string
	outcome outcome
	// message is the same for all recipients of a message; 0: nobody knows.
	message uint64
	// came is the message with the outcome.
	came uint64
}

// newDecision draws from a record what is counted. It may be called from several
// goroutines at once.
func newDecision(r *journal.Record, as declog.Roles, seed maphash.Seed) *decision {
	d := &decision{Record: *r, as: as, client: clientOf(&r.Request), outcome: outcomeOf(r)}
	if r.Request.Instance != "" {
		d.message = max(1, maphash.Comparable(seed, [2]string{d.client, r.Request.Instance}))
		d.came = max(1, maphash.Comparable(seed, struct {
			message uint64
			outcome outcome
		}{d.message, d.outcome}))
	}
	return d
}

// Bounds of what is kept and printed.
const (
	// mostGroups is how many paragraphs there are at most.
	mostGroups = 20
	// mostAlone is how many clients that came to the same are told one by one.
	mostAlone = 3
	// mostClients is how many clients are counted one by one, mostOutcomes how many
	// outcomes: rules of one name have few.
	mostClients  = 2000
	mostOutcomes = 200
	// mostSeen is how many messages are remembered, at least, so that each counts once:
	// its recipients come soon after each other.
	mostSeen = 1 << 16
)

// outcome is what decisions have in common that are told as one.
type outcome struct {
	action, decided policy.Action
	rule, why, tags string
	exempt, early   bool
	downgraded      bool
	waiting         bool
	noAction        bool
}

func outcomeOf(r *journal.Record) outcome {
	d := &r.Decision
	return outcome{
		action: d.Action, decided: d.Decided, rule: d.Rule, why: d.Why, tags: strings.Join(d.Tags, "\n"),
		exempt: d.Exempt, early: d.Early, downgraded: d.Downgraded, waiting: d.Waiting > 0, noAction: r.NoAction,
	}
}

// group is what a paragraph tells of: decisions of one outcome about one client, or about
// several.
type group struct {
	times       int // messages
	first, last time.Time
	newest      *journal.Record
	helos       few
	senders     few
	recipients  few

	clients []*group // of several: each by itself; the most frequent first
	more    bool     // there are clients that are not among these
}

// few are the last values that were seen, newest first.
type few struct {
	values []string
	more   bool
}

// mostFew is how many are told.
const mostFew = 3

func (f *few) add(v string) {
	if v == "" {
		return
	}
	if i := slices.Index(f.values, v); i >= 0 {
		f.values = slices.Delete(f.values, i, i+1)
	}
	if f.values = slices.Insert(f.values, 0, v); len(f.values) > mostFew {
		f.values, f.more = f.values[:mostFew], true
	}
}

// tally counts the decisions that a word is in.
type tally struct {
	decisions  int
	messages   int
	roles      [8]int // messages, by the role's bit
	outcomes   map[outcome]*clients
	numClients int
	seen       seen
	seenAs     [8]seen // by the role's bit
	came       seen
}

// clients are those of an outcome.
type clients struct {
	alone map[string]*group
	crowd *group // those that there was no room for; nil: none
}

func newTally() *tally {
	return &tally{outcomes: map[outcome]*clients{}}
}

// clientOf is the client, or what Postfix said in its place.
func clientOf(q *policy.Request) string {
	if q.Client.IsValid() {
		return q.Client.String()
	}
	return q.ClientText
}

func (t *tally) add(d *decision) {
	t.decisions++
	if t.seen.first(d.message) {
		t.messages++
	}
	for role := range t.roles {
		if as := d.as & (1 << role); as != 0 && t.seenAs[role].first(d.message) {
			t.roles[role]++
		}
	}
	t.group(d.outcome, d.client).add(&d.Record, t.came.first(d.came))
}

// group is where a decision belongs.
func (t *tally) group(o outcome, client string) *group {
	c := t.outcomes[o]
	if c == nil && len(t.outcomes) >= mostOutcomes {
		o = outcome{noAction: true}
		c = t.outcomes[o]
	}
	if c == nil {
		c = &clients{alone: map[string]*group{}}
		t.outcomes[o] = c
	}
	g := c.alone[client]
	switch {
	case g != nil:
		return g
	case t.numClients >= mostClients:
		if c.crowd == nil {
			c.crowd = &group{}
		}
		return c.crowd
	}
	t.numClients++
	g = &group{}
	c.alone[client] = g
	return g
}

func (g *group) add(r *journal.Record, first bool) {
	at := r.Request.Time
	if g.newest == nil || at.Before(g.first) {
		g.first = at
	}
	if g.newest == nil || !at.Before(g.last) {
		g.last, g.newest = at, r
	}
	if first {
		g.times++
	}
	g.helos.add(r.Request.HELO)
	g.senders.add(r.Request.Sender)
	g.recipients.add(r.Request.Recipient)
}

// groups are the paragraphs, newest first.
func (t *tally) groups() (all []*group) {
	for _, c := range t.outcomes {
		var alone []*group
		for _, g := range c.alone {
			alone = append(alone, g)
		}
		if len(alone) <= mostAlone && c.crowd == nil {
			all = append(all, alone...)
			continue
		}
		all = append(all, together(alone, c.crowd))
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(b.last.Compare(a.last), strings.Compare(b.newest.ID, a.newest.ID))
	})
	return all
}

// together makes one of several groups; crowd, which may be nil, is of clients that were
// not told apart.
func together(alone []*group, crowd *group) *group {
	slices.SortFunc(alone, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.times, a.times), b.last.Compare(a.last), compareClients(a.newest, b.newest))
	})
	sum := &group{clients: alone, more: crowd != nil}
	parts := alone
	if crowd != nil {
		parts = append(slices.Clone(alone), crowd)
	}
	for _, g := range slices.SortedFunc(slices.Values(parts), func(a, b *group) int { return a.last.Compare(b.last) }) {
		if sum.newest == nil || g.first.Before(sum.first) {
			sum.first = g.first
		}
		sum.last, sum.newest = g.last, g.newest
		sum.times += g.times
		for of, from := range map[*few]few{&sum.helos: g.helos, &sum.senders: g.senders, &sum.recipients: g.recipients} {
			for _, v := range slices.Backward(from.values) {
				of.add(v)
			}
			of.more = of.more || from.more
		}
	}
	return sum
}

func compareClients(a, b *journal.Record) int {
	return cmp.Or(a.Request.Client.Compare(b.Request.Client), strings.Compare(a.Request.ClientText, b.Request.ClientText))
}

// seen remembers messages, so that each counts once: at least as many as mostSeen.
type seen struct{ recent, old map[uint64]struct{} }

// first reports whether a message comes for the first time. One that nobody knows, 0,
// always does.
func (s *seen) first(message uint64) bool {
	if message == 0 {
		return true
	}
	if _, ok := s.recent[message]; ok {
		return false
	}
	_, old := s.old[message]
	if s.recent == nil || len(s.recent) >= mostSeen {
		s.recent, s.old = map[uint64]struct{}{}, s.recent
	}
	s.recent[message] = struct{}{}
	return !old
}
