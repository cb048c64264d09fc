package resolver

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/resolver/internal/message"
)

// wiretap keeps what is written.
type wiretap struct {
	net.Conn
	sent *[][]byte
}

func (w wiretap) Write(p []byte) (int, error) {
	*w.sent = append(*w.sent, append([]byte(nil), p...))
	return w.Conn.Write(p)
}

// folded is a query in lower case.
func folded(q dns.Question) dns.Question {
	q.Name = message.Fold(q.Name)
	return q
}

// TestOnTheWire: each query has an ID of its own and asks for recursion and
// for no more than is read, over a connection of its own.
func TestOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "")
		var sent [][]byte
		dialed := 0
		inner := b.server
		b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed++
			conn, err := inner(ctx, network, address)
			return wiretap{conn, &sent}, err
		}
		const n = 20
		for i := range n {
			b.lookup(fmt.Sprintf("AAAA A%d.Example.com", i), Options{})
		}
		ids := make(map[uint16]bool)
		for i, packet := range sent {
			var m dns.Msg
			if err := m.Unpack(packet); err != nil {
				t.Fatal(err)
			}
			ids[m.Id] = true
			want := dns.Question{Name: fmt.Sprintf("a%d.example.com.", i), Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}
			opt := m.IsEdns0()
			if len(m.Question) != 1 || folded(m.Question[0]) != want || !m.RecursionDesired || m.CheckingDisabled ||
				opt == nil || opt.UDPSize() != 1232 || opt.Do() {
				t.Errorf("query %d = %v", i, &m)
			}
		}
		// Two of twenty may be equal by chance; half of them are not.
		if len(sent) != n || dialed != n || len(ids) < n/2 {
			t.Errorf("%d queries over %d connections with %d IDs; want %d each", len(sent), dialed, len(ids), n)
		}
	})
}

// TestRandomCase: the letters of a query over UDP are of random case, those of
// its repetition are not, and the cache knows nothing of it.
func TestRandomCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "$GENERATE 0-19 a$.example.com. AAAA 2001:db8::1$\n!fold a19.example.com\n!truncate a18.example.com")
		var sent [][]byte
		inner := b.server
		b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := inner(ctx, network, address)
			return wiretap{conn, &sent}, err
		}
		var upper, lower int
		names := make(map[string]bool)
		for i := range 20 {
			name := fmt.Sprintf("a%d.example.com", i)
			sent = nil
			if got, want := b.say("AAAA "+name, Options{}), fmt.Sprintf("found 2001:db8::1%d", i); got != want {
				t.Errorf("%s = %s; want %s", name, got, want)
			}
			if got := b.lookup("AAAA "+strings.ToUpper(name), Options{CacheOnly: true}); got.Outcome != Found {
				t.Errorf("%s again = %s; want it from the cache", strings.ToUpper(name), words(got))
			}
			var m dns.Msg
			if err := m.Unpack(sent[0]); err != nil {
				t.Fatal(err)
			}
			names[m.Question[0].Name] = true
			for _, c := range m.Question[0].Name {
				switch {
				case c >= 'a' && c <= 'z':
					lower++
				case c >= 'A' && c <= 'Z':
					upper++
				}
			}
			again := sent[len(sent)-1] // without, or over TCP
			if plain := strings.Contains(string(again), "\x07example\x03com\x00"); plain != (i >= 18) && i >= 18 || len(sent) != 1+i/18 {
				t.Errorf("%s: %d queries, the last in lower case: %v; want %d, %v", name, len(sent), plain, 1+i/18, i >= 18)
			}
		}
		// Of 220 letters half are upper case; that 60 are not more likely than 1 in 10^10.
		if upper < 60 || lower < 60 || len(names) < 20 {
			t.Errorf("%d letters in upper case, %d in lower, %d names; want about as many, and 20", upper, lower, len(names))
		}
	})
}

// TestFoldingServer: one that never repeats the case is not asked twice for ever, and
// tried again later. One that does is asked so, though it was answered for a few times.
func TestFoldingServer(t *testing.T) {
	const zone = "$GENERATE 0-30 a$.example.com. A 192.0.2.1\n"
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, zone+"!fold *")
		queried := func(from, to int) int {
			before := b.queried()
			for i := from; i < to; i++ {
				if got, want := b.say(fmt.Sprintf("A a%d.example.com", i), Options{}), "found 192.0.2.1"; got != want {
					t.Errorf("a%d.example.com = %s; want %s", i, got, want)
				}
				if err := b.Reachable(t.Context()); err != nil { // says nothing of the case
					t.Error(err)
				}
			}
			return b.queried() - before
		}
		if got, want := queried(0, 10), 10+foldTimes; got != want {
			t.Errorf("%d queries for 10 names; want %d", got, want)
		}
		time.Sleep(foldTime)
		if got, want := queried(10, 20), 10+1; got != want {
			t.Errorf("%d queries for 10 names later; want %d", got, want)
		}
		time.Sleep(foldTime)
		b.set(zone)
		if got, want := queried(20, 30), 10; got != want {
			t.Errorf("%d queries of a server that has been mended; want %d", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, zone+"!fold a0.example.com\n!fold a1.example.com\n!fold a2.example.com\n!fold a4.example.com\n!fold a5.example.com")
		for i := range 6 {
			b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
		}
		if got, want := b.queried(), 6+5; got != want {
			t.Errorf("%d queries of a server that folds some; want %d", got, want)
		}
	})
}

// TestSlowFoldingServer: one that has no time for a second query is found out all
// the same.
func TestSlowFoldingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "$GENERATE 0-9 a$.example. A 192.0.2.1\n!fold *\n!delay * 1100ms")
		lost := 0
		for i := range 10 {
			if b.say(fmt.Sprintf("A a%d.example", i), Options{}) != "found 192.0.2.1" {
				lost++
			}
		}
		if want := foldTimes / silentTries; lost != want {
			t.Errorf("%d of 10 names are lost; want %d", lost, want)
		}
	})
}
