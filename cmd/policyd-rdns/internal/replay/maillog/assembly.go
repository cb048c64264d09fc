package maillog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxMessages and maxHeld (bytes) bound the messages whose end is not known yet.
	maxMessages = 50_000
	maxHeld     = 64 << 20
	// longest is how long the log is searched for the end of a message, or of the
	// session that it came in.
	longest = time.Hour
	// maxNames bounds the names of hosts and services that are kept.
	maxNames = 10_000
)

// assembly puts the lines about each message together.
type assembly struct {
	use      func(*Attempt) error
	sessions sessions
	messages map[messageKey]*message
	order    []*message // the oldest first, with those that have ended
	held     int        // bytes
	number   uint64
	now      time.Time
	names    map[string]string
	err      error // of use
}

func newAssembly(use func(*Attempt) error) *assembly {
	return &assembly{
		use:      use,
		sessions: sessions{open: map[sessionKey]*session{}},
		messages: map[messageKey]*message{},
		names:    map[string]string{},
	}
}

// keep gives a name that does not share a line's memory.
func (a *assembly) keep(name string) string {
	if kept, ok := a.names[name]; ok {
		return kept
	}
	if len(a.names) == maxNames {
		clear(a.names)
	}
	kept := strings.Clone(name)
	a.names[kept] = kept
	return kept
}

// add takes the next line. The error is that of use.
func (a *assembly) add(h *header, e *event) error {
	if h.time.After(a.now) || a.now.Sub(h.time) > longest {
		a.now = h.time
	}
	switch e.kind {
	case connected, ended, encrypted, named, verdict:
		a.addSession(h, e)
	case other:
	default:
		a.addMessage(h, e)
	}
	a.expire()
	return a.err
}

// session finds that of a line; nil if the line does not tell.
func (a *assembly) session(h *header, e *event) *session {
	if h.pid == 0 || h.program != "smtpd" {
		return nil
	}
	key := sessionKey{a.keep(h.host), a.keep(h.service), h.pid}
	s := a.sessions.open[key]
	addr := e.client.addr.String() + e.client.text
	if s != nil && s.addr != addr {
		// Its end is not in the log, or XCLIENT has changed it.
		a.sessions.end(s)
		a.release(s)
		s = nil
	}
	if s == nil || e.kind == connected {
		var gone []*session
		s, gone = a.sessions.begin(key)
		s.addr = addr
		for _, g := range gone {
			a.release(g)
		}
	}
	return s
}

func (a *assembly) addSession(h *header, e *event) {
	s := a.session(h, e)
	switch e.kind {
	case encrypted:
		if s != nil {
			s.encrypted = true
		}
	case ended:
		if s != nil {
			s.end(e)
			a.sessions.end(s)
			a.release(s)
		}
	case named:
		a.begin(h, e, s)
	case verdict:
		a.judge(h, e, s)
	}
}

// begin begins a message.
func (a *assembly) begin(h *header, e *event, s *session) {
	if e.id == "" {
		if s != nil {
			s.loggedIn = e.loggedIn
		}
		return
	}
	key := messageKey{a.keep(h.host), strings.Clone(e.id)}
	if old := a.messages[key]; old != nil {
		a.settle(old)
	}
	a.number++
	m := &message{
		key: key, number: a.number, time: h.time, service: a.keep(h.service), session: s,
		client: client{strings.Clone(e.client.name), e.client.addr, strings.Clone(e.client.text)},
		// The envelope of such a line is empty.
		loggedIn: e.loggedIn, forwarded: e.forwarded, size: messageSize,
	}
	if s != nil {
		m.encrypted, m.held, m.discarded = s.encrypted, s.held, s.discarded
		s.held, s.discarded = false, false
	}
	a.messages[key] = m
	a.order = append(a.order, m)
	a.held += m.size
}

// judge takes a line about a client, a recipient or a message.
func (a *assembly) judge(h *header, e *event, s *session) {
	helo := Fact{strings.Clone(e.helo.Text), e.helo.Known}
	m := a.messages[messageKey{h.host, e.id}]
	if m != nil && m.client.addr == e.client.addr {
		if helo.Known {
			m.helo = helo
		}
		m.protocol = cmp.Or(m.protocol, e.protocol)
	}
	if s != nil {
		s.show(helo)
	}
	action := strings.TrimPrefix(strings.TrimPrefix(e.action, "milter-"), "proxy-")
	switch {
	case action == "reject" || action == "defer":
		a.refuse(h, e, m)
	case e.action == "proxy-accept":
		a.accept(h, e, s)
	case m != nil:
		m.held = m.held || action == "hold" || action == "quarantine"
		m.discarded = m.discarded || action == "discard"
	case s != nil:
		s.held = s.held || action == "hold"
		s.discarded = s.discarded || action == "discard"
	}
}

// refuse takes a refusal: of a message, if it comes after its recipients.
func (a *assembly) refuse(h *header, e *event, m *message) {
	outcome := Refused
	if strings.HasPrefix(e.reply, "4") {
		outcome = Deferred
	}
	if m != nil && e.stage != "RCPT" {
		m.refusal = &refusal{outcome, a.keep(e.stage), strings.Clone(e.reply)}
		if e.recipient.Text != "" {
			a.held += m.addRecipient(e.recipient)
		}
		m.sender = firstKnown(m.sender, e.sender)
		a.settle(m)
		return
	}
	t := a.attempt(h, e)
	t.Outcome, t.Stage, t.Reply = outcome, e.stage, e.reply
	if m != nil {
		t.Message = messageName(m.key, m.number)
	}
	a.tell(&t)
}

// accept takes mail that went to a filter before it had a queue ID.
func (a *assembly) accept(h *header, e *event, s *session) {
	t := a.attempt(h, e)
	if s != nil {
		t.Authenticated, s.loggedIn = s.loggedIn, false
		t.Encrypted = s.encrypted
	}
	a.tell(&t)
}

// attempt is what a single line tells.
func (a *assembly) attempt(h *header, e *event) Attempt {
	return Attempt{
		Time: h.time, Host: h.host, Service: h.service,
		Client: e.client.addr, ClientText: e.client.text, ClientName: e.client.name,
		HELO: e.helo, Sender: e.sender, Recipient: e.recipient, Protocol: e.protocol,
		QueueID: e.id, Authenticated: e.loggedIn,
	}
}

// addMessage takes a line about a message that smtpd has given an ID. Others have
// come from this host, and had no client.
func (a *assembly) addMessage(h *header, e *event) {
	m := a.messages[messageKey{h.host, e.id}]
	if m == nil {
		return
	}
	switch e.kind {
	case arrived:
		m.arrived = true
	case content:
		a.addContent(m, e)
	case queued:
		if m.queued {
			break // again, after a deferral
		}
		m.queued, m.expected = true, e.recipients
		m.sender = Fact{strings.Clone(e.sender.Text), e.sender.Known}
		m.size += len(m.sender.Text)
		a.held += len(m.sender.Text)
	case delivered:
		a.held += m.addRecipient(e.recipient)
	}
	if e.kind == removed || m.queued && m.expected > 0 && m.deliveries >= m.expected {
		a.complete(m)
	}
}

func (a *assembly) addContent(m *message, e *event) {
	if e.helo.Known && e.client.addr == m.client.addr && e.client.addr.IsValid() {
		m.helo = Fact{strings.Clone(e.helo.Text), true}
		m.sender = firstKnown(m.sender, e.sender)
	}
	switch strings.TrimPrefix(e.action, "milter-") {
	case "reject":
		m.refusal = &refusal{outcome: Refused, stage: "END-OF-MESSAGE"}
	case "hold", "quarantine":
		m.held = true
	case "discard":
		m.discarded = true
	default:
		return
	}
	if e.recipient.Text != "" {
		a.held += m.addRecipient(e.recipient) // no delivery may ever show it
	}
	if m.refusal != nil {
		a.settle(m)
	}
}

// complete settles a message, unless the end of its session may tell its HELO.
func (a *assembly) complete(m *message) {
	s := m.session
	if !m.helo.Known && s != nil && !s.over && s.helo.Known && !s.mixed {
		s.waiting = append(s.waiting, m)
		return
	}
	a.settle(m)
}

// release settles what has waited for the end of a session.
func (a *assembly) release(s *session) {
	for _, m := range s.waiting {
		a.settle(m)
	}
	s.waiting = nil
}

// settle hands over the attempts of a message, and forgets it.
func (a *assembly) settle(m *message) {
	if m.ended {
		return
	}
	m.ended = true
	if a.messages[m.key] == m {
		delete(a.messages, m.key)
	}
	a.held -= m.size
	for _, t := range m.attempts() {
		a.tell(&t)
	}
	*m = message{key: m.key, time: m.time, ended: true}
}

func (a *assembly) tell(t *Attempt) {
	if a.err == nil {
		a.err = a.use(t)
	}
}

// expire settles the messages that have waited for too long, or are too many.
func (a *assembly) expire() {
	for len(a.order) > 0 {
		m := a.order[0]
		if !m.ended && len(a.messages) <= maxMessages && a.held <= maxHeld && a.now.Sub(m.time) <= longest {
			break
		}
		a.settle(m)
		a.order[0] = nil
		a.order = a.order[1:]
	}
	if len(a.order) > 2*len(a.messages)+1000 {
		a.order = slices.DeleteFunc(a.order, func(m *message) bool { return m.ended })
	}
}

// end settles all.
func (a *assembly) end() error {
	for _, m := range a.order {
		a.settle(m)
	}
	return a.err
}

// messageName is unique, in this log and beside those of other hosts.
func messageName(key messageKey, number uint64) string {
	return key.host + "/" + key.id + "." + strconv.FormatUint(number, 36)
}

// firstKnown is the one that is known.
func firstKnown(f, other Fact) Fact {
	if f.Known {
		return f
	}
	return Fact{strings.Clone(other.Text), other.Known}
}
