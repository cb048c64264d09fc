package report

import (
	"cmp"
	"slices"
	"time"

	"policyd-rdns/policy/hostname"
)

// Wanted are refused clients that look like real senders, the most probable
// first. Those whose last message was accepted come behind them, and those that
// were only observed last.
//
// Each is given points for what speaks for it, and is listed from 30 points on. From 10
// points on it is unsure: who it says it is could be true, and is not proved. Somebody
// has to look.
// First, who is it? One of:
//
//	40  a confirmed, chosen name in the organisational domain of its senders
//	40  a HELO in that domain that resolves to the client
//	20  a HELO of its own: it resolves to the client, or is of the organisation
//	    of a confirmed, chosen name
//	25  a name and a HELO in the domain of its senders, where the name resolves to
//	    another address of the client's /24 or /64
//	15  a name and a HELO in the domain of its senders, not confirmed
//	15  always the same HELO, a host name that was not made from an address,
//	    and the same sender's domain, in three messages or more on two days or
//	    more, and no other client uses that domain; the HELO is in that domain, or
//	    a name of the client is confirmed
//	10  a HELO in the domain of its senders, and a confirmed name of somebody else
//
// A client of which none is true is not listed, whatever else it does: a botnet
// can retry, and write to many on many days. The first four rest on the DNS,
// that is, on who owns the address or the sender's domain; a forged sender brings
// none of them. The last three anyone can bring about who takes pains, so that they
// alone are not enough, and the words say that they prove little. A name made
// from the address proves nothing: whoever rents a line of a provider has one in that
// provider's domain, and may forge its customers. Second, what does it do?
//
//	 20  a mail that was refused was accepted later, from it or its network
//	 15  it tried a mail for hours at growing intervals, as a mail queue does
//	 15  it wrote to five recipients or more on three days or more
//	 10  more of its messages were accepted later than were refused
//	-40  its HELO was one of our names
//	-20  its HELO was four names or more
//	-20  it sent from more than five domains, and has no confirmed, chosen name
//
// Clients of one organisation that are known in the same way are listed as one.
// What a rule refuses that names whom it is for (client, ptr_name, sender ...)
// and asks for no check, is meant to be refused, and not looked at; what a rule
// refused that the configuration does not have is judged again by those that it
// has.
type Wanted struct {
	List       []Client `json:"list"`
	More       int      `json:"more"`        // beyond those that are listed
	Unsure     []Client `json:"unsure"`      // of whom it cannot be told
	MoreUnsure int      `json:"more_unsure"` // beyond those
	Cut        int      `json:"cut"`         // refused clients that were let go for want of room, unknown ones first
}

// Client is a refused client, or several of one organisation.
type Client struct {
	Client    string   `json:"client"`
	Name      string   `json:"name"`      // PTR
	Confirmed bool     `json:"confirmed"` // the name resolves to the client
	Also      []string `json:"also"`      // the other clients, each with as many points as its list asks for
	Points    int      `json:"points"`    // of Client
	Count
	Refusals
	Accepted     int        `json:"accepted"`      // messages, later
	LastAccepted bool       `json:"last_accepted"` // the last message of each was accepted
	Rules        []string   `json:"rules"`         // that refused, the most frequent first
	Senders      []string   `json:"senders"`       // domains, likewise
	First        time.Time  `json:"first"`
	Last         time.Time  `json:"last"`
	Evidence     []Evidence `json:"evidence"` // of Client
	Against      []string   `json:"against"`  // what the checks said of Client when it was refused
	// Allow are commands that would let all these clients pass, and Paste the same as
	// an exemption for the end of a configuration file. One refused decision of each
	// client and rule was judged again under it, and passes.
	Allow []string `json:"allow"`
	Paste string   `json:"paste"`

	rules, senders tally
	of             []*candidate
	group          clientGroup
}

// clientGroup is what clients have in common that are listed as one.
type clientGroup struct {
	org    string
	points int // for who it is
	need   need
}

// need is how much is to be done for a client.
type need uint8

const (
	refused      need = iota
	lastAccepted      // its last message was accepted
	observed          // it was not refused at all
)

const (
	leastPoints = 30
	// unsurePoints are those from which somebody has to look.
	unsurePoints = 10
	// maxAlso bounds the clients that are listed as one, and so the list of a
	// rule. Others of the group are another.
	maxAlso = 15
)

func (c *candidates) report(config *Config) Wanted {
	w := Wanted{Cut: c.cut}
	var found, unsure []Client
	for _, one := range c.byClient {
		all, known := one.evidence(&c.owners)
		points := 0
		for _, e := range all {
			points += e.Points
		}
		switch {
		case !known:
		case points >= leastPoints:
			found = append(found, one.told(all, points))
		case points >= unsurePoints:
			unsure = append(unsure, one.told(all, points))
		}
	}
	w.List, w.More = together(found, config)
	w.Unsure, w.MoreUnsure = together(unsure, config)
	return w
}

// together lists clients of one organisation as one.
func together(found []Client, config *Config) (list []Client, more int) {
	slices.SortFunc(found, compareClients)
	list = []Client{}
	latest := map[clientGroup]int{} // where in the list
	for i := range found {
		one := &found[i]
		at, ok := latest[one.group]
		if !ok || one.group.org == "" || len(list[at].Also) == maxAlso {
			latest[one.group] = len(list)
			list = append(list, *one)
			continue
		}
		list[at].join(one)
	}
	slices.SortStableFunc(list, compareClients)
	list, more = cutTo(list, config.Top)
	for i := range list {
		list[i].finish(config)
	}
	return list, more
}

func compareClients(a, b Client) int {
	return cmp.Or(cmp.Compare(a.group.need, b.group.need), cmp.Compare(b.Points, a.Points),
		cmp.Compare(b.Messages, a.Messages), a.of[0].client.Compare(b.of[0].client))
}

// told is what is listed of a candidate.
func (c *candidate) told(all []Evidence, points int) Client {
	out := Client{
		Client: clientText(c.client), Name: c.shown, Confirmed: c.confirmed, Also: []string{}, Points: points, Count: *c.Count, Refusals: c.Refusals,
		Accepted: c.accepted.Messages, LastAccepted: c.lastAccepted, First: c.first, Last: c.last, Evidence: all, of: []*candidate{c},
	}
	out.group = clientGroup{org: cmp.Or(c.org, hostname.Organisation(c.chosen)), points: all[0].Points}
	switch {
	case out.Rejected+out.Deferred == 0:
		out.group.need = observed
	case out.LastAccepted:
		out.group.need = lastAccepted
	}
	out.rules.join(&c.rules)
	out.senders.join(&c.senders)
	return out
}

// join adds another client of the same organisation.
func (c *Client) join(o *Client) {
	c.Also = append(c.Also, o.Client)
	c.Decisions += o.Decisions
	c.Messages += o.Messages
	for i, n := range o.Refusals.all() {
		*c.Refusals.all()[i] += *n
	}
	c.Accepted += o.Accepted
	c.LastAccepted = c.LastAccepted && o.LastAccepted
	if o.First.Before(c.First) {
		c.First = o.First
	}
	if o.Last.After(c.Last) {
		c.Last = o.Last
	}
	c.rules.join(&o.rules)
	c.senders.join(&o.senders)
	c.of = append(c.of, o.of...)
}

// join adds what another tally has counted.
func (t *tally) join(o *tally) {
	for _, one := range o.list {
		t.addN(one.text, one.n, 2*maxSenders)
	}
	t.more = t.more || o.more
}

// finish sets what is told of all clients together.
func (c *Client) finish(config *Config) {
	for _, r := range c.rules.sorted() {
		c.Rules = append(c.Rules, r.text)
	}
	for _, s := range c.senders.sorted() {
		c.Senders = append(c.Senders, s.text)
	}
	p := pasteFor(c.of, config)
	c.Allow, c.Paste = append([]string{}, p.allow...), p.block
	c.Against = c.of[0].against()
}
