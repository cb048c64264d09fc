package maillog

import "strings"

// envelope is what a line shows at its end of the transaction.
type envelope struct {
	sender, recipient, helo Fact
	protocol                string
	loggedIn                bool
}

// begins are how the end of a line may begin. What Postfix does not have it leaves
// out, in this order.
var begins = [...]string{" from=<", " to=<", " proto=", " helo=<"}

// cutEnvelope parts the reply of a line from the envelope behind it,
// "; from=<> to=<> proto= helo=<>". Reply and envelope hold what the client chose,
// perhaps to look like an envelope: an address that is not quoted as it should be
// leaves sender and recipient unknown if there is more than one place where the
// envelope may begin.
func cutEnvelope(s string) (reply string, e envelope) {
	first := nextEnvelope(s, 0)
	if first < 0 {
		return strings.TrimSuffix(s, ";"), e
	}
	reply = s[:first]
	if e, rest, ok := parseEnvelope(s[first+1:]); ok && rest == "" {
		return reply, e
	}
	if nextEnvelope(s, first+1) < 0 {
		return reply, looseEnvelope(s[first+1:])
	}
	return reply, endOfEnvelope(s)
}

// nextEnvelope finds the next semicolon from which on an envelope may follow.
func nextEnvelope(s string, from int) int {
	for {
		i := strings.IndexByte(s[from:], ';')
		if i < 0 {
			return -1
		}
		from += i + 1
		for _, b := range begins {
			if strings.HasPrefix(s[from:], b) {
				return from - 1
			}
		}
	}
}

// parseEnvelope reads an envelope by its grammar. What is left out was not there
// when Postfix logged it.
func parseEnvelope(s string) (e envelope, rest string, ok bool) {
	e.sender, e.recipient, e.helo = known(""), known(""), known("")
	fields := [...]struct {
		key  string
		fact *Fact
	}{{" from=<", &e.sender}, {" to=<", &e.recipient}}
	rest, begun := s, false
	for _, f := range fields {
		after, has := cutField(rest, f.key, begun)
		if !has {
			continue
		}
		if f.fact.Text, rest, ok = cutAddress(after); !ok {
			return e, s, false
		}
		begun = true
	}
	if e.protocol, rest, ok = cutProtocol(rest, begun); !ok {
		return e, s, false
	}
	if after, has := cutField(rest, " helo=<", begun || e.protocol != ""); has {
		if e.helo.Text, rest, ok = cutWord(after); !ok {
			return e, s, false
		}
	}
	if after, has := cutField(rest, " sasl_method=", true); has {
		rest = strings.TrimLeft(after, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
	}
	if after, has := cutField(rest, " sasl_username=<", true); has {
		e.loggedIn = true
		if _, rest, ok = cutWord(after); !ok {
			return e, s, false
		}
	}
	return e, rest, true
}

// cutField reads a key; postscreen has commas between the fields.
func cutField(s, key string, comma bool) (rest string, ok bool) {
	if comma {
		s = strings.TrimPrefix(s, ",")
	}
	return strings.CutPrefix(s, key)
}

// cutProtocol reads proto=SMTP, proto=ESMTP or nothing.
func cutProtocol(s string, comma bool) (protocol, rest string, ok bool) {
	after, has := cutField(s, " proto=", comma)
	if !has {
		return "", s, true
	}
	for _, p := range [...]string{"ESMTP", "SMTP"} {
		if rest, ok := strings.CutPrefix(after, p); ok {
			return p, rest, true
		}
	}
	return "", s, false
}

// cutWord reads up to > what Postfix has replaced all odd bytes in (smtpd_chat
// and neuter: blanks, brackets, quotes and semicolons among them).
func cutWord(s string) (word, rest string, ok bool) {
	i := strings.IndexAny(s, "<>\" \\;")
	if i < 0 || s[i] != '>' || i > 2048 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// looseEnvelope reads an envelope with an address that is not quoted as it should
// be, if each of its fields begins at one place only.
func looseEnvelope(s string) envelope {
	e := endOfEnvelope(s)
	body := s
	if i := strings.LastIndex(s, " proto="); i >= 0 {
		body = strings.TrimSuffix(s[:i], ",")
	}
	if strings.Count(s, " from=<") != 1 || strings.Count(s, " to=<") > 1 || strings.Count(s, " proto=") != 1 ||
		!strings.HasPrefix(s, " from=<") || !strings.HasSuffix(body, ">") {
		return e
	}
	sender, recipient, named := strings.Cut(body[len(" from=<"):len(body)-1], " to=<")
	if !named {
		e.sender, e.recipient = bounded(sender), known("")
		return e
	}
	sender = strings.TrimSuffix(sender, ",")
	if !strings.HasSuffix(sender, ">") {
		return e
	}
	e.sender, e.recipient = bounded(sender[:len(sender)-1]), bounded(recipient)
	return e
}

func bounded(addr string) Fact {
	if len(addr) > maxAddress {
		return Fact{}
	}
	return known(addr)
}

// endOfEnvelope reads the protocol and the HELO from the right: no HELO
// has a blank or a bracket in it once it was accepted, so that the last one is
// Postfix's own.
func endOfEnvelope(s string) envelope {
	var e envelope
	i := strings.LastIndex(s, " proto=")
	if i < 0 {
		return e
	}
	protocol, rest, ok := cutProtocol(s[i:], false)
	if !ok {
		return e
	}
	helo := known("")
	if after, has := cutField(rest, " helo=<", true); has {
		if helo.Text, rest, ok = cutWord(after); !ok {
			return e
		}
	}
	if rest == "" {
		e.protocol, e.helo = protocol, helo
	}
	return e
}
