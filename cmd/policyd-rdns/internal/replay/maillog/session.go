package maillog

// sessionKey is a session while it lasts: a process of smtpd has one at a time.
type sessionKey struct {
	host, service string
	pid           int
}

// session is one connection of a client.
type session struct {
	key  sessionKey
	addr string // of the client, to tell a session from the one before it

	helo      Fact // that lines have shown
	mixed     bool // they have shown several
	encrypted bool
	loggedIn  bool // of the message that has no queue ID
	held      bool // what is being sent is put on hold
	discarded bool // or thrown away

	over    bool
	single  bool       // it has said HELO once, as its last line says
	waiting []*message // that are complete but for the HELO
}

// show notes a HELO that a line has shown.
func (s *session) show(helo Fact) {
	if !helo.Known {
		return
	}
	s.mixed = s.mixed || s.helo.Known && s.helo != helo
	s.helo = helo
}

// end notes the last line. After STARTTLS a client says HELO again
// (RFC 3207 section 4.2): mail comes under the second HELO only.
func (s *session) end(e *event) {
	s.over = true
	s.single = e.counted && (e.helos == 1 || e.helos == 2 && e.starttls == 1)
	s.encrypted = s.encrypted || e.starttls > 0
}

// knownHELO is the HELO that all of the session's mail came under, if that is known.
func (s *session) knownHELO() Fact {
	if !s.over || !s.single || s.mixed || s.helo.Text == "" {
		return Fact{}
	}
	return s.helo
}

// sessions are those that are open.
type sessions struct {
	open map[sessionKey]*session
	// order is that in which they began, with those that have ended.
	order []*session
}

// maxSessions bounds the sessions that are open. Postfix has a hundred processes
// by default; a log of many hosts has more.
const maxSessions = 20_000

// begin begins a session, and gives those that it takes the place of.
func (s *sessions) begin(key sessionKey) (begun *session, gone []*session) {
	if old := s.open[key]; old != nil {
		old.over = true
		gone = append(gone, old)
	}
	begun = &session{key: key}
	s.open[key] = begun
	s.order = append(s.order, begun)
	for len(s.open) > maxSessions || len(s.order) > 2*maxSessions {
		oldest := s.order[0]
		s.order[0] = nil
		s.order = s.order[1:]
		if s.open[oldest.key] == oldest {
			delete(s.open, oldest.key)
			oldest.over = true
			gone = append(gone, oldest)
		}
	}
	return begun, gone
}

func (s *sessions) end(old *session) {
	old.over = true
	if s.open[old.key] == old {
		delete(s.open, old.key)
	}
}
