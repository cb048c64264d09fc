package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// field is a key of a line.
type field uint8

// The fields, in the order in which they are written.
const (
	fTime field = iota
	fLevel
	fMsg
	fID
	fConfig
	fAction
	fRule
	fMode
	fDecided
	fWould
	fDowngraded
	fReply
	fPTR
	fFCrDNS
	fName
	fStrength
	fHELOForm
	fHELO
	fHELOName
	fClient
	fWhy
	fNames
	fMoreNames
	fHELOTo
	fOwnClient
	fOwnHELO
	fDNSErrors
	fQuestions
	fClientAddress
	fHELOIs
	fSender
	fRecipient
	fInstance
	fQueueID
	fState
	fAuthenticated
	fEncrypted
	fServer
	fClientName
	fReverseClientName
	fContext
	fCut
	fMS
	fCached
	fStale
	fOutage
	fOverload
	numFields
)

var fieldKeys = [numFields]string{
	"time", "level", "msg", "id", "config", "action", "rule", "mode", "decided", "would", "downgraded", "reply",
	"ptr", "fcrdns", "name", "strength", "helo_form", "helo", "helo_name",
	"client", "why", "names", "more_names", "helo_to", "own_client", "own_helo", "dns_errors", "questions",
	"client_address", "helo_is", "sender", "recipient", "instance", "queue_id", "state",
	"authenticated", "encrypted", "server", "client_name", "reverse_client_name", "context",
	"cut", "ms", "cached", "stale", "outage", "overload",
}

// fields are the values of a line as text, those of known keys.
type fields struct {
	value [numFields]string
	has   [numFields]bool
}

// set keeps a value. Of a key that is there twice the last counts. Lines come
// from a writer that keeps the order, so that the key is looked for from the
// one after the last; from is where to begin, and the result where the next may
// be.
func (f *fields) set(key, value string, from field) field {
	for i := from; i < numFields; i++ {
		if fieldKeys[i] == key {
			f.value[i], f.has[i] = value, true
			return i + 1
		}
	}
	for i := range from {
		if fieldKeys[i] == key {
			f.value[i], f.has[i] = value, true
			return i + 1
		}
	}
	return from
}

// split reads the fields of a line.
func (f *fields) split(line string) error {
	if f.splitPlainJSON(line) {
		return nil
	}
	if line == "" || line[0] != '{' {
		return f.splitLogfmt(line)
	}
	*f = fields{}
	return f.splitJSON(line)
}

// errTwoLines is what is wrong with the beginning of a line whose end was not written,
// with the next line behind it.
var errTwoLines = errors.New("two lines in one")

func (f *fields) splitLogfmt(line string) error {
	next := field(0)
	for rest := strings.TrimLeft(line, " "); rest != ""; {
		key, value, after, err := pair(rest)
		if err != nil {
			return err
		}
		if key == fieldKeys[fTime] && f.has[fTime] {
			return errTwoLines
		}
		next = f.set(key, value, next)
		rest = after
	}
	return nil
}

// pair reads the first key and value of logfmt; rest is what follows, without
// the space between.
func pair(s string) (key, value, rest string, err error) {
	key, rest, ok := strings.Cut(s, "=")
	if !ok || key == "" || strings.IndexByte(key, ' ') >= 0 || strings.IndexByte(key, '"') >= 0 {
		return "", "", "", fmt.Errorf("%.60q: want key=value", s)
	}
	if rest == "" || rest[0] != '"' {
		value, rest, _ = strings.Cut(rest, " ")
	} else {
		var n int
		if value, n, err = unquote(rest); err != nil {
			return "", "", "", fmt.Errorf("%s: %w", key, err)
		}
		rest = rest[n:]
	}
	for rest != "" && rest[0] == ' ' {
		rest = rest[1:]
	}
	return key, value, rest, nil
}

// unquote reads the JSON string at the beginning of s and says how long it is,
// quotes included.
func unquote(s string) (value string, n int, err error) {
	plain, escapes := true, 0
	for n = 1; n < len(s) && s[n] != '"'; n++ {
		switch {
		case s[n] < ' ' || s[n] >= 0x7f:
			plain = false
		case s[n] == '\\':
			n++
			escapes++
			plain = plain && n < len(s) && (s[n] == '"' || s[n] == '\\')
		}
	}
	if n >= len(s) {
		return "", 0, errors.New("no closing quote")
	}
	n++
	switch {
	case !plain:
		value, err = unquoteAny(s[:n])
		return value, n, err
	case escapes > 0:
		return unescape(s[1 : n-1]), n, nil
	}
	return s[1 : n-1], n, nil
}

// unquoteAny reads a JSON string with any escapes.
func unquoteAny(s string) (string, error) {
	var value string
	err := json.Unmarshal([]byte(s), &value)
	return value, err
}

// unescape takes the backslash from before each quote and backslash.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// splitPlainJSON reads the JSON that [Format.Append] writes: one object of texts,
// numbers and truth values, without a space between them. It gives up on any
// other, which may be JSON all the same.
func (f *fields) splitPlainJSON(line string) bool {
	if line == "" || line[0] != '{' {
		return false
	}
	next := field(0)
	for rest := line; ; {
		// Behind the brace or the comma.
		if len(rest) < 2 || rest[1] != '"' {
			return false
		}
		key, n, err := unquote(rest[1:])
		rest = rest[1+n:]
		if err != nil || len(rest) < 2 || rest[0] != ':' {
			return false
		}
		value, n, ok := plainValue(rest[1:])
		rest = rest[1+n:]
		if !ok || rest == "" {
			return false
		}
		next = f.set(key, value, next)
		switch {
		case rest == "}":
			return true
		case rest[0] != ',':
			return false
		}
	}
}

// plainValue reads a value of [Format.Append] at the beginning of s.
func plainValue(s string) (value string, n int, ok bool) {
	if s[0] == '"' {
		value, n, err := unquote(s)
		return value, n, err == nil
	}
	if strings.HasPrefix(s, "true") {
		return s[:4], 4, true
	}
	// A number without sign and exponent; RFC 8259 section 6 has no leading
	// zeros, and digits on both sides of the point.
	whole := digits(s)
	if whole == 0 || s[0] == '0' && whole > 1 {
		return "", 0, false
	}
	n = whole
	if n < len(s) && s[n] == '.' {
		part := digits(s[n+1:])
		if part == 0 {
			return "", 0, false
		}
		n += 1 + part
	}
	return s[:n], n, true
}

// digits counts the digits at the beginning of s.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// splitJSON reads any JSON object. A null is no value; neither is what no line of this
// log has, but a list of one text is that text, as Elasticsearch gives fields.
func (f *fields) splitJSON(line string) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &raw); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	for k, v := range raw {
		text := string(v)
		switch v[0] {
		case '"':
			if err := json.Unmarshal(v, &text); err != nil {
				return fmt.Errorf("reading JSON: %s: %w", k, err)
			}
		case '[':
			var list []any
			if err := json.Unmarshal(v, &list); err != nil || len(list) != 1 {
				continue
			}
			one, ok := list[0].(string)
			if text = one; !ok {
				text = fmt.Sprint(list[0])
			}
		case '{', 'n':
			continue
		}
		f.set(k, text, 0)
	}
	return nil
}
