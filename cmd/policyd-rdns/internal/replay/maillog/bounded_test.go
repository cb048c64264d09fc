package maillog

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestBounded: a log of messages and sessions that never end holds no more memory
// than is promised, and all of them come out.
func TestBounded(t *testing.T) {
	told := 0
	a := newAssembly(func(*Attempt) error { told++; return nil })
	const n = maxMessages + 20_000
	long := strings.Repeat("r", 500)
	for i := range n {
		h := &header{time: time.Unix(int64(i/100), 0), host: fmt.Sprint("host", i%(2*maxNames)), service: "postfix/smtpd", program: "smtpd", pid: i + 1}
		id := fmt.Sprintf("%08X", i)
		_ = a.add(h, &event{kind: named, id: id, client: client{addr: netip.MustParseAddr("203.0.113.1")}})
		for j := range 5 {
			_ = a.add(h, &event{kind: delivered, id: id, envelope: envelope{recipient: known(fmt.Sprint(long, j))}})
		}
		_ = a.add(h, &event{kind: queued, id: id, recipients: 9})
		if len(a.messages) > maxMessages || a.held > maxHeld || len(a.order) > 2*maxMessages+1000 || len(a.sessions.open) > maxSessions ||
			len(a.sessions.order) > 2*maxSessions || len(a.names) > maxNames {
			t.Fatalf("after %d messages: %d held in %d bytes, %d in order, %d sessions, %d in order, %d names", i,
				len(a.messages), a.held, len(a.order), len(a.sessions.open), len(a.sessions.order), len(a.names))
		}
	}
	if err := a.end(); err != nil || told != n*6 || a.held != 0 {
		t.Errorf("%d attempts told, %d bytes held, %v; want %d, none", told, a.held, err, n*6)
	}
}
