package maillog

import (
	"net/netip"
	"time"
)

// Outcome is what became of a recipient, as the client saw it.
type Outcome uint8

// The outcomes.
const (
	Accepted  Outcome = iota
	Held              // accepted, and put on hold
	Discarded         // accepted, and thrown away
	Deferred          // 4xx
	Refused           // 5xx
	// Unfinished is a recipient that was accepted, of a message of which the log
	// does not say that it came to its end: the client went away, or the log ends.
	Unfinished
)

// String is the outcome in lower case.
func (o Outcome) String() string {
	return [...]string{"accepted", "held", "discarded", "deferred", "refused", "unfinished"}[o]
}

// Fact is something that the log may hold.
type Fact struct {
	Text  string
	Known bool // else Text is empty
}

// known is a fact that the log holds.
func known(text string) Fact { return Fact{text, true} }

// Attempt is one recipient that a client has named, or a client that was refused
// before it named one. Its texts are as Postfix logged them, unprintable bytes
// replaced, and hostile.
type Attempt struct {
	Time    time.Time // zero if the log has no times
	Host    string    // as the line names it; often empty
	Service string    // as the line names it, such as postfix/smtpd

	// Client is as address.Plain has it. It is not valid if Postfix had no
	// address; ClientText then holds what was there.
	Client     netip.Addr
	ClientText string
	ClientName string // verified by Postfix, or "unknown"; empty from postscreen

	HELO      Fact   // known and empty: the client had not said HELO
	Sender    Fact   // empty for the null sender
	Recipient Fact   // known and empty: none had been named yet
	Protocol  string // SMTP or ESMTP; empty if not logged

	QueueID string // empty if there was none
	// Message is the same for all recipients of one message; empty if that is not
	// known.
	Message string

	Authenticated bool // the client logged in
	Encrypted     bool // TLS was seen; false says nothing
	Forwarded     bool // mail that came back from a content filter (orig_client)

	Outcome Outcome
	Stage   string // of a refusal: CONNECT, EHLO, HELO, MAIL, RCPT, DATA, END-OF-MESSAGE
	Reply   string // of a refusal: Postfix's text
}
