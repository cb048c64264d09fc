package maillog

import (
	"strings"
	"time"

	"policyd-rdns/policy/journal/frame"
)

// header is what stands before the message of a program.
type header struct {
	time    time.Time // zero: none
	host    string
	service string // as logged, such as postfix/submission/smtpd; empty: not logged
	program string // its last part
	pid     int    // 0: not logged
}

// maxWord bounds a program's name.
const maxWord = 255

// cutHeader parts a line from what was put before its message. It is false for
// lines of programs that are not Postfix's.
func cutHeader(c *frame.Clock, line string) (h header, text string, ok bool) {
	l, ok := c.Cut(postfixLines{}, line)
	h = header{time: l.Time, host: l.Host, pid: l.PID}
	if !ok {
		return h, line, false
	}
	h.setService(l.Program)
	return h, cutMessageID(l.Text), true
}

// postfixLines tells which lines are Postfix's.
type postfixLines struct{}

// Program is that of [frame.Wanted].
func (postfixLines) Program(name string) bool { return (&header{}).setService(name) }

// Stem is that of [frame.Wanted]: a syslog_name without its program.
func (postfixLines) Stem(name string) bool {
	return name == "postfix" || strings.HasPrefix(name, "postfix-")
}

// Message is that of [frame.Wanted]: journalctl -o cat has the message alone.
func (postfixLines) Message(text string, alone bool) bool { return alone && bareMessage(text) }

// bareMessage says of a line without any header that it may be Postfix's.
func bareMessage(line string) bool {
	end := strings.IndexByte(line[:min(len(line), maxID+2)], ' ')
	if end > 0 && line[end-1] == ':' {
		id := line[:end-1]
		return id == "NOQUEUE" || queueID(id)
	}
	return strings.HasPrefix(line, "connect from ") || strings.HasPrefix(line, "disconnect from ")
}

// cutMessageID leaves out what Solaris writes: "[ID 197553 mail.info] ".
func cutMessageID(text string) string {
	if !strings.HasPrefix(text, "[ID ") {
		return text
	}
	if _, rest, ok := strings.Cut(text, "] "); ok {
		return rest
	}
	return text
}

// setService reports whether a name is one of Postfix's: the syslog_name, whatever it
// is, a slash and the program.
func (h *header) setService(name string) bool {
	if strings.HasPrefix(name, "postfix") && strings.HasSuffix(name, ".service") {
		h.service = name // journalctl -o with-unit
		return true
	}
	i := strings.LastIndexByte(name, '/')
	if i <= 0 || len(name) > maxWord || !serviceName(name) {
		return false
	}
	h.service, h.program = name, name[i+1:]
	switch h.program {
	case "smtpd", "postscreen", "cleanup", "qmgr", "nqmgr", "oqmgr",
		"smtp", "lmtp", "local", "virtual", "pipe", "error", "discard", "retry", "relay":
		return true
	case "anvil", "bounce", "dnsblog", "flush", "master", "pickup", "postalias", "postdrop", "postfix-script",
		"postlogd", "postmap", "postqueue", "postsuper", "proxymap", "qmqpd", "scache", "sendmail", "showq", "spawn",
		"tlsmgr", "tlsproxy", "trivial-rewrite", "verify":
		return true
	}
	return false
}

// serviceName reports whether a name has only what names of hosts and services have:
// syslog_name=postfix/$service_name has an endpoint in it, such as [::1]:10025.
func serviceName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte(".-_/:+@[]", c) < 0 {
			return false
		}
	}
	return true
}

// looksLike reports whether Postfix's header, or a refusal, stands somewhere in a line:
// "postfix/smtpd[123]: ".
func looksLike(line string) bool {
	for rest := line; ; {
		i := strings.Index(rest, "]: ")
		if i < 0 {
			break
		}
		open := strings.LastIndexByte(rest[:i], '[')
		if open > 0 {
			name := rest[strings.LastIndexAny(rest[:open], " \t\":=;,<>()|[]{}")+1 : open]
			if strings.IndexByte(name, '/') > 0 && (&header{}).setService(name) {
				return true
			}
		}
		rest = rest[i+1:]
	}
	return strings.Contains(line, "NOQUEUE: reject: ") || strings.HasPrefix(line, "{") && strings.Contains(line, `"postfix/smtpd"`)
}
