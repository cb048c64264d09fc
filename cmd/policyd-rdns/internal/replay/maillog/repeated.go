package maillog

import (
	"strconv"
	"strings"

	"policyd-rdns/policy/journal/frame"
)

// maxRepeats bounds how often a line counts. A syslogd says it each half minute, or each
// ten minutes.
const maxRepeats = 10_000

// cutRepeated reads "message repeated 3 times: [ NOQUEUE: ...]", which rsyslog writes
// after a message for those that were the same, and gives any other text as it is.
func cutRepeated(text string) (message string, times int) {
	rest, ok := strings.CutPrefix(text, "message repeated ")
	if !ok {
		return text, 1
	}
	count, rest, ok := strings.Cut(rest, " times: [")
	message, whole := strings.CutSuffix(rest, "]")
	if !ok || !whole {
		return text, 1
	}
	return strings.TrimPrefix(message, " "), bound(count)
}

// repeats is how often the line before was repeated, as the syslogd of the BSDs, macOS
// and Solaris says it: "last message repeated 3 times"; 0: the line says nothing of it.
func repeats(c *frame.Clock, line string) int {
	if !strings.HasSuffix(line, " times") && !strings.HasSuffix(line, " time") && !strings.HasSuffix(line, " ---") {
		return 0
	}
	l, ok := c.Cut(repeatLines{}, line)
	if !ok {
		return 0
	}
	count, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(l.Text, "--- "), lastMessage), " ")
	return bound(count)
}

func bound(count string) int {
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxRepeats)
}

const lastMessage = "last message repeated "

// repeatLines are those of a syslogd about the line before.
type repeatLines struct{}

// Program is that of [frame.Wanted].
func (repeatLines) Program(string) bool { return false }

// Stem is that of [frame.Wanted].
func (repeatLines) Stem(name string) bool { return name == "syslogd" }

// Message is that of [frame.Wanted].
func (repeatLines) Message(text string, _ bool) bool {
	return strings.HasPrefix(strings.TrimPrefix(text, "--- "), lastMessage)
}
