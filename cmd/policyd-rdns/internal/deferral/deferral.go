// Package deferral follows messages that were deferred: whether they are tried again,
// after how long, and how that ends.
//
// A message is one sender's domain and one recipient, by one client: by its address,
// its /64, the organisation of its confirmed names, its HELO that resolves to it, or the
// party that the log names. It is told apart from other tries by Postfix's instance.
//
// # Memory
//
// At most so many messages are followed at once as [New] is told, each in [MessageBytes],
// and all in [RuleBytes] more. For one more the one is let go that was deferred first; if it could have come again still,
// it is counted as such ([Figures].Cut).
package deferral

import (
	"strings"
	"time"
)

const (
	// patience is how long a queue tries at most: RFC 5321 section 4.5.4.1 has 4-5 days.
	// Who comes later has another message.
	patience = 5 * 24 * time.Hour
	// slow is from when on a message that passed has waited long: a login code is of no
	// use then.
	slow = 5 * time.Minute
	// backoff is how long a queue may wait between two tries: Postfix has
	// maximal_backoff_time = 4000s, others up to 4 h.
	backoff = 4 * time.Hour
	// maxRules bounds the rules that are told apart.
	maxRules = 50
)

// entryParties bounds the parties of one message: those of the client that came first,
// and some of others of a pool.
const entryParties = 8

// entry is a message that was deferred.
type entry struct {
	first, last int64  // milliseconds since 1970: the first deferral, the last try
	instance    uint64 // of the last try
	mail        uint64
	parties     [entryParties]uint64
	n           uint8 // of parties
	ending      ending
	again       bool
	rule        *counts
	// passedAfter is after how long it passed, in milliseconds.
	passedAfter int64
}

// sighting is when a party of messages came last.
type sighting struct {
	instance uint64
	began    int64 // when that was seen first
	entries  int   // messages of the party
}

// Messages are the messages that were deferred. It is not safe for concurrent use.
type Messages struct {
	entries []entry // a ring
	begun   int     // entries ever begun
	max     int
	byKey   map[uint64]int // of a mail and a party: its place in the ring
	seen    map[uint64]sighting
	rules   map[string]*counts
	now     int64 // of the last try
}

// New makes one that follows so many messages at most.
func New(most int) *Messages {
	return &Messages{max: most, byKey: map[uint64]int{}, seen: map[uint64]sighting{}, rules: map[string]*counts{}}
}

const (
	// MessageBytes is what a message takes that has as many parties as most have at most:
	// an address, its /64, its organisation.
	MessageBytes = 560
	// RuleBytes is what is counted of rules.
	RuleBytes = (maxRules + 1) * 2 * timesBytes
)

// Forget counts anew. Messages that were deferred before are followed on, and no longer
// counted.
func (m *Messages) Forget() { m.rules = map[string]*counts{} }

// key is that of a mail by a party.
func key(mail, party uint64) uint64 { return mail ^ (party<<1 | party>>63) }

// find finds the message of a try.
func (m *Messages) find(t *Try) (at int, ok bool) {
	for _, party := range t.parties[:t.n] {
		if at, ok = m.byKey[key(t.mail, party)]; ok {
			return at, true
		}
	}
	return 0, false
}

// Matters reports whether a try changes what is counted, but for other mail of its client.
func (m *Messages) Matters(t *Try) bool {
	_, ok := m.find(t)
	return ok || t.ending == deferred
}

// Add takes the next try.
func (m *Messages) Add(t *Try) {
	m.now = max(m.now, t.at)
	m.see(t)
	at, ok := m.find(t)
	if ok {
		if e := &m.entries[at]; e.follows(t) {
			m.join(at, t)
			e.add(t)
			return
		}
	}
	if t.ending == deferred {
		m.begin(t)
	}
}

// see notes that the parties of a try came, those of which there are messages.
func (m *Messages) see(t *Try) {
	for _, party := range t.parties[:t.n] {
		if s, ok := m.seen[party]; ok && (s.instance != t.instance || t.instance == 0) {
			s.instance, s.began = t.instance, t.at
			m.seen[party] = s
		}
	}
}

// follows reports whether a try is of the message, and not of another one that looks the
// same.
func (e *entry) follows(t *Try) bool {
	switch {
	case t.at-e.last > patience.Milliseconds():
		return false
	case e.same(t):
		return true
	}
	return e.ending != passed
}

// same reports whether a try is of the same instance as the last one: of another stage of
// the dialogue.
func (e *entry) same(t *Try) bool { return t.instance != 0 && t.instance == e.instance }

// add adds a try of the message.
func (e *entry) add(t *Try) {
	after := max(t.at-e.first, 0)
	switch {
	case !e.same(t):
		if !e.again {
			e.again = true
			e.rule.again.add(after)
			e.rule.Again++
		}
		e.end(t.ending, after)
	case t.ending > e.ending:
		// Postfix asks again at other stages, and goes on behind a DEFER_IF_PERMIT: the
		// gravest answer holds.
		e.end(t.ending, after)
	}
	e.last, e.instance = max(e.last, t.at), t.instance
}

// end notes how a message was answered.
func (e *entry) end(how ending, after int64) {
	if how == e.ending {
		return
	}
	e.rule.ended(e.ending, e.passedAfter, -1)
	e.rule.ended(how, after, 1)
	e.ending, e.passedAfter = how, after
}

// join adds the parties of a try to a message, as far as there is room.
func (m *Messages) join(at int, t *Try) {
	e := &m.entries[at]
	for _, party := range t.parties[:t.n] {
		k := key(e.mail, party)
		if _, ok := m.byKey[k]; ok || int(e.n) == len(e.parties) {
			continue
		}
		m.hold(at, party, t)
	}
}

// hold has a message found by a party.
func (m *Messages) hold(at int, party uint64, t *Try) {
	e := &m.entries[at]
	e.parties[e.n] = party
	e.n++
	m.byKey[key(e.mail, party)] = at
	s, ok := m.seen[party]
	if !ok {
		s.instance, s.began = t.instance, t.at
	}
	s.entries++
	m.seen[party] = s
}

// begin begins to follow a message.
func (m *Messages) begin(t *Try) {
	at := m.begun % m.max
	if m.begun >= m.max {
		m.letGo(at)
	} else {
		m.entries = append(m.entries, entry{})
	}
	m.begun++
	c := m.counts(t.rule)
	c.Deferred++
	if t.waiting {
		c.Waiting++
	}
	m.entries[at] = entry{first: t.at, last: t.at, instance: t.instance, mail: t.mail, ending: deferred, rule: c}
	for _, party := range t.parties[:t.n] {
		m.hold(at, party, t)
	}
}

// letGo makes room for another message.
func (m *Messages) letGo(at int) {
	e := &m.entries[at]
	if !e.again && m.now-e.last <= patience.Milliseconds() {
		e.rule.Cut++
	} else {
		m.settle(e, &e.rule.Figures)
	}
	if e.ending == passed {
		e.rule.passed.add(e.passedAfter)
	}
	for _, party := range e.parties[:e.n] {
		if k := key(e.mail, party); m.byKey[k] == at {
			delete(m.byKey, k)
		}
		if s := m.seen[party]; s.entries > 1 {
			s.entries--
			m.seen[party] = s
		} else {
			delete(m.seen, party)
		}
	}
}

// settle counts what a message came to that was not tried again.
func (m *Messages) settle(e *entry, f *Figures) {
	if e.again {
		return
	}
	if m.other(e) {
		f.Other++
	} else {
		f.Never++
	}
	if m.now-e.last < backoff.Milliseconds() {
		f.Recent++
	}
}

// other reports whether a party of a message came later, with whatever it was.
func (m *Messages) other(e *entry) bool {
	for _, party := range e.parties[:e.n] {
		if s := m.seen[party]; s.began > e.first && (s.instance != e.instance || s.instance == 0) {
			return true
		}
	}
	return false
}

// counts are those of a rule.
func (m *Messages) counts(rule string) *counts {
	c := m.rules[rule]
	if c == nil && len(m.rules) >= maxRules {
		rule = "other rules"
		c = m.rules[rule]
	}
	if c == nil {
		rule = strings.Clone(rule)
		c = &counts{Figures: Figures{Rule: rule}}
		m.rules[rule] = c
	}
	return c
}
