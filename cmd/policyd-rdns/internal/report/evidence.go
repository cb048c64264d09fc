package report

import (
	"fmt"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
)

// Evidence is something that speaks for a client, or against it.
type Evidence struct {
	Points int    `json:"points"`
	Text   string `json:"text"`
}

const (
	leastRecipients = 5
	leastDays       = 3
	mostDomains     = 5
	// Of a client that is always the same.
	constantMessages = 3
	constantDays     = 2
)

// evidence is all that there is to say of a client, and whether it is known who
// it is.
func (c *candidate) evidence(o *owners) (all []Evidence, known bool) {
	say := func(points int, format string, args ...any) {
		all = append(all, Evidence{points, fmt.Sprintf(format, args...)})
	}
	c.identity(o, say)
	known = len(all) > 0
	if c.arrived.mails > 0 {
		say(20, "what was refused came again and was accepted, from it or its network (%s)", plain.Times(c.arrived.mails))
	}
	if m := c.patient(); m != nil {
		say(15, "it tried one mail %s in %s at growing intervals, as a mail queue does", plain.Times(m.tries), durationWords(m.last.Sub(m.first)))
	}
	if len(c.recipients) >= leastRecipients && len(c.days) >= leastDays {
		say(15, "it wrote to %s on %d days", atLeast(len(c.recipients), maxRecipients, "recipients"), len(c.days))
	}
	if c.accepted.Messages > c.Messages {
		say(10, "%s of it were accepted later, more than were refused", plain.Plural(c.accepted.Messages, "message"))
	}
	if c.ours > 0 {
		say(-40, "its HELO was one of our names")
	}
	if c.helos.more || len(c.helos.list) == maxHELOs {
		say(-20, "its HELO was %d names or more", maxHELOs)
	}
	if len(c.senders.list) > mostDomains && c.chosen == "" {
		say(-20, "it sent from %d domains or more", mostDomains+1)
	}
	return all, known
}

// patient is the mail that was tried most often as a queue does.
func (c *candidate) patient() *mail {
	var best *mail
	for i := range c.mails {
		if m := &c.mails[i]; m.queued() && (best == nil || m.tries > best.tries) {
			best = m
		}
	}
	return best
}

// identity says who a client is, as far as that is known.
func (c *candidate) identity(o *owners, say func(points int, format string, args ...any)) {
	// Half of the messages, so that one lucky guess of a sender does not count.
	mostly := func(n int) bool { return n > 0 && 2*n >= c.signed }
	own := c.own > 0 && 2*c.own >= c.messages
	switch {
	case mostly(c.named):
		say(40, "its confirmed name %s is in the domain of its senders, %s (%d of %s)", c.chosen, c.org, c.named, plain.Plural(c.messages, "message"))
	case mostly(c.heloGiven):
		say(40, "its HELO %s resolves to it and is in the domain of its senders, %s (%d of %s)", c.helo, c.org, c.heloGiven, plain.Plural(c.messages, "message"))
	case own && c.chosen != "":
		say(20, "its HELO %s is of the same organisation as its confirmed name %s", c.helo, c.chosen)
	case own:
		say(20, "its HELO %s resolves to it", c.helo)
	case mostly(c.near):
		say(25, "its name and its HELO are in the domain of its senders, %s, and that name resolves to a neighbour in its own network", c.org)
	case mostly(c.claimed):
		say(15, "its name and its HELO are in the domain of its senders, %s; neither is confirmed, so that this alone proves little", c.org)
	case c.constant(o):
		say(15, "its HELO is always %s and it always sends from %s, which no other client does; this alone proves little", c.helos.list[0].text, c.senders.list[0].text)
	case mostly(c.tenant):
		say(10, "its HELO is in the domain of its senders, %s, and its confirmed name is somebody else's, as of a rented host; this alone proves little", c.org)
	}
}

// against is what spoke against a client when it was refused, in the words of the checks.
func (c *candidate) against() []string {
	all := []string{}
	for _, s := range c.samples {
		r, err := journal.Parse([]byte(s.text))
		if err != nil {
			continue // it was read before
		}
		for _, text := range r.Decision.Checks.Objections(&r.Request, &r.Facts) {
			if text = plain.Sentence(text); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// constant reports whether a client always claims the same of itself, and no other
// client does. A HELO of another domain than its senders' says something only of a host that
// has shown to have a name.
func (c *candidate) constant(o *owners) bool {
	one := func() bool {
		helo, sender := c.helos.list[0].text, c.senders.list[0].text
		return c.confirmed || hostname.Organisation(hostname.Normal(helo)) == hostname.Organisation(sender)
	}
	return c.messages >= constantMessages && len(c.days) >= constantDays && c.host == c.messages &&
		len(c.helos.list) == 1 && !c.helos.more && len(c.senders.list) == 1 && !c.senders.more &&
		c.signed == c.messages && one() && o.alone(c.senders.list[0].text, c.client)
}
