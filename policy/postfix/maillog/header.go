package maillog

import (
	"strconv"
	"strings"
	"time"
)

// header is what stands before the message of a program.
type header struct {
	time    time.Time // zero: none
	host    string
	service string // as logged, such as postfix/submission/smtpd; empty: not logged
	program string // its last part
	pid     int    // 0: not logged
}

// maxWord bounds a host and a program's name.
const maxWord = 255

// cutHeader parts a line from what was put before its message. It is false for
// lines of programs that are not Postfix's.
func cutHeader(c *clock, line string) (h header, text string, ok bool) {
	if strings.HasPrefix(line, "{") {
		return cutJSON(c, line)
	}
	line = cutCompose(line)
	line, version1 := cutPriority(line)
	if version1 {
		return cutRFC5424(c, line)
	}
	rest, found := cutTime(c, line, &h.time)
	if after, ok := cutStream(rest); found && ok {
		return cutInner(c, after, h.time)
	}
	if found && (timeAhead(rest) || strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "<")) {
		return cutInner(c, rest, h.time) // docker logs -t
	}
	if found {
		if word, after, ok := strings.Cut(rest, " "); ok && !strings.HasSuffix(word, ":") && len(word) <= maxWord {
			h.host, rest = word, strings.TrimLeft(after, " ")
		}
	}
	if text, ok = h.cutTag(rest); ok {
		return h, text, true
	}
	// journalctl -o cat has the message alone.
	return h, line, !found && bareMessage(line)
}

// cutInner reads a line within a line, which has a time of its own or that of the
// outer one.
func cutInner(c *clock, line string, outer time.Time) (h header, text string, ok bool) {
	if strings.HasPrefix(line, "{") && strings.Contains(line, `"log":`) {
		return h, line, false // twice around it: nobody writes that
	}
	h, text, ok = cutHeader(c, line)
	if h.time.IsZero() {
		h.time = outer
	}
	return h, text, ok
}

// bareMessage says of a line without any header that it may be Postfix's.
func bareMessage(line string) bool {
	_, _, ok := cutID(line)
	return ok || strings.HasPrefix(line, "connect from ") || strings.HasPrefix(line, "disconnect from ")
}

// cutCompose leaves out what docker compose logs puts before a line: "mail-1  | ".
func cutCompose(line string) string {
	name, rest, ok := strings.Cut(line[:min(len(line), 80)], "| ")
	if !ok || rest == "" && len(line) > 80 {
		return line
	}
	name = strings.TrimRight(name, " ")
	if name == "" || !hostName(name) {
		return line
	}
	return line[strings.Index(line, "| ")+2:]
}

// cutStream leaves out what the Container Runtime Interface writes after the time.
func cutStream(s string) (rest string, ok bool) {
	for _, stream := range [...]string{"stdout F ", "stderr F ", "stdout P ", "stderr P "} {
		if rest, ok := strings.CutPrefix(s, stream); ok {
			return rest, true
		}
	}
	return s, false
}

// cutPriority leaves out <PRI>, and says whether RFC 5424's version follows it.
func cutPriority(line string) (rest string, version1 bool) {
	if !strings.HasPrefix(line, "<") {
		return line, false
	}
	end := strings.IndexByte(line[:min(len(line), 5)], '>')
	if end < 2 {
		return line, false
	}
	if _, err := strconv.ParseUint(line[1:end], 10, 8); err != nil {
		return line, false
	}
	return strings.CutPrefix(line[end+1:], "1 ")
}

// cutRFC5424 reads TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG
// (RFC 5424 section 6).
func cutRFC5424(c *clock, line string) (h header, text string, ok bool) {
	var words [5]string
	for i := range words {
		if words[i], line, ok = strings.Cut(line, " "); !ok {
			return h, "", false
		}
		if words[i] == "-" {
			words[i] = ""
		}
	}
	if words[0] != "" {
		if _, ok := cutTime(c, words[0]+" ", &h.time); !ok {
			return h, "", false
		}
	}
	h.host = words[1]
	h.pid, _ = strconv.Atoi(words[3])
	line, ok = cutStructured(line)
	return h, strings.TrimPrefix(line, "\ufeff"), ok && h.setService(words[2])
}

// cutStructured leaves out STRUCTURED-DATA: - or elements in brackets, with quoted
// values in which a bracket is a bracket (RFC 5424 section 6.3).
func cutStructured(s string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, "- "); ok {
		return rest, true
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case i == 0 && c != '[':
			return s, false
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			if strings.HasPrefix(s[i+1:], " ") {
				return s[i+2:], true
			}
			if !strings.HasPrefix(s[i+1:], "[") {
				return s, false
			}
		}
	}
	return s, false
}

// cutTag reads "postfix/smtpd[123]: ".
func (h *header) cutTag(s string) (text string, ok bool) {
	tag, text, ok := strings.Cut(s, ": ")
	if !ok || strings.ContainsAny(tag, " <>") {
		return s, false
	}
	if name, pid, has := strings.Cut(tag, "["); has {
		pid, ok = strings.CutSuffix(pid, "]")
		n, err := strconv.Atoi(pid)
		if !ok || err != nil || n < 0 {
			return s, false
		}
		tag, h.pid = name, n
	}
	if !h.setService(tag) {
		return s, false
	}
	return cutMessageID(text), true
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

// setService says whether a name is one of Postfix's: the syslog_name, whatever it
// is, a slash and the program.
func (h *header) setService(name string) bool {
	i := strings.LastIndexByte(name, '/')
	if i <= 0 || len(name) > maxWord || !hostName(strings.ReplaceAll(name, "/", "")) {
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
