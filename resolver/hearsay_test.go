package resolver

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// hearsay is what a host is told by ICMP: at the first so many connections by UDP
// to the first server, so many reads and writes end with an error before all else.
type hearsay struct {
	errno         syscall.Errno
	ports         int
	reads, writes int // at each port
}

const always = 1 << 20

// hears has a bed be told so.
func (b *bed) hears(h hearsay) {
	inner := b.server
	var mu sync.Mutex
	b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := inner(ctx, network, address)
		if err != nil || network != "udp" || address != serverAddrs[0] {
			return conn, err
		}
		mu.Lock()
		defer mu.Unlock()
		if h.ports--; h.ports < 0 {
			return conn, nil
		}
		return &hearing{conn, h}, nil
	}
}

// hearing is a connection with such errors.
type hearing struct {
	net.Conn
	hearsay
}

func (c *hearing) Read(b []byte) (int, error) {
	if c.reads--; c.reads >= 0 {
		return 0, &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", c.errno)}
	}
	return c.Conn.Read(b)
}

func (c *hearing) Write(b []byte) (int, error) {
	if c.writes--; c.writes >= 0 {
		return 0, &net.OpError{Op: "write", Net: "udp", Err: os.NewSyscallError("write", c.errno)}
	}
	return c.Conn.Write(b)
}

// TestHearsay: a server is not gone because somebody says so, at one port or at
// some; it is when it refuses every query.
func TestHearsay(t *testing.T) {
	const (
		mail    = "mail.example.com. A 192.0.2.1\n"
		found   = "found 192.0.2.1"
		silence = "temperror: no reply from 192.0.2.53:53 in 2s"
		refused = "temperror: 192.0.2.53:53: connection refused"
		// How long it takes to make sure.
		sure = refusedTries * refusedPause
	)
	for _, test := range []struct {
		name    string
		texts   []string // of each server
		hears   hearsay
		want    string
		queried int // queries of the budget
		took    time.Duration
	}{
		{"one port", []string{mail}, hearsay{syscall.ECONNREFUSED, 1, 1, 0}, found, 1, 0},
		{"one port, again and again", []string{mail}, hearsay{syscall.ECONNREFUSED, 1, 100, 0}, found, 1, 0},
		{"one port, a slow reply", []string{mail + "!delay * 1s"}, hearsay{syscall.ECONNREFUSED, 1, 1, 0}, found, 1, time.Second},
		{"two ports", []string{mail}, hearsay{syscall.ECONNREFUSED, 2, 1, 0}, found, 1, 0},
		{"two ports, a slow reply", []string{mail + "!delay * 1s"}, hearsay{syscall.ECONNREFUSED, 2, 1, 0}, found, 1, time.Second},
		{"every port, once", []string{mail}, hearsay{syscall.ECONNREFUSED, always, 1, 0}, found, 1, 0},
		{"every port, once, a reply in time", []string{mail + "!delay * 29ms"}, hearsay{syscall.ECONNREFUSED, always, 1, 0}, found, 1, 29 * time.Millisecond},
		{"one port, no reply", []string{mail + silent}, hearsay{syscall.ECONNREFUSED, 1, 1, 0}, silence + " (but connection refused); no reply from 192.0.2.53:53 in 2s", 2, 4 * time.Second},
		{"a datagram too large", []string{mail}, hearsay{syscall.EMSGSIZE, 1, 1, 0}, found, 1, 0},
		{"no such protocol", []string{mail}, hearsay{syscall.ENOPROTOOPT, 1, 1, 0}, found, 1, 0},
		{"no such host", []string{mail}, hearsay{syscall.EHOSTUNREACH, 1, 1, 0}, found, 1, 0},
		{"host down", []string{mail}, hearsay{syscall.EHOSTDOWN, 1, 1, 0}, found, 1, 0},
		{"no such network", []string{mail}, hearsay{syscall.ENETUNREACH, 1, 1, 0}, found, 1, 0},
		{"forbidden", []string{mail}, hearsay{syscall.EACCES, 1, 1, 0}, found, 1, 0},
		{"a header that is wrong", []string{mail}, hearsay{syscall.EPROTO, 1, 1, 0}, found, 1, 0},

		{"nobody listens", []string{silent}, hearsay{syscall.ECONNREFUSED, always, 1, 0}, refused, 1, sure},
		{"nobody listens at the first", []string{silent, mail}, hearsay{syscall.ECONNREFUSED, always, 1, 0}, found, 2, sure},
		{"no way to the first", []string{silent, mail}, hearsay{syscall.EHOSTUNREACH, always, 1, 0}, found, 2, sure},
		{"an error that stays", []string{mail}, hearsay{syscall.ECONNREFUSED, always, always, 0}, refused, 1, 0},
		{"an error that stays at one port", []string{mail}, hearsay{syscall.ECONNREFUSED, 1, always, 0}, refused, 1, 0},
		{"no buffers", []string{mail}, hearsay{syscall.ENOBUFS, 1, 1, 0}, "temperror: trouble of our own: 192.0.2.53:53: no buffer space available", 1, 0},

		// What came before the query is not about the query.
		{"old news", []string{mail}, hearsay{syscall.ECONNREFUSED, 1, 0, 1}, found, 1, 0},
		{"much old news", []string{mail}, hearsay{syscall.ECONNREFUSED, always, 0, 2}, found, 1, 0},
		{"old news and new", []string{mail}, hearsay{syscall.ECONNREFUSED, 1, 2, 2}, found, 1, 0},
		{"nothing may be sent", []string{mail}, hearsay{syscall.EPERM, always, 0, always}, "temperror: 192.0.2.53:53: operation not permitted", 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.texts...)
			b.hears(test.hears)
			budget := NewBudget(20)
			begin := time.Now()
			got := b.say("A mail.example.com", Options{Budget: budget})
			if took := time.Since(begin); got != test.want || budget.Sent() != test.queried || took != test.took {
				t.Errorf("%s: %s, %d queries, %v; want %s, %d, %v", test.name, got, budget.Sent(), took, test.want, test.queried, test.took)
			}
			b.Close()
			time.Sleep(time.Second) // the other ends see that nobody listens
		})
	}
}

// TestHearsayAndOutage: hearsay neither begins an outage nor keeps one from being
// over, and a server that is gone is one.
func TestHearsayAndOutage(t *testing.T) {
	for _, test := range []struct {
		name   string
		text   string
		outage bool
	}{
		{"hearsay", good, false},
		{"hearsay, and zones that fail", "!servfail *.com\n!servfail *.net\n!servfail *.in-addr.arpa", false},
		{"a server that is gone", silent, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.text)
			b.hears(hearsay{syscall.ECONNREFUSED, always, 1, 0})
			begin := time.Now()
			for query := range strings.SplitSeq(zones, ",") {
				b.lookup(query, Options{})
			}
			time.Sleep(time.Second)
			if got := b.Outage(); got != test.outage {
				t.Errorf("%s: after %v an outage: %v; want %v", test.name, time.Since(begin), got, test.outage)
			}
			if err := b.Reachable(t.Context()); (err != nil) != test.outage {
				t.Errorf("%s: Reachable() = %v; want an error: %v", test.name, err, test.outage)
			}
			b.Close()
			time.Sleep(time.Second)
		})
	}
}
