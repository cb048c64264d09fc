package postfix

import (
	"bytes"
	"strings"

	"policyd-rdns/policy/smtp"
)

// maxAction bounds the action of a reply, in bytes.
const maxAction = smtp.MaxAction

const (
	// noAction is the reply that decides nothing.
	noAction = "DUNNO"
	// noText is what Postfix itself says where an action has no text.
	noText = "Access denied"
)

// Reply is an action of access(5) that is fit to send. Only [NewReply] makes one, and a
// server sends it as it is. The zero Reply is DUNNO.
type Reply struct{ action string }

// NewReply makes an action of access(5) fit to send. The action is one of these, in
// capitals:
//
//	DUNNO
//	4NN text, 5NN text; an enhanced status code may be between (550 5.7.1 text)
//	REJECT, DEFER, DEFER_IF_PERMIT, DEFER_IF_REJECT, HOLD, INFO, WARN, each with an optional text
//	PREPEND name: value, a header field; name is letters, digits and "-"
//
// What is not printable ASCII becomes "?", space around it goes, at most 400 bytes are
// kept, and a code without text is given one. Everything else becomes DUNNO,
// because Postfix would not take it for what was meant: of all digits it makes a
// permit, of an unknown first word the name of a restriction, with a colon in it
// ("550: no") a "Server configuration error" for every client, and of what is
// prepended and no header field the end of the message's header. OK and RELAY,
// which permit, are never sent.
func NewReply(action string) Reply {
	if action == noAction {
		return Reply{}
	}
	var space [maxAction + len(" "+noText)]byte
	fit := appendText(appendPrintable(space[:0], strings.TrimSpace(action), maxAction), 0)
	switch {
	case !allowed(fit):
		return Reply{}
	case string(fit) == action: // as nearly always
		return Reply{action}
	}
	return Reply{string(fit)}
}

// String is the action as it is sent.
func (r Reply) String() string {
	if r.action == "" {
		return noAction
	}
	return r.action
}

// Append appends the reply as Postfix reads it, and returns the extended buffer.
func (r Reply) Append(dst []byte) []byte {
	return append(append(append(dst, "action="...), r.String()...), "\n\n"...)
}

// appendPrintable appends at most limit bytes of s, no space at their end.
func appendPrintable(dst []byte, s string, limit int) []byte {
	start := len(dst)
	for _, c := range s {
		if len(dst)-start == limit {
			break
		}
		if c < ' ' || c > '~' {
			c = '?'
		}
		dst = append(dst, byte(c))
	}
	return dst[:start+len(bytes.TrimRight(dst[start:], " "))]
}

// appendText appends a text to the action that begins at start, if it is a
// code, or a code and an enhanced one, and nothing else.
func appendText(dst []byte, start int) []byte {
	code, rest, _ := bytes.Cut(dst[start:], []byte{' '})
	enhanced := bytes.TrimLeft(rest, " ")
	if !isCode(code) || len(enhanced) > 0 && !isEnhanced(enhanced) {
		return dst
	}
	dst = append(dst[:start+len(code)], ' ')
	if len(enhanced) > 0 {
		dst = append(dst, enhanced...) // to the left of where it is, or there
		dst = append(dst, ' ')
	}
	return append(dst, noText...)
}

// allowed reports whether an action with trimmed, printable text is one that
// NewReply lets out.
func allowed(action []byte) bool {
	word, text, _ := bytes.Cut(action, []byte{' '})
	switch string(word) {
	case "DUNNO", "REJECT", "DEFER", "DEFER_IF_PERMIT", "DEFER_IF_REJECT", "HOLD", "INFO", "WARN":
		return true
	case "PREPEND":
		return isField(text)
	}
	return isCode(word) && len(text) > 0
}

// isCode reports whether b is an SMTP code that Postfix takes for a refusal.
func isCode(b []byte) bool {
	return len(b) == 3 && (b[0] == '4' || b[0] == '5') && isDigit(b[1]) && isDigit(b[2])
}

// isField reports whether printable text is a header field with a body (RFC 5322
// section 2.2). Of the names that a field may have it takes those that are usual.
func isField(text []byte) bool {
	name, body, _ := bytes.Cut(text, []byte(": "))
	for _, c := range name {
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && c != '-' {
			return false
		}
	}
	return len(name) > 0 && len(bytes.TrimLeft(body, " ")) > 0
}

// isEnhanced reports whether b is an enhanced status code of a refusal
// (RFC 3463 section 2).
func isEnhanced(b []byte) bool {
	class, rest, _ := bytes.Cut(b, []byte{'.'})
	subject, detail, _ := bytes.Cut(rest, []byte{'.'})
	return len(class) == 1 && (class[0] == '4' || class[0] == '5') && isShort(subject) && isShort(detail)
}

// isShort reports whether b is a number of one to three digits.
func isShort(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return 1 <= len(b) && len(b) <= 3
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
