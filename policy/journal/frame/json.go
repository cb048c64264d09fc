package frame

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// maxTexts bounds the fields of an object that may hold its message.
const maxTexts = 4

// entry is what an object of JSON has about a message.
type entry struct {
	wanted  Wanted
	texts   [maxTexts]string // that may be the message, or a line with it
	count   int
	program string
	pid     int
	host    string
	time    time.Time
	rank    int // of the key that time is from
	level   precision
}

// object reads a line that is an object of JSON. It is false, false for what is none.
func (f *finder) object(s string) (found, object bool) {
	if !strings.HasPrefix(trimBlanks(s[1:]), `"`) || s[len(s)-1] != '}' || !json.Valid([]byte(s)) {
		return false, false
	}
	if f.wanted.Message(s, f.alone()) {
		return f.take("", 0, s), true
	}
	e := entry{wanted: f.wanted}
	e.read(s, "", 0)
	return f.entry(&e), true
}

// entry looks for the message among the texts of an entry.
func (f *finder) entry(e *entry) bool {
	if e.level != noTime {
		f.at(e.time, e.level)
	}
	if e.host != "" {
		f.line.Host = e.host
	}
	if f.wanted.Program(e.program) {
		return f.said(e)
	}
	f.named, f.pid, f.stem = e.program != "", e.program != "", f.wanted.Stem(e.program)
	for _, text := range e.texts[:e.count] {
		if f.inner(text) {
			return true
		}
	}
	return false
}

// said takes the message of a program that is wanted. Some collectors leave the whole
// line in the field of the message: then the same program stands in it.
func (f *finder) said(e *entry) bool {
	if e.count == 0 {
		return false
	}
	for _, text := range e.texts[:e.count] {
		in := *f
		in.names, in.letters, in.named, in.pid = 0, 0, true, true
		if in.find(trimEnd(text)) && in.line.Program == e.program {
			*f = in
			return true
		}
	}
	return f.take(e.program, e.pid, trimEnd(strings.TrimPrefix(e.texts[0], " ")))
}

// maxDepth bounds how deep objects are looked into.
const maxDepth = 4

// read reads the fields of an object; within is the key that it stands under.
func (e *entry) read(s, within string, depth int) {
	for key, value := range fieldsOf(s) {
		switch value[0] {
		case '{':
			if depth < maxDepth && (nests(key) || kindOf(within, key) == message) {
				e.nested(value, key, depth)
			}
		case '[':
			e.field(within, key, listText(value))
		case '"':
			if wants(within, key) {
				e.field(within, key, text(value))
			}
		default:
			e.field(within, key, value)
		}
	}
}

// nested reads an object within the object, which may be a decision itself.
func (e *entry) nested(s, key string, depth int) {
	if e.wanted.Message(s, true) {
		e.add(s)
		return
	}
	e.read(s, key, depth+1)
}

func (e *entry) add(text string) {
	if text != "" && e.count < maxTexts {
		e.texts[e.count] = text
		e.count++
	}
}

// nests reports whether an object under a key is looked into: of Elasticsearch,
// Splunk, Google Cloud, OpenTelemetry, Kubernetes, Datadog; or where a collector leaves
// the object that the message was.
func nests(key string) bool {
	switch key {
	case "_source", "fields", "result", "jsonPayload", "body", "Body", "event", "log", "syslog", "data", "process", "host", "kubernetes", "record", "content",
		"attributes", "log_processed", "json", "parsed", "structured":
		return true
	}
	return false
}

// kind is what a field holds.
type kind uint8

const (
	nothing kind = iota
	message
	program
	process
	host
	when
)

// kindOf tells what a field holds by its key, as journald, Docker, Fluentd, rsyslog,
// syslog-ng, Vector, Loki, Graylog, Elasticsearch, Splunk and clouds (Azure: LogEntry) name it.
func kindOf(within, key string) kind {
	switch within {
	case "host":
		if key == "name" || key == "hostname" {
			return host
		}
		return nothing
	case "process":
		switch key {
		case "name":
			return program
		case "pid":
			return process
		}
		return nothing
	}
	switch key {
	case "MESSAGE", "message", "log", "msg", "rawmsg", "short_message", "full_message", "line", "Line", "textPayload", "@message",
		"_raw", "original", "body", "Body", "stringValue", "text", "content", "data", "event", "Message", "@raw",
		"LogEntry", "LogMessage", "SyslogMessage":
		return message
	case "SYSLOG_IDENTIFIER", "syslogtag", "syslog-tag", "PROGRAM", "program", "ident", "appname", "app-name", "app_name", "APP-NAME",
		"application_name", "_application_name", "syslog_program", "programname", "tag":
		return program
	case "_PID", "SYSLOG_PID", "PID", "pid", "procid", "PROCID", "process_id", "_process_id":
		return process
	case "_HOSTNAME", "host", "HOST", "hostname", "HOSTNAME", "logsource", "source", "fromhost", "pod_name":
		return host
	}
	if timeRank(key) > 0 {
		return when
	}
	return nothing
}

func wants(within, key string) bool { return kindOf(within, key) != nothing }

// timeRank orders the times of an object: the message's own before that of its
// arrival.
func timeRank(key string) int {
	switch key {
	case "_SOURCE_REALTIME_TIMESTAMP":
		return 4
	case "timereported", "timestamp", "Timestamp", "timeUnixNano", "__REALTIME_TIMESTAMP":
		return 3
	case "time", "@timestamp", "ts", "date", "ISODATE", "DATE", "_time":
		return 2
	case "timegenerated", "observedTimestamp":
		return 1
	}
	return 0
}

// field notes a field.
func (e *entry) field(within, key, value string) {
	switch kindOf(within, key) {
	case message:
		e.add(value)
	case program:
		name := strings.TrimSuffix(value, ":")
		name, pid, has := strings.Cut(name, "[")
		if has && e.pid == 0 {
			e.pid, _ = number(strings.TrimSuffix(pid, "]"))
		}
		// rsyslog's programname ends before the slash, and tag is Fluentd's own.
		if nameWord(name) && (e.program == "" || e.wanted.Program(name)) {
			e.program = name
		}
	case process:
		if n, ok := number(value); ok && (e.pid == 0 || key == "SYSLOG_PID") {
			e.pid = n
		}
	case host:
		if e.host == "" && nameWord(value) && strings.IndexByte(value, '/') < 0 {
			e.host = value
		}
	case when:
		if rank := timeRank(key); rank > e.rank {
			if t, p := anyTime(value); p != noTime {
				e.time, e.level, e.rank = t, p, rank
			}
		}
	}
}

// anyTime reads a time in a field: text, or a number since 1970 in a unit that its
// size tells.
func anyTime(s string) (time.Time, precision) {
	whole, _, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		if t, p, rest := (&Clock{}).cut(s); p == exact && rest == "" {
			return t, p
		}
		return time.Time{}, noTime
	}
	switch {
	case n < 1e8:
		return time.Time{}, noTime
	case n < 1e11:
		nanos, _ := fraction(s[len(whole):])
		return time.Unix(n, int64(nanos)), exact
	case n < 1e14:
		return time.UnixMilli(n), exact
	case n < 1e17:
		return time.UnixMicro(n), exact
	}
	return time.Unix(0, n), exact
}

// fieldsOf goes over the fields of a valid object: keys, and values as they stand
// there.
func fieldsOf(s string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		i := 1
		for i < len(s) && s[i] != '}' {
			if s[i] != '"' {
				i++ // a blank or a comma
				continue
			}
			end := i + stringEnd(s[i:])
			key := text(s[i:end])
			for i = end; s[i] == ' ' || s[i] == ':' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r'; i++ {
			}
			end = i + valueEnd(s[i:])
			if !yield(key, s[i:end]) {
				return
			}
			i = end
		}
	}
}

// stringEnd is where the string ends that s begins with.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// valueEnd is where the value ends that s begins with.
func valueEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if i += stringEnd(s[i:]) - 1; depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

// text is what a string of JSON holds.
func text(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s[1 : len(s)-1]
	}
	var value string
	_ = json.Unmarshal([]byte(s), &value) // it is valid
	return value
}

// listText is a text that stands in a list: of its bytes, as journald writes what is
// not printable, or alone, as Elasticsearch does.
func listText(s string) string {
	var bytes []uint16
	if err := json.Unmarshal([]byte(s), &bytes); err == nil {
		b := make([]byte, len(bytes))
		for i, c := range bytes {
			b[i] = byte(c)
		}
		return string(b)
	}
	var texts []string
	if err := json.Unmarshal([]byte(s), &texts); err == nil && len(texts) == 1 {
		return texts[0]
	}
	return ""
}
