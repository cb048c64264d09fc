// Package smtp has the codes of SMTP replies, and how long these are.
package smtp

import (
	"fmt"
	"strings"
)

const (
	// MaxLine is where Postfix cuts the line of a reply, in bytes (smtpd_check.c).
	MaxLine = 510
	// MaxAction bounds the action of a policy reply, in bytes: the client's name or the
	// recipient stands in front of its text.
	MaxAction = 400
)

// Code is an SMTP reply code with its enhanced status code, such as
// "550 5.7.25" (RFC 5321 section 4.2, RFC 3463). The zero value is none.
type Code struct {
	reply    string // three digits
	enhanced string // class.subject.detail
}

// ParseCode reads a code of a class, '4' or '5', which both its parts must have. Without
// an enhanced code it is x.7.1. Errors say what the code is of.
func ParseCode(s string, class byte, of string) (Code, error) {
	reply, enhanced, both := strings.Cut(s, " ")
	if len(reply) != 3 || !digits(reply) || !strings.ContainsRune("025", rune(reply[1])) {
		return Code{}, fmt.Errorf("%.60q: want a reply code and an enhanced code, such as \"%c50 %c.7.1\"", s, class, class)
	}
	if reply[0] != class {
		return Code{}, fmt.Errorf("%.60q: %s wants a code that begins with %c", s, of, class)
	}
	if !both {
		return Code{reply, string(class) + ".7.1"}, nil
	}
	parts := strings.Split(enhanced, ".")
	if len(parts) != 3 || !short(parts[0]) || !short(parts[1]) || !short(parts[2]) {
		return Code{}, fmt.Errorf("%.60q: want an enhanced code of three numbers, such as \"%s %c.7.1\"", s, reply, class)
	}
	if enhanced[0] != class || len(parts[0]) != 1 {
		return Code{}, fmt.Errorf("%.60q: the enhanced code's class must be %c, as the reply code's", s, class)
	}
	if parts[1] == "1" {
		return Code{}, fmt.Errorf("%.60q: Postfix rewrites x.1.n by the place of the check; want x.7.n (RFC 3463 section 3.8)", s)
	}
	return Code{reply, enhanced}, nil
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// short reports whether s is a number as in an enhanced code: Postfix takes a code
// with a longer one for text (RFC 3463 section 2).
func short(s string) bool { return digits(s) && len(s) <= 3 }

// String is the code as in a rule; empty for the zero value.
func (c Code) String() string {
	if c.reply == "" {
		return ""
	}
	return c.reply + " " + c.enhanced
}

// Temporary is the enhanced code of class 4 with the same subject and detail.
func (c Code) Temporary() string {
	if c.enhanced == "" {
		return "4.7.1"
	}
	return "4" + c.enhanced[1:]
}
