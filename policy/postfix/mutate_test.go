package postfix

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// Requests that were mutated, each followed by a proper one, over real
// connections: the answers are those of a plain reading of the protocol, all
// allowed, and that to the proper one is its own.
func TestServeMutated(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		const workers, requests = 4, 3800 // each, of either engine
		p := startProcess(t, settings{Engines: on})
		var sums [workers]sum
		var running sync.WaitGroup
		for i := range workers {
			running.Go(func() {
				m := &mutator{t: t, socket: p.socket, rand: rand.New(rand.NewPCG(4, uint64(i))), bases: bases(), tokens: tokens()}
				defer m.hangUp()
				for n := 0; n < requests && !t.Failed(); n++ {
					m.exchange(n)
				}
				sums[i] = m.sum
			})
		}
		running.Wait()
		var want sum
		for _, s := range sums {
			want.add(s)
		}
		stats := p.account().Stats
		if got := (sum{stats.Requests, stats.BadRequests}); got != want || stats.Panics > 0 {
			t.Errorf("Stats() = %+v; want %+v", stats, want)
		}
		if want.requests < workers*requests/2 || want.bad < workers*requests/10 {
			t.Errorf("%+v; want a good part of either", want)
		}
		t.Logf("%d requests mutated: %+v", workers*requests, want)
		p.stop()
	})
}

// sum is what the server has to have counted.
type sum struct{ requests, bad int64 }

func (s *sum) add(more sum) {
	s.requests += more.requests
	s.bad += more.bad
}

// mutator is a peer that sends mutated requests.
type mutator struct {
	t      *testing.T
	socket string
	rand   *rand.Rand
	bases  []string
	tokens []string
	sum    sum

	conn net.Conn // nil: none
	in   *bufio.Reader
}

// exchange sends a mutated request and a proper one, and reads the replies.
func (m *mutator) exchange(n int) {
	name := fmt.Sprintf("%d.example.com", n)
	sent := m.mutated() + helo(name)
	replies, bad := reference(sent)
	if !m.dial() {
		return
	}
	if _, err := io.WriteString(m.conn, sent); err != nil && !bad {
		m.t.Errorf("sending %q: %v", sent, err)
	}
	m.sum.requests += int64(len(replies))
	for _, want := range replies {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(m.in, got); err != nil || string(got) != want {
			m.t.Errorf("after %q: reply = %q, %v; want %q", sent, got, err, want)
		}
		if !sendable.MatchString(want) || textless.MatchString(want) {
			m.t.Errorf("after %q: reply = %q, which is not allowed", sent, want)
		}
	}
	if !bad {
		return
	}
	m.sum.bad++
	if rest, err := io.ReadAll(m.in); len(rest) > 0 || isTimeout(err) {
		m.t.Errorf("after %q: reply = %q, %v; want the end of the connection", sent, rest, err)
	}
	m.hangUp()
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// dial makes a connection if there is none, and gives it time for an exchange.
func (m *mutator) dial() bool {
	if m.conn == nil {
		c, err := net.Dial("unix", m.socket)
		if err != nil {
			m.t.Error(err)
			return false
		}
		m.conn, m.in = c, bufio.NewReader(c)
	}
	if err := m.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		m.t.Error(err)
	}
	return true
}

func (m *mutator) hangUp() {
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
}

// bases is what is mutated.
func bases() []string {
	return []string{
		full,
		full,
		helo("a"),
		kind + "recipient=550 5.7.1 text\nhelo_name=mail.example.com\n\n",
		kind + "recipient=OK\n\n",
		kind + "recipient=DEFER_IF_PERMIT 4.7.1 text\nhelo_name=[IPv6:2001:db8::1]\nclient_address=unknown\n\n",
	}
}

// tokens is what comes between.
func tokens() []string {
	return []string{
		"\n", "\n\n", "=", "\x00", "\r\n", ":", " ", "\xff\xfe", "\u2028", "a=b\n", kind, "request=", "action=OK\n\n",
		"recipient=OK\n", "recipient=550\n", "recipient=0\n", "recipient=450 ", "recipient=550: no\n", "helo_name=\x1b[2J\n",
		strings.Repeat("a=b\n", maxAttributes-3), strings.Repeat("x", maxValue), strings.Repeat("x", maxLine),
		strings.Repeat("a="+strings.Repeat("x", 1<<10)+"\n", 62),
	}
}

// mutated makes one to three changes to a request.
func (m *mutator) mutated() string {
	s := m.bases[m.rand.IntN(len(m.bases))]
	for range 1 + m.rand.IntN(3) {
		i, j := m.place(s), m.place(s)
		i, j = min(i, j), max(i, j)
		switch m.rand.IntN(6) {
		case 0: // one byte is another
			s = s[:i] + string([]byte{byte(m.rand.Uint32())}) + s[min(i+1, len(s)):]
		case 1: // some are missing
			s = s[:i] + s[j:]
		case 2: // some are repeated
			s = s[:j] + s[i:]
		case 3: // the end is missing
			s = s[:j]
		case 4: // some trade places
			s = s[:i] + s[j:] + s[i:j]
		case 5: // something else is between
			s = s[:i] + m.tokens[m.rand.IntN(len(m.tokens))] + s[i:]
		}
	}
	return s
}

// place is anywhere, or where a line begins.
func (m *mutator) place(s string) int {
	i := m.rand.IntN(len(s) + 1)
	if m.rand.IntN(4) > 0 {
		i = strings.LastIndexByte(s[:i], '\n') + 1
	}
	return i
}

// reference reads requests as SMTPD_POLICY_README and the package's promises
// have it, as plainly as can be. It returns the replies of an echo server, and
// whether it then ends the connection.
func reference(in string) (replies []string, bad bool) {
	attributes := map[string]string{}
	size, count := 0, 0
	for {
		line, rest, found := strings.Cut(in, "\n")
		if !found {
			return replies, false
		}
		in = rest
		size += len(line) + 1
		if size > 64<<10 || len(line) > 16<<10 || strings.Contains(line, "\x00") {
			return replies, true
		}
		if line != "" {
			name, value, found := strings.Cut(line, "=")
			count++
			if !found || name == "" || count > 256 {
				return replies, true
			}
			attributes[name] = value
			continue
		}
		if attributes["request"] != "smtpd_access_policy" {
			return replies, true
		}
		action, wait := echo(context.Background(), &policy.Request{
			HELO:      text(attributes["helo_name"]),
			Recipient: text(attributes["recipient"]),
		})
		if wait != nil {
			action = wait()
		}
		replies = append(replies, string(action.Append(nil)))
		attributes = map[string]string{}
		size, count = 0, 0
	}
}

// text is a value as a handler has it.
func text(value string) string {
	return strings.ToValidUTF8(value[:min(len(value), 2048)], "?")
}
