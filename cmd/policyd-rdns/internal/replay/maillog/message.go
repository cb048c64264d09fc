package maillog

import (
	"strings"
	"time"
)

// messageKey is a message while it is in the queue. Services of one Postfix may log
// under different names, so that the name is no part of it.
type messageKey struct{ host, id string }

// message is what is known of a message that has not ended yet.
type message struct {
	key     messageKey
	number  uint64 // tells messages apart that had one ID after the other
	time    time.Time
	service string
	client  client
	session *session // nil: not known

	helo       Fact
	sender     Fact
	protocol   string
	recipients []string
	more       bool // there are recipients that are not among them
	deliveries int
	expected   int // deliveries

	loggedIn  bool
	encrypted bool
	forwarded bool
	arrived   bool
	queued    bool
	held      bool
	discarded bool
	refusal   *refusal
	ended     bool

	size int // bytes that it holds, about
}

// refusal is that of a message as a whole.
type refusal struct {
	outcome      Outcome
	stage, reply string
}

// maxRecipients bounds the recipients of a message that are kept.
const maxRecipients = 1000

// messageSize is the memory of a message without its texts, about.
const messageSize = 600

// addRecipient notes one, and how much more memory that takes.
func (m *message) addRecipient(to Fact) (grown int) {
	m.deliveries++
	if !to.Known || len(m.recipients) == maxRecipients {
		m.more = true
		return 0
	}
	for _, r := range m.recipients {
		if r == to.Text {
			return 0
		}
	}
	m.recipients = append(m.recipients, strings.Clone(to.Text))
	grown = len(to.Text) + 32
	m.size += grown
	return grown
}

// outcome is what became of it.
func (m *message) outcome() Outcome {
	switch {
	case m.refusal != nil:
		return m.refusal.outcome
	case m.discarded:
		return Discarded
	case m.held && m.arrived:
		return Held
	case m.queued || m.deliveries > 0:
		return Accepted
	}
	return Unfinished
}

// knownHELO is the HELO that the message came under, if that is known.
func (m *message) knownHELO() Fact {
	if !m.helo.Known && m.session != nil {
		return m.session.knownHELO()
	}
	return m.helo
}

// attempts are those of a message that has ended: one of each recipient, and one
// of those that are not known, if there are any.
func (m *message) attempts() []Attempt {
	a := Attempt{
		Time: m.time, Host: m.key.host, Service: m.service,
		Client: m.client.addr, ClientText: m.client.text, ClientName: m.client.name,
		HELO: m.knownHELO(), Sender: m.sender, Protocol: m.protocol,
		QueueID: m.key.id, Message: messageName(m.key, m.number),
		Authenticated: m.loggedIn, Encrypted: m.encrypted || m.session != nil && m.session.encrypted,
		Forwarded: m.forwarded, Outcome: m.outcome(),
	}
	if m.refusal != nil {
		a.Stage, a.Reply = m.refusal.stage, m.refusal.reply
	}
	all := make([]Attempt, 0, len(m.recipients)+1)
	for _, to := range m.recipients {
		a.Recipient = known(to)
		all = append(all, a)
	}
	if len(all) == 0 || m.more || m.deliveries < m.expected {
		a.Recipient = Fact{}
		all = append(all, a)
	}
	return all
}
