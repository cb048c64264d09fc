package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/resolver/internal/message"
)

// dialer replaces how a bed reaches a server, some time after the start. With
// neither a connection nor an error it is reached as ever.
type dialer func(ctx context.Context, network string, server int, after time.Duration) (net.Conn, error)

// TestMisbehaviour: whatever servers do, a lookup has the outcome that it
// should, sends no more than it should, and takes no longer. The caller has 5
// seconds.
func TestMisbehaviour(t *testing.T) {
	const (
		mail    = "mail.example.com. 300 A 192.0.2.1\n"
		found   = "found 192.0.2.1"
		silence = "temperror: no reply from 192.0.2.53:53 in 2s"
		one     = 2 * time.Second // a try
		two     = 4 * time.Second
	)
	for _, test := range []struct {
		name    string
		texts   []string // of each server
		dial    dialer
		want    string
		queried int // queries of the budget, over all servers
		took    time.Duration
	}{
		// Nothing comes.
		{"silence", []string{mail + silent}, nil, silence, 2, two},
		{"silence of two servers", []string{mail + silent, mail + silent}, nil, silence + "; no reply from 198.51.100.53:53 in 2s", 2, two},
		{"silence of four servers", []string{silent, silent, silent, silent}, nil, "temperror: deadline", 3, 5 * time.Second},
		{"frozen", []string{mail}, frozen, silence, 2, two},
		{"late", []string{mail + "!delay * 2001ms"}, nil, silence, 2, two},
		{"nearly late", []string{mail + "!delay * 1999ms"}, nil, found, 1, one - time.Millisecond},
		{"every other datagram is lost", []string{mail}, lossy(0), found, 2, one},
		{"dead at start", []string{mail}, deadUntil(time.Second), "temperror: 192.0.2.53:53: connection refused", 1, 0},
		{"silent at start", []string{mail + "!flap * 2s"}, nil, found, 2, one},
		{"flapping every 200ms", []string{mail + "!flap * 200ms"}, nil, silence, 2, two},
		{"flapping every 300ms", []string{mail + "!flap * 300ms"}, nil, silence, 2, two},
		{"flapping every 400ms", []string{mail + "!flap * 400ms"}, nil, found, 2, one},

		// The first of two.
		{"first dead", []string{mail, mail}, refuse("udp", 0), found, 2, 0},
		{"first silent", []string{mail + silent, mail}, nil, found, 2, one},
		{"first fails", []string{mail + "!servfail *", mail}, nil, found, 2, 0},
		{"first refuses", []string{mail + "!refused *", mail}, nil, found, 2, 0},
		{"first is lame", []string{mail + "!referral *", mail}, nil, found, 2, 0},
		{"first is mangled", []string{mail + "!mangle *", mail}, nil, found, 2, one},
		{"first truncates for ever", []string{mail + "!truncateall *", mail}, nil, found, 3, 0},
		{"first has no TCP", []string{mail + "!truncate *", mail}, refuse("tcp", 0), found, 3, 0},
		{"first has no route", []string{mail, mail}, unreachable, found, 2, 0},

		// Something comes that is no reply.
		{"wrong ID", []string{mail + "!wrongid *"}, nil, silence + " (but a reply with another ID)", 2, two},
		{"wrong query", []string{mail + "!wrongquestion *"}, nil, silence + " (but a reply to another query)", 2, two},
		{"mangled", []string{mail + "!mangle *"}, nil, silence + " (but a mangled reply)", 2, two},
		{"cut short", []string{mail + "!cut *"}, nil, silence + " (but a mangled reply)", 2, two},
		{"the query comes back", []string{mail}, answering(reflection), silence + " (but a message that is no reply)", 2, two},
		{"datagrams without bytes", []string{mail}, answering(nothing), silence + " (but a mangled reply)", 2, two},
		{"noise", []string{mail}, answering(noise), silence + " (but a reply with another ID)", 2, two},
		{"lies before the reply", []string{mail + "!spoof *"}, nil, found, 1, 0},

		// The case of the query does not come back.
		{"lower case", []string{mail + "!fold *"}, nil, found, 2, 0},
		{"lower case of another query", []string{mail + "!fold *\n!wrongquestion *"}, nil, silence + " (but a reply to another query)", 2, two},
		{"lower case, and truncated", []string{mail + "!fold *\n!truncate *"}, nil, found, 3, 0},
		{"lower case, and no EDNS", []string{mail + "!fold *\n!noedns *"}, nil, found, 3, 0},
		{"lower case, and slow", []string{mail + "!fold *\n!delay * 1001ms"}, nil, silence, 4, two},
		{"lower case from the first", []string{mail + "!fold *", mail}, nil, found, 2, 0},
		{"a lie in lower case", []string{mail}, guess(), found, 2, time.Millisecond},

		// Sizes.
		{"truncated", []string{mail + "!truncate *"}, nil, found, 2, 0},
		{"truncated for ever", []string{mail + "!truncateall *"}, nil, "temperror: truncated over TCP from 192.0.2.53:53", 2, 0},
		{"TCP refused", []string{mail + "!truncate *"}, refuse("tcp", 0), "temperror: 192.0.2.53:53: connection refused", 2, 0},
		{"TCP reset", []string{mail + "!truncate *"}, reset, "temperror: 192.0.2.53:53: connection reset by peer", 2, 0},
		{"TCP closed at once", []string{mail + "!truncate *"}, closing, "temperror: 192.0.2.53:53: EOF", 2, 0},
		{"TCP never opens", []string{mail + "!truncate *"}, neverOpens, silence, 4, two},
		{"TCP stalled", []string{mail + "!truncate *\n!droptcp *"}, nil, silence, 4, two},
		{"TCP byte by byte", []string{mail + "!truncate *\n!drip * 1s"}, nil, silence, 4, two},
		{"TCP byte by byte, fast enough", []string{mail + "!truncate *\n!drip * 10ms"}, nil, found, 2, 790 * time.Millisecond},
		{"TCP message without bytes", []string{mail + "!truncate *"}, emptyStream, "temperror: 192.0.2.53:53: a mangled reply: EOF", 2, 0},
		{"64,000 bytes", []string{thousands(4)}, nil, "100 records and more", 2, 0},
		{"64 KiB that unpack to megabytes", []string{mail + "!huge *"}, nil, "100 records and more", 2, 0},
		{"10,000 records", []string{thousands(10)}, nil, "temperror: truncated over TCP from 192.0.2.53:53", 2, 0},

		// Contents.
		{"duplicates", []string{mail + "!double *"}, nil, found, 1, 0},
		{"records of others", []string{mail + "!foreign *"}, nil, found, 1, 0},
		{"only records of others", []string{"mail.example.com. TXT x\n!foreign *"}, nil, "none", 1, 0},
		{"lame", []string{mail + "!empty *"}, nil, "temperror: lame reply from 192.0.2.53:53", 1, 0},
		{"a referral", []string{mail + "!referral *"}, nil, "temperror: referral from 192.0.2.53:53", 1, 0},
		{"no, without SOA", []string{"!nosoa *"}, nil, "none", 1, 0},
		{"none of the type, without SOA", []string{"mail.example.com. TXT x\n!nosoa *"}, nil, "none", 1, 0},
		{"TTL 0", []string{"mail.example.com. 0 A 192.0.2.1"}, nil, found, 1, 0},
		{"TTL 2^31", []string{"mail.example.com. 2147483648 A 192.0.2.1"}, nil, found, 1, 0},
		{"an alias of itself", []string{"mail.example.com. CNAME mail.example.com."}, nil, `temperror: CNAME loop at "mail.example.com."`, 1, 0},
		{"a loop of aliases", []string{"mail.example.com. CNAME a.example.com.\na.example.com. CNAME mail.example.com."}, nil, `temperror: CNAME loop at "mail.example.com."`, 1, 0},
		{"a loop, one by one", []string{"mail.example.com. CNAME a.example.com.\na.example.com. CNAME mail.example.com.\n!nochase *"}, nil, `temperror: CNAME loop at "mail.example.com."`, 2, 0},
		{"many aliases", []string{"mail.example.com. CNAME c0.example.com.\n" + chainOf(8)}, nil, `temperror: more than 8 CNAMEs at "c8.example.com."`, 1, 0},
		{"many aliases, one by one", []string{"mail.example.com. CNAME c0.example.com.\n" + chainOf(8) + "!nochase *"}, nil, `temperror: more than 8 CNAMEs at "c8.example.com."`, 9, 0},
		{"many aliases, one by one and slowly", []string{"mail.example.com. CNAME c0.example.com.\n" + chainOf(7) + "!nochase *\n!delay * 1100ms"}, nil, "temperror: deadline", 5, 5 * time.Second},
		{"aliases, one by one over TCP without EDNS", []string{"mail.example.com. CNAME c0.example.com.\n" + chainOf(7) + "!nochase *\n!truncate *\n!noedns *"}, nil, "temperror: more than 20 queries for one decision", 20, 0},
		{"an alias to silence", []string{"mail.example.com. CNAME a.example.net.\n!nochase *\n!drop a.example.net"}, nil, silence, 3, two},

		// EDNS.
		{"no EDNS", []string{mail + "!noedns *"}, nil, found, 2, 0},
		{"no EDNS, and truncated", []string{mail + "!noedns *\n!truncate *"}, nil, found, 3, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.texts...)
			if test.dial != nil {
				b.reroute(test.dial)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			budget := NewBudget(20)
			begin := time.Now()
			got := short(b.lookupContext(ctx, "A mail.example.com", Options{Budget: budget}))
			if took := time.Since(begin); got != test.want || budget.Sent() != test.queried || took != test.took {
				t.Errorf("%s: %s, %d queries, %v; want %s, %d, %v", test.name, got, budget.Sent(), took, test.want, test.queried, test.took)
			}
			b.Close()
			time.Sleep(time.Second) // the other ends see that nobody listens
		})
	}
}

// TestRcodes: every response code but two is a "don't know", with records or
// without.
func TestRcodes(t *testing.T) {
	for code := range dns.RcodeBadCookie + 1 {
		want, queried := "temperror: "+(&message.Reply{Rcode: code}).Code()+" from 192.0.2.53:53", 1
		switch code {
		case dns.RcodeSuccess, dns.RcodeNameError:
			want = "none"
		case dns.RcodeFormatError, dns.RcodeNotImplemented:
			queried = 2 // once more without EDNS
		}
		for _, fault := range []string{"!rcode * %d", "!rcode * %d\n!foreign *"} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, "mail.example.com. A 192.0.2.1\n"+fmt.Sprintf(fault, code))
				if got := b.say("A mail.example.com", Options{}); got != want || b.queried() != queried {
					t.Errorf("response code %d = %s, %d queries; want %s, %d", code, got, b.queried(), want, queried)
				}
			})
		}
	}
}

// TestWrongServer: what another server sends is nothing to us, though it knew the
// query. The kernel sees to that, if it is told who is asked.
func TestWrongServer(t *testing.T) {
	for _, test := range []struct {
		replies bool // the right server, after the wrong one
		want    string
	}{{true, "found 192.0.2.1"}, {false, "temperror: no reply from"}} {
		right, wrong := listenPacket(t), listenPacket(t)
		var wg sync.WaitGroup
		wg.Go(func() {
			buf := make([]byte, 512)
			for {
				n, from, err := right.ReadFrom(buf)
				var q dns.Msg
				if err != nil || q.Unpack(buf[:n]) != nil {
					return
				}
				sendTo(t, wrong, from, new(dns.Msg).SetRcode(&q, dns.RcodeNameError))
				if test.replies {
					m := new(dns.Msg).SetReply(&q)
					m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(192, 0, 2, 1)}}
					sendTo(t, right, from, m)
				}
			}
		})
		r, err := New(Config{Servers: []netip.AddrPort{right.LocalAddr().(*net.UDPAddr).AddrPort()}, Timeout: 300 * time.Millisecond, CacheEntries: 2, MaxInFlight: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := words(r.LookupAddrs(t.Context(), "ip4", "mail.example.com", Options{})); !strings.HasPrefix(got, test.want) {
			t.Errorf("with a reply from the right server: %v = %s; want %s", test.replies, got, test.want)
		}
		r.Close()
		right.Close()
		wg.Wait()
	}
}

func listenPacket(t *testing.T) net.PacketConn {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc
}

func sendTo(t *testing.T, pc net.PacketConn, to net.Addr, m *dns.Msg) {
	t.Helper()
	packet, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	if _, err := pc.WriteTo(packet, to); err != nil {
		t.Error(err)
	}
}

// short is words, without the records if there are many.
func short(a Answer) string {
	if len(a.Addrs) == MaxRecords && a.More {
		return "100 records and more"
	}
	return words(a)
}

func many(record string, n int) string { return fmt.Sprintf("$GENERATE 1-%d %s\n", n, record) }

// thousands has so many thousand records.
func thousands(n int) string {
	var s strings.Builder
	for i := range n * 4 {
		s.WriteString(many(fmt.Sprintf("mail.example.com. A 192.%d.%d.$", i/250, i%250), 250))
	}
	return s.String()
}

// reroute puts a dialer before the servers.
func (b *bed) reroute(d dialer) {
	inner := b.server
	start := time.Now()
	b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
		server := 0
		for serverAddrs[server] != address {
			server++
		}
		if conn, err := d(ctx, network, server, time.Since(start)); conn != nil || err != nil {
			return conn, err
		}
		return inner(ctx, network, address)
	}
}

func refuse(network string, server int) dialer {
	return func(_ context.Context, n string, s int, _ time.Duration) (net.Conn, error) {
		if n == network && s == server {
			return nil, &net.OpError{Op: "dial", Net: n, Err: syscall.ECONNREFUSED}
		}
		return nil, nil
	}
}

func deadUntil(end time.Duration) dialer {
	return func(_ context.Context, _ string, _ int, after time.Duration) (net.Conn, error) {
		if after < end {
			return nil, syscall.ECONNREFUSED
		}
		return nil, nil
	}
}

func unreachable(_ context.Context, _ string, server int, _ time.Duration) (net.Conn, error) {
	if server == 0 {
		return nil, syscall.EHOSTUNREACH
	}
	return nil, nil
}

func neverOpens(ctx context.Context, network string, _ int, _ time.Duration) (net.Conn, error) {
	if network == "tcp" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, nil
}

// script is one end of a connection whose other end does as a function says.
func script(peer func(net.Conn)) net.Conn {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		peer(theirs)
	}()
	return ours
}

// frozen takes what is sent, and that is all.
func frozen(context.Context, string, int, time.Duration) (net.Conn, error) {
	return script(func(c net.Conn) {
		buf := make([]byte, 512)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}), nil
}

// lossy loses the first datagram and every other from then on.
func lossy(n int) dialer {
	return func(ctx context.Context, network string, server int, after time.Duration) (net.Conn, error) {
		n++
		if n%2 == 1 {
			return frozen(ctx, network, server, after)
		}
		return nil, nil
	}
}

// guess has somebody answer the first query who has guessed all but its case:
// there is no such name.
func guess() dialer {
	first := true
	return func(ctx context.Context, network string, server int, after time.Duration) (net.Conn, error) {
		if !first {
			return nil, nil
		}
		first = false
		return answering(func(query []byte) []byte {
			var m dns.Msg
			if err := m.Unpack(query); err != nil {
				return nil
			}
			m.Question[0].Name = message.Fold(m.Question[0].Name)
			packet, err := new(dns.Msg).SetRcode(&m, dns.RcodeNameError).Pack()
			if err != nil {
				return nil
			}
			return packet
		})(ctx, network, server, after)
	}
}

// closing takes a query// closing takes a query over TCP and closes.
func closing(_ context.Context, network string, _ int, _ time.Duration) (net.Conn, error) {
	if network != "tcp" {
		return nil, nil
	}
	return script(func(c net.Conn) { c.Read(make([]byte, 512)) }), nil
}

// emptyStream sends one message of no bytes over TCP.
func emptyStream(_ context.Context, network string, _ int, _ time.Duration) (net.Conn, error) {
	if network != "tcp" {
		return nil, nil
	}
	return script(func(c net.Conn) {
		c.Read(make([]byte, 512))
		c.Write([]byte{0, 0})
	}), nil
}

// reset is a TCP connection that is reset when it is read from.
func reset(_ context.Context, network string, _ int, _ time.Duration) (net.Conn, error) {
	if network != "tcp" {
		return nil, nil
	}
	return resetConn{script(func(c net.Conn) { c.Read(make([]byte, 512)) })}, nil
}

type resetConn struct{ net.Conn }

func (resetConn) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// answering sends what replies makes of a query, until nobody listens.
func answering(replies func(query []byte) []byte) dialer {
	return func(context.Context, string, int, time.Duration) (net.Conn, error) {
		return script(func(c net.Conn) {
			buf := make([]byte, 512)
			n, err := c.Read(buf)
			for err == nil {
				time.Sleep(time.Millisecond)
				_, err = c.Write(replies(buf[:n]))
			}
		}), nil
	}
}

func reflection(query []byte) []byte { return query }

func nothing([]byte) []byte { return nil }

// noise is "no such name" with another ID.
func noise(query []byte) []byte {
	var m dns.Msg
	if err := m.Unpack(query); err != nil {
		return nil
	}
	reply := new(dns.Msg).SetRcode(&m, dns.RcodeNameError)
	reply.Id++
	packet, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packet
}
