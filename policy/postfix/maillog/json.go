package maillog

import (
	"encoding/json"
	"strconv"
	"time"
)

// journalEntry is a line of journalctl -o json (systemd.journal-fields(7)), or one
// of Docker's json-file driver, in which only Log and Time stand.
type journalEntry struct {
	Message    journalText `json:"MESSAGE"`
	Identifier string      `json:"SYSLOG_IDENTIFIER"`
	PID        string      `json:"_PID"`
	SyslogPID  string      `json:"SYSLOG_PID"`
	Host       string      `json:"_HOSTNAME"`
	Received   string      `json:"__REALTIME_TIMESTAMP"`
	Written    string      `json:"_SOURCE_REALTIME_TIMESTAMP"`

	Log  string `json:"log"`
	Time string `json:"time"`
}

// journalText is a field that is a list of bytes if they are not all printable.
type journalText string

// UnmarshalJSON is that of [json.Unmarshaler].
func (t *journalText) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		var list []uint8
		var numbers []int
		if err := json.Unmarshal(text, &numbers); err != nil {
			return err
		}
		for _, n := range numbers {
			list = append(list, byte(n))
		}
		*t = journalText(list)
		return nil
	}
	var s string
	err := json.Unmarshal(text, &s)
	*t = journalText(s)
	return err
}

// cutJSON reads a line of JSON.
func cutJSON(c *clock, line string) (h header, text string, ok bool) {
	var e journalEntry
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return h, line, false
	}
	if e.Log != "" {
		outer, _ := time.Parse(time.RFC3339Nano, e.Time)
		return cutInner(c, trimEnd(e.Log), outer)
	}
	h.host = e.Host
	if h.pid, _ = strconv.Atoi(e.PID); e.SyslogPID != "" {
		h.pid, _ = strconv.Atoi(e.SyslogPID)
	}
	micros := e.Received
	if e.Written != "" {
		micros = e.Written
	}
	if n, err := strconv.ParseInt(micros, 10, 64); err == nil {
		h.time = time.UnixMicro(n)
	}
	return h, trimEnd(string(e.Message)), h.setService(e.Identifier)
}

// trimEnd leaves out the line end and blanks before it.
func trimEnd(s string) string {
	for s != "" && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r' || s[len(s)-1] == ' ') {
		s = s[:len(s)-1]
	}
	return s
}
