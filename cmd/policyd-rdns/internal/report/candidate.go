package report

import (
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

const (
	// maxCandidates bounds the refused clients that are remembered. A botnet has
	// more; those go first that nothing speaks for.
	maxCandidates = 8192
	// The bounds of what is remembered of one client.
	maxHELOs      = 4
	maxDays       = 31
	maxRecipients = 32
	maxMails      = 6
	maxSamples    = 4
	// maxAwaited bounds the refused mails that are awaited again.
	maxAwaited = 1 << 16
)

// features are what speaks for a client, or against it, in one decision. None of
// them is drawn from the sender's address alone, which anyone may forge.
type features struct {
	confirmed []string // names that resolve to the client
	chosen    string   // a confirmed name that was not made from the address
	org       string   // of the sender
	named     bool     // a chosen name is in the sender's organisational domain
	heloGiven bool     // the HELO is, and resolves to the client
	own       bool     // the HELO resolves to the client, or is of a chosen name's organisation
	claimed   bool     // name and HELO are in the sender's domain, and neither is confirmed
	near      bool     // likewise, and that name resolves into the client's own network
	tenant    bool     // a name is confirmed, of somebody else, and the HELO is in the sender's domain
	host      bool     // the HELO is a host name, and not made from the address
	ours      bool     // the HELO is one of our names
}

func (d *digester) features(r *journal.Record) features {
	q, f, checks := &r.Request, &r.Facts, &r.Decision.Checks
	var s features
	s.ours = checks[policy.CheckHELO] == policy.Own
	s.org = d.domains.organisation(match.MailDomain(q.Sender))
	claimed, near := false, false
	for i := range f.Names {
		n := &f.Names[i]
		in := s.org != "" && n.Organisation == s.org && d.chosen(n)
		if !n.Forward.To(q.Client) {
			claimed = claimed || in
			near = near || in && slices.ContainsFunc(n.Forward.Addrs, neighbour(q.Client))
			continue
		}
		s.confirmed = append(s.confirmed, n.Name)
		if d.chosen(n) && (s.chosen == "" || in && !s.named) {
			s.chosen = n.Name
		}
		s.named = s.named || in
	}
	h := &f.HELO
	if h.Form != hostname.FQDN || h.Verdict.Generic || s.ours {
		return s // a HELO that was made from the address is not anybody's in particular
	}
	s.host = true
	ofSender := s.org != "" && strings.HasSuffix(h.Name, s.org) && d.domains.organisation(h.Name) == s.org
	forwards := h.Forward.To(q.Client)
	s.heloGiven = forwards && ofSender
	s.own = forwards || checks[policy.CheckHELO] == policy.Related
	s.claimed = claimed && ofSender && !s.named && !s.heloGiven
	s.near = s.claimed && near
	s.tenant = ofSender && len(s.confirmed) > 0 && !s.named && !s.own
	return s
}

// neighbour tells addresses of a client's own network, a /24 or a /64.
func neighbour(client netip.Addr) func(netip.Addr) bool {
	bits := 24
	if client.Is6() {
		bits = 64
	}
	network, _ := client.Prefix(bits) // which is within any address
	return network.Contains
}

// chosen reports whether a name was not made from the address.
func (d *digester) chosen(n *policy.Name) bool {
	if !n.Valid || d.rules.GenericNames.Has(n.Name) {
		return false
	}
	return !n.Verdict.Generic || d.rules.ProperNames.Has(n.Name)
}

// candidate is a refused client that may have been wanted. What messages are remembered by
// is apart from it: else it would be kept for as long as they, though it was let go.
type candidate struct {
	client netip.Addr
	*Count // refused
	period
	Refusals
	rules   tally
	senders tally
	helos   tally

	messages     int // that were looked at: refused, or accepted by the rules
	signed       int // of these with a sender whose domain has an organisation
	named        int
	heloGiven    int
	own          int
	claimed      int
	near         int
	tenant       int
	host         int
	ours         int
	accepted     *Count   // by the rules, later
	arrived      *arrived // refused mails that were accepted later, from it or its network
	chosen       string
	org          string // of senders, where that is known
	helo         string // that is known to be its own
	name         string // confirmed in each refused decision
	unsure       bool   // there is no such name
	shown        string // name for people, perhaps not confirmed
	confirmed    bool   // shown is
	lastAccepted bool   // the last message was accepted

	days       []int64
	recipients []uint64
	mails      []mail
	samples    []sample
}

// arrived counts mails.
type arrived struct{ mails int }

// sample is a line of a refused decision.
type sample struct {
	refusal policy.Ruling
	text    string
}

// candidates are the refused clients, a bounded number of them.
type candidates struct {
	byClient map[netip.Addr]*candidate
	cut      int
	owners   owners
	// Who waits for which mail to be accepted, in two generations.
	young, old map[uint64]*arrived
}

func newCandidates() candidates {
	return candidates{byClient: map[netip.Addr]*candidate{}, young: map[uint64]*arrived{}}
}

func (c *candidates) add(i *item, seen *counted) {
	w := &i.who
	switch {
	case !w.client.IsValid():
		return
	case i.outcome != Passed && w.objection.Rule == "":
	case i.outcome != Passed:
		one := c.byClient[w.client]
		if one == nil {
			one = c.begin(w.client)
		}
		one.refuse(i, seen)
		c.await(w.mail, one.arrived)
	case i.rule == "":
		if one := c.byClient[w.client]; one != nil {
			one.accept(i, seen)
		}
		c.arrive(w.mail)
	}
	if w.counts(i) {
		c.owners.add(w.sender, w.client)
	}
}

func (c *candidates) begin(client netip.Addr) *candidate {
	if len(c.byClient) == maxCandidates {
		for _, key := range lighter(c.byClient, (*candidate).weight) {
			delete(c.byClient, key)
			c.cut++
		}
	}
	one := &candidate{client: client, Count: &Count{}, accepted: &Count{}, arrived: &arrived{}}
	c.byClient[client] = one
	return one
}

// weight is how much is lost with a candidate.
func (c *candidate) weight() int {
	const known = 1 << 30 // more than decisions
	if c.named+c.heloGiven+c.own+c.claimed+c.tenant > 0 {
		return c.Decisions + known
	}
	return c.Decisions
}

// await has a refused mail awaited.
func (c *candidates) await(key uint64, one *arrived) {
	if len(c.young) == maxAwaited {
		c.young, c.old = map[uint64]*arrived{}, c.young
	}
	c.young[key] = one
}

// arrive notes that a mail was accepted.
func (c *candidates) arrive(key uint64) {
	for _, waiting := range []map[uint64]*arrived{c.young, c.old} {
		if one := waiting[key]; one != nil {
			one.mails++
			delete(waiting, key)
		}
	}
}

// refuse notes a refused decision.
func (c *candidate) refuse(i *item, seen *counted) {
	w := &i.who
	first := c.Count.add(i.message, seen)
	c.period.add(i.at)
	c.Refusals.add(i.outcome)
	c.lastAccepted = false
	countText(&c.rules, w.objection.Rule)
	c.keepName(w)
	if !slices.ContainsFunc(c.samples, func(s sample) bool { return s.refusal == w.objection }) && len(c.samples) < maxSamples {
		text := strings.Clone(i.text)
		c.samples = append(c.samples, sample{policy.Ruling{Action: w.objection.Action, Rule: strings.Clone(w.objection.Rule)}, text})
	}
	if len(c.recipients) < maxRecipients && !slices.Contains(c.recipients, w.recipient) {
		c.recipients = append(c.recipients, w.recipient)
	}
	if first {
		c.look(i)
		c.try(w.mail, i.at)
	}
}

// keepName keeps the confirmed name that each refused decision has.
func (c *candidate) keepName(w *who) {
	c.show(w)
	switch {
	case c.unsure:
	case c.name == "" && len(w.features.confirmed) > 0 && c.Decisions == 1:
		c.name = strings.Clone(w.features.confirmed[0])
	case c.name == "" || !slices.Contains(w.features.confirmed, c.name):
		c.name, c.unsure = "", true
	}
}

// show keeps a name for people.
func (c *candidate) show(w *who) {
	if w.name != "" && (c.shown == "" || !c.confirmed && w.confirmed) {
		c.shown, c.confirmed = strings.Clone(clip(w.name)), w.confirmed
	}
}

// look takes the features of a message.
func (c *candidate) look(i *item) {
	w, s := &i.who, &i.who.features
	c.messages++
	countText(&c.senders, w.sender)
	if !c.helos.has(w.helo) && len(c.helos.list) < maxHELOs {
		c.helos.add(strings.Clone(clip(w.helo)), maxHELOs)
	} else {
		c.helos.add(w.helo, maxHELOs)
	}
	if d := i.at.Unix() / (24 * 60 * 60); len(c.days) < maxDays && !slices.Contains(c.days, d) {
		c.days = append(c.days, d)
	}
	for _, feature := range []struct {
		is   bool
		into *int
	}{{s.org != "", &c.signed}, {s.named, &c.named}, {s.heloGiven, &c.heloGiven}, {s.own, &c.own}, {s.claimed, &c.claimed}, {s.near, &c.near}, {s.tenant, &c.tenant}, {s.host, &c.host}, {s.ours, &c.ours}} {
		if feature.is {
			*feature.into++
		}
	}
	if s.chosen != "" && (c.chosen == "" || s.named && c.named == 1) {
		c.chosen = strings.Clone(clip(s.chosen))
	}
	better := s.named && c.named == 1 || s.heloGiven && c.heloGiven == 1 && c.named == 0
	if better || (s.claimed || s.tenant) && c.org == "" {
		c.org = strings.Clone(clip(s.org))
	}
	if (s.heloGiven || s.own) && (c.helo == "" || s.heloGiven && c.heloGiven == 1) {
		c.helo = strings.Clone(clip(w.helo))
	}
}

// accept notes a decision that was accepted by the rules.
func (c *candidate) accept(i *item, seen *counted) {
	c.lastAccepted = true
	c.show(&i.who)
	if c.accepted.add(i.message, seen) {
		c.look(i)
	}
}
