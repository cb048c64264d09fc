package maillog

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
)

// maxAddress bounds an address that is kept. RFC 5321 section 4.5.3.1 allows 320
// bytes; quoting may double the local part.
const maxAddress = 600

// client is whom a line is about.
type client struct {
	name string
	addr netip.Addr
	text string // if there is no address
}

// cutClient reads name[addr] or name[addr]:port from the left. Postfix writes no
// name that is not a well-formed host name, so that the first bracket is the right
// one, whatever follows.
func cutClient(s string) (c client, rest string, ok bool) {
	open := strings.IndexByte(s, '[')
	if open < 0 || !hostName(s[:open]) {
		return c, s, false
	}
	end := strings.IndexByte(s[open:], ']')
	if end < 0 {
		return c, s, false
	}
	c.name = s[:open]
	text := s[open+1 : open+end]
	if addr, err := netip.ParseAddr(text); err == nil {
		c.addr = address.Plain(addr)
	} else if text == "unknown" || text == "" {
		c.text = text
	} else {
		return c, s, false
	}
	return c, cutPort(s[open+end+1:]), true
}

// cutPort leaves out the port that smtpd_client_port_logging adds.
func cutPort(s string) string {
	if !strings.HasPrefix(s, ":") {
		return s
	}
	rest := strings.TrimLeft(s[1:], "0123456789")
	if len(rest) == len(s)-1 {
		return s // no digit: another colon
	}
	return rest
}

// hostName reports whether a text can be the name of a client: empty (postscreen has
// none), "unknown" or a host name.
func hostName(s string) bool {
	if len(s) > 255 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// cutAddress reads an address up to the > that ends it. The local part may be a
// quoted string, with anything in it; without quotes, as
// info_log_address_format = internal and Postfix before 3.5 write it, there must be
// nothing in it that would need them.
func cutAddress(s string) (addr, rest string, ok bool) {
	i := 0
	if strings.HasPrefix(s, `"`) {
		if i = quotedEnd(s); i < 0 || i < len(s) && s[i] != '@' && s[i] != '>' {
			return "", s, false
		}
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '>':
			return s[:i], s[i+1:], i <= maxAddress
		case c <= ' ' || c == '<' || c == '"' || c == '\\':
			return "", s, false
		}
	}
	return "", s, false
}

// quotedEnd is where a quoted string (RFC 5321 section 4.1.2) ends that s begins
// with; -1 if it does not.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// maxID bounds a queue ID, in bytes.
const maxID = 32

// queueID reports whether a text is a queue ID: hexadecimal digits, or with
// enable_long_queue_ids at least ten letters and digits, none of them a vowel
// (postconf(5)). So no word of Postfix's own is one.
func queueID(s string) bool {
	if len(s) < 5 || len(s) > maxID {
		return false
	}
	short, long := true, len(s) >= 10
	for i := range len(s) {
		c := s[i]
		short = short && ('0' <= c && c <= '9' || 'A' <= c && c <= 'F')
		long = long && alphanumeric(c) && strings.IndexByte("aeiouAEIOU", c) < 0
		if !short && !long {
			return false
		}
	}
	return short || long
}
