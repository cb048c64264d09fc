package maillog

import (
	"errors"
	"strconv"
	"strings"
)

// kind is what a line says.
type kind uint8

const (
	other     kind = iota
	connected      // a session begins
	ended          // a session ends
	encrypted      // a session has TLS
	named          // a message has a queue ID, and so a client
	verdict        // about a client, a recipient or a message
	content        // cleanup's verdict on a part of a message
	arrived        // a message's content
	queued         // a message is accepted
	delivered      // a recipient of a message
	removed        // a message has left the queue
)

// event is a line of interest. Its texts share the memory of the line.
type event struct {
	kind
	id     string // empty: NOQUEUE
	client client
	action string // of verdict and content: reject, milter-reject, hold, ...
	stage  string
	reply  string
	envelope

	forwarded  bool
	recipients int // of queued
	helos      int // of ended
	starttls   int
	counted    bool // ended has counts
}

// errLine is what is wrong with a line that is to be one of interest.
var errLine = errors.New("not a whole line of Postfix")

// parseEvent reads what a program of Postfix has said; the empty program is any.
func parseEvent(program, text string) (event, error) {
	switch program {
	case "smtpd", "postscreen":
		return parseSession(text)
	case "cleanup":
		return parseCleanup(text)
	case "qmgr", "nqmgr", "oqmgr":
		return parseQueue(text)
	case "smtp", "lmtp", "local", "virtual", "pipe", "error", "discard", "retry", "relay":
		return parseDelivery(text)
	case "":
		return parseAny(text)
	}
	return event{}, nil
}

// parseAny reads a line without its program: the form tells.
func parseAny(text string) (event, error) {
	for _, parse := range [...]func(string) (event, error){parseQueue, parseDelivery, parseCleanup, parseSession} {
		if e, err := parse(text); err != nil || e.kind != other {
			return e, err
		}
	}
	return event{}, nil
}

// cutID reads the queue ID that begins a line, or NOQUEUE.
func cutID(text string) (id, rest string, ok bool) {
	id, rest, ok = strings.Cut(text, ": ")
	switch {
	case !ok:
		return "", text, false
	case id == "NOQUEUE":
		return "", rest, true
	}
	return id, rest, queueID(id)
}

// parseSession reads a line of smtpd(8) or postscreen(8).
func parseSession(text string) (event, error) {
	if id, rest, ok := cutID(text); ok {
		if origin, ok := strings.CutPrefix(rest, "client="); ok {
			return parseOrigin(id, origin)
		}
		return parseVerdict(id, rest)
	}
	for _, b := range [...]struct {
		prefix string
		kind   kind
	}{
		{"connect from ", connected},
		{"disconnect from ", ended},
		{"Anonymous TLS connection established from ", encrypted},
		{"Untrusted TLS connection established from ", encrypted},
		{"Trusted TLS connection established from ", encrypted},
		{"Verified TLS connection established from ", encrypted},
	} {
		after, ok := strings.CutPrefix(text, b.prefix)
		if !ok {
			continue
		}
		e := event{kind: b.kind}
		var rest string
		if e.client, rest, ok = cutClient(after); !ok {
			return event{}, errLine
		}
		if e.kind == ended {
			e.count(rest)
		}
		return e, nil
	}
	return event{}, nil
}

// count reads the counts at the end of a session (Postfix 3.0 and later):
// ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4, of all and not only of those that
// were accepted.
func (e *event) count(s string) {
	for word := range strings.FieldsSeq(s) {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return
		}
		_, all, ok := strings.Cut(value, "/")
		if !ok {
			all = value
		}
		n, err := strconv.Atoi(all)
		if err != nil {
			return
		}
		switch key {
		case "helo", "ehlo":
			e.helos += n
		case "starttls":
			e.starttls = n
		case "commands":
			e.counted = true
		}
	}
}

// parseOrigin reads what follows client=.
func parseOrigin(id, text string) (event, error) {
	e := event{kind: named, id: id}
	c, rest, ok := cutClient(text)
	if !ok || rest != "" && !strings.HasPrefix(rest, ", ") {
		return event{}, errLine
	}
	e.client = c
	for rest != "" {
		field := rest[len(", "):]
		end := strings.Index(field, ", ")
		if end < 0 {
			end = len(field)
		}
		switch key, value, _ := strings.Cut(field[:end], "="); key {
		case "sasl_username":
			// What follows may be a part of it.
			e.loggedIn = e.loggedIn || value != ""
		case "orig_client", "orig_queue_id":
			e.forwarded = true
		}
		rest = field[end:]
	}
	return e, nil
}

// parseVerdict reads "action: STAGE from client: reply; envelope".
func parseVerdict(id, text string) (event, error) {
	action, rest, ok := strings.Cut(text, ": ")
	if !ok || !actionWord(action) {
		return event{}, nil
	}
	stage, rest, ok := strings.Cut(rest, " from ")
	if !ok || !stageWord(stage) {
		return event{}, nil
	}
	e := event{kind: verdict, id: id, action: action, stage: stage}
	if e.client, rest, ok = cutClient(rest); !ok {
		return event{}, errLine
	}
	rest, ok = strings.CutPrefix(rest, ": ")
	if !ok {
		return event{}, errLine
	}
	e.reply, e.envelope = cutEnvelope(rest)
	return e, nil
}

// actionWord reports whether a word is an action of smtpd_check.c, postscreen or a
// milter.
func actionWord(s string) bool {
	switch strings.TrimPrefix(strings.TrimPrefix(s, "milter-"), "proxy-") {
	case "reject", "reject_warning", "warn", "warning", "info", "permit", "hold", "discard", "filter", "redirect",
		"prepend", "replace", "bcc", "delay", "accept", "quarantine", "defer", "strip":
		return true
	}
	return false
}

// stageWord reports whether a word is a state of the protocol, such as END-OF-MESSAGE.
func stageWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != ""
}

// parseCleanup reads a line of cleanup(8).
func parseCleanup(text string) (event, error) {
	id, rest, ok := cutID(text)
	if !ok || id == "" {
		return event{}, nil
	}
	if strings.HasPrefix(rest, "message-id=") || strings.HasPrefix(rest, "resent-message-id=") {
		return event{kind: arrived, id: id}, nil
	}
	if e, err := parseVerdict(id, rest); err != nil || e.kind != other {
		return e, err
	}
	action, rest, ok := strings.Cut(rest, ": ")
	if !ok || !actionWord(action) {
		return event{}, nil
	}
	return parseContent(id, action, rest), nil
}

// parseContent reads "header Subject: ... from client; envelope: text". The header
// is the sender's: client and envelope are taken only if there is one place where
// they may stand.
func parseContent(id, action, text string) event {
	e := event{kind: content, id: id, action: action}
	i := nextEnvelope(text, 0)
	if i < 0 || nextEnvelope(text, i+1) >= 0 {
		return e
	}
	from := strings.LastIndex(text[:i], " from ")
	if from < 0 {
		return e
	}
	c, rest, ok := cutClient(text[from+len(" from "):])
	if !ok || !strings.HasPrefix(rest, ";") {
		return e
	}
	if env, rest, ok := parseEnvelope(text[i+1:]); ok && (rest == "" || strings.HasPrefix(rest, ": ")) {
		e.client, e.envelope = c, env
	}
	return e
}

// parseQueue reads a line of qmgr(8).
func parseQueue(text string) (event, error) {
	id, rest, ok := cutID(text)
	if !ok || id == "" {
		return event{}, nil
	}
	if rest == "removed" {
		return event{kind: removed, id: id}, nil
	}
	after, ok := strings.CutPrefix(rest, "from=<")
	if !ok {
		return event{}, nil
	}
	if !strings.HasSuffix(rest, "(queue active)") {
		return event{}, nil // status=expired, or held back
	}
	e := event{kind: queued, id: id}
	const nrcpt = ", nrcpt="
	end := strings.LastIndex(after, nrcpt)
	if end < 0 {
		return event{}, errLine
	}
	count, _, _ := strings.Cut(after[end+len(nrcpt):], " ")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return event{}, errLine
	}
	e.recipients = n
	if addr, rest, ok := cutAddress(after); ok && strings.HasPrefix(rest, ", size=") {
		e.sender = known(addr)
	} else if i := strings.LastIndex(after, ">, size="); i >= 0 {
		// It ends there: numbers alone follow.
		e.sender = bounded(after[:i])
	}
	return e, nil
}

// parseDelivery reads a line of a delivery agent. The recipient is the one that
// the client has named, as far as Postfix still has it.
func parseDelivery(text string) (event, error) {
	id, rest, ok := cutID(text)
	if !ok || id == "" {
		return event{}, nil
	}
	after, ok := strings.CutPrefix(rest, "to=<")
	if !ok {
		return event{}, nil
	}
	e := event{kind: delivered, id: id}
	to, rest, ok := cutAddress(after)
	if !ok {
		return e, nil
	}
	if after, has := strings.CutPrefix(rest, ", orig_to=<"); has {
		if to, rest, ok = cutAddress(after); !ok {
			return e, nil
		}
	}
	if strings.HasPrefix(rest, ", relay=") {
		e.recipient = known(to)
	}
	return e, nil
}
