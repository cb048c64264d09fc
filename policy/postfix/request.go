package postfix

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
)

// maxValue bounds each text of a [policy.Request], in bytes; what is longer
// is cut. Postfix takes no longer lines from its clients (line_length_limit
// in postconf(5)), so nothing genuine is.
const maxValue = 2048

// accessPolicy is the one kind of request that Postfix has. ownRequest is that of our
// own commands.
const (
	accessPolicy = "smtpd_access_policy"
	ownRequest   = "policyd_rdns"
)

// attribute is one that this package reads.
type attribute int

const (
	clientAddress attribute = iota
	clientName
	reverseClientName
	heloName
	protocolState
	sender
	recipient
	instance
	queueID
	policyContext
	serverAddress
	requestKind
	saslUsername
	encryptionProtocol
	inquiryQuery

	// Those before requestKind become texts; of the others it only matters
	// what they are, or whether they are at all.
	texts           = requestKind
	knownAttributes = inquiryQuery + 1
)

// attributeOf is not known for what SMTPD_POLICY_README may list, but nothing
// here needs.
func attributeOf(name []byte) (a attribute, known bool) {
	switch string(name) {
	case "client_address":
		return clientAddress, true
	case "client_name":
		return clientName, true
	case "reverse_client_name":
		return reverseClientName, true
	case "helo_name":
		return heloName, true
	case "protocol_state":
		return protocolState, true
	case "sender":
		return sender, true
	case "recipient":
		return recipient, true
	case "instance":
		return instance, true
	case "queue_id":
		return queueID, true
	case "policy_context":
		return policyContext, true
	case "server_address":
		return serverAddress, true
	case "request":
		return requestKind, true
	case "sasl_username":
		return saslUsername, true
	case "encryption_protocol":
		return encryptionProtocol, true
	case "query":
		return inquiryQuery, true
	}
	return 0, false
}

// value is in the Reader's buffer.
func (r *Reader) value(a attribute) []byte {
	return r.buf[r.values[a].start:r.values[a].end]
}

// request makes a Request of what was read.
func (r *Reader) request(req *policy.Request) error {
	kind := r.value(requestKind)
	if r.asked = r.inquiries && string(kind) == ownRequest; r.asked {
		r.query, *req = strings.ToValidUTF8(string(r.value(inquiryQuery)), "?"), policy.Request{}
		return nil
	}
	if string(kind) != accessPolicy {
		return fmt.Errorf("%w: request=%.60q, want %s", ErrRequest, kind, accessPolicy)
	}
	text := r.texts()
	*req = policy.Request{
		Client:            parseAddr(text[clientAddress]),
		ClientName:        text[clientName],
		ReverseClientName: text[reverseClientName],
		HELO:              text[heloName],
		State:             text[protocolState],
		Sender:            text[sender],
		Recipient:         text[recipient],
		Instance:          text[instance],
		QueueID:           text[queueID],
		Authenticated:     len(r.value(saslUsername)) > 0,
		Encrypted:         len(r.value(encryptionProtocol)) > 0,
		Server:            parseAddr(text[serverAddress]),
		Context:           text[policyContext],
	}
	req.Time = time.Now()
	if !req.Client.IsValid() {
		req.ClientText = text[clientAddress]
	}
	return nil
}

// texts copies the values out of the buffer, all with one allocation.
func (r *Reader) texts() (text [texts]string) {
	size := 0
	for a := range texts {
		size += len(r.value(a))
	}
	var all strings.Builder
	all.Grow(size)
	for a := range texts {
		all.Write(r.value(a))
	}
	rest := all.String()
	ascii := isASCII(rest)
	for a := range texts {
		n := len(r.value(a))
		text[a], rest = rest[:n], rest[n:]
		if !ascii {
			// What is not UTF-8 could not go into a JSON log line and come back.
			text[a] = strings.ToValidUTF8(text[a], "?")
		}
	}
	return text
}

// isASCII reports whether a text is nothing but ASCII. It takes all values at once, which
// as UTF-8 have to be looked at one by one: two may be valid together.
func isASCII(s string) bool {
	var all byte
	for ; len(s) >= 8; s = s[8:] {
		all |= s[0] | s[1] | s[2] | s[3] | s[4] | s[5] | s[6] | s[7]
	}
	for i := range len(s) {
		all |= s[i]
	}
	return all < utf8.RuneSelf
}

// parseAddr returns an address as the rest of the program has them, not valid
// if s is none.
func parseAddr(s string) netip.Addr {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return address.Plain(addr)
}
