package policy

import (
	"net/netip"
	"time"
)

// Request is what Postfix says of one SMTP client at one stage of a session:
// the attributes of the policy delegation protocol (SMTPD_POLICY_README) that
// a judgement or its log line needs. Every text is as the client sent it, valid
// UTF-8, at most 2048 bytes, and hostile: escape it wherever it goes. An
// attribute that Postfix did not send is the zero value.
type Request struct {
	// Time is when the request had arrived whole. Rules with a date
	// ("until") are judged by it, so that a replay judges by the same day.
	Time time.Time

	// Client is client_address, as [address.Plain] has it. It is not valid if the
	// attribute is absent, "unknown" or no address; ClientText then holds what was
	// there.
	Client     netip.Addr
	ClientText string

	// ClientName and ReverseClientName are Postfix's own findings, "unknown"
	// included: the verified and the unverified name of the client. They are
	// logged beside ours and never judged.
	ClientName        string
	ReverseClientName string

	// HELO is helo_name, the argument of HELO or EHLO; empty before one came.
	HELO string

	// State is protocol_state: CONNECT, EHLO, HELO, MAIL, RCPT, DATA,
	// END-OF-MESSAGE, VRFY, ETRN, or one that a later Postfix invents
	// (XCLIENT is sent, though not documented).
	State string

	Sender    string // MAIL FROM, empty for the null sender
	Recipient string // RCPT TO, empty before the first
	Instance  string // equal for all requests about one message
	QueueID   string

	// Authenticated reports whether the client logged in (sasl_username).
	Authenticated bool
	// Encrypted reports whether the session is under TLS (encryption_protocol).
	Encrypted bool

	// Server is server_address, the address that Postfix accepted on
	// (Postfix 3.2 and later); not valid if not sent.
	Server netip.Addr

	// Context is policy_context, set by the administrator for one
	// check_policy_service (Postfix 3.1 and later).
	Context string

	// Cut names the texts of which only the beginning is here. Postfix sends no
	// such: it is for a request that was read from a log.
	Cut Attributes

	// Unknown are keys that nobody knows, as where the request was put together from
	// the log of another program: entries that look at them are undetermined.
	Unknown Attributes
}

// cut reports whether only the beginning of a text is known.
func (r *Request) cut(text Attributes) bool { return r.Cut&text != 0 }

// notYet are the keys that nobody can know at this stage of the dialogue: a later one
// may tell them. Whether a client logs in or takes up TLS is settled when it comes to
// MAIL.
func (r *Request) notYet() Attributes {
	switch r.State {
	case "CONNECT", "XCLIENT", "EHLO", "HELO":
		return AttrSender | AttrRecipient | unless(r.HELO != "", AttrHELO) |
			unless(r.Authenticated, AttrAuthenticated) | unless(r.Encrypted, AttrEncrypted)
	case "MAIL":
		return AttrRecipient
	}
	return 0
}

// unless is a key that is not known.
func unless(known bool, key Attributes) Attributes {
	if known {
		return 0
	}
	return key
}

// takesHeader reports whether Postfix adds a header to the message at this stage
// (PREPEND in access(5)): not before RCPT, where with smtpd_delay_reject = no the text is
// dropped, and not at END-OF-MESSAGE, when the message is written.
func (r *Request) takesHeader() bool { return r.State == "RCPT" || r.State == "DATA" }

// mailBegun reports whether the client has come to MAIL or beyond, where a HELO
// that is missing and a sender that is empty mean something.
func (r *Request) mailBegun() bool {
	switch r.State {
	case "MAIL", "RCPT", "DATA", "END-OF-MESSAGE":
		return true
	}
	return false
}
