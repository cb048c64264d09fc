package resolver

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"
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

// folded is a question in lower case.
func folded(q dns.Question) dns.Question {
	q.Name = fold(q.Name)
	return q
}

// TestOnTheWire: each question has an ID of its own and asks for recursion and
// for no more than is read, over a connection of its own.
func TestOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "")
		var sent [][]byte
		dialed := 0
		inner := b.Resolver.dial
		b.Resolver.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
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
				t.Errorf("question %d = %v", i, &m)
			}
		}
		// Two of twenty may be equal by chance; half of them are not.
		if len(sent) != n || dialed != n || len(ids) < n/2 {
			t.Errorf("%d questions over %d connections with %d IDs; want %d each", len(sent), dialed, len(ids), n)
		}
	})
}
