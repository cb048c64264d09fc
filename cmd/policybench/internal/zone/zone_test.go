package zone

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"policyd-rdns/cmd/policybench/internal/crowd"
)

func query(t testing.TB, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// summary is what a reply to a query says, in words; "": to any.
func summary(t testing.TB, wire []byte, asked string) string {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(wire); err != nil {
		t.Fatal(err)
	}
	if m.ID != 4711 || !m.Response || !m.RecursionAvailable || len(m.Questions) != 1 {
		t.Errorf("reply %+v", m.Header)
	}
	if asked != "" && m.Questions[0].Name.String() != asked {
		t.Errorf("reply to %v; want the question as it came, %s", m.Questions[0].Name, asked)
	}
	words := strings.TrimPrefix(m.RCode.String(), "RCode")
	if m.Truncated {
		words += " truncated"
	}
	for _, a := range m.Answers {
		switch body := a.Body.(type) {
		case *dnsmessage.PTRResource:
			words += " " + body.PTR.String()
		case *dnsmessage.AResource:
			words += " " + netip.AddrFrom4(body.A).String()
		case *dnsmessage.AAAAResource:
			words += " " + netip.AddrFrom16(body.AAAA).String()
		}
		words += fmt.Sprintf("/%d", a.Header.TTL)
	}
	for range m.Authorities {
		words += " soa"
	}
	return words
}

// Client 513 is 240.18.1.1 and 2001:db8:201::.
const (
	reverse4 = "1.1.18.240.in-addr.arpa."
	reverse6 = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.2.0.8.b.d.0.1.0.0.2.ip6.arpa."
)

func TestAnswer(t *testing.T) {
	tests := []struct {
		kind  crowd.Kind
		name  string
		qtype dnsmessage.Type
		want  string
	}{
		{crowd.Named, reverse4, dnsmessage.TypePTR, "Success mail513.example.org./3600"},
		{crowd.Named, reverse6, dnsmessage.TypePTR, "Success mail513.example.org./3600"},
		{crowd.Named, strings.ToUpper(reverse6), dnsmessage.TypePTR, "Success mail513.example.org./3600"},
		{crowd.Named, reverse4, dnsmessage.TypeA, "Success soa"},
		{crowd.Named, "mail513.example.org.", dnsmessage.TypeA, "Success 240.18.1.1/3600"},
		{crowd.Named, "MAIL513.example.org.", dnsmessage.TypeAAAA, "Success 2001:db8:201::/3600"},
		{crowd.Named, "mail513.example.org.", dnsmessage.TypeMX, "Success soa"},
		{crowd.Named, "mx513.example.net.", dnsmessage.TypeA, "NameError soa"},
		{crowd.Named, "1.113.0.203.in-addr.arpa.", dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, "18.240.in-addr.arpa.", dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, "01.1.18.240.in-addr.arpa.", dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, "9.1.1.18.240.in-addr.arpa.", dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, "1.1.18.454.in-addr.arpa.", dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, strings.Replace(reverse6, "8.b", "8-b", 1), dnsmessage.TypePTR, "NameError soa"},
		{crowd.Named, strings.Replace(reverse6, "b", "x", 1), dnsmessage.TypePTR, "NameError soa"},
		{crowd.Other, "mx513.example.net.", dnsmessage.TypeA, "Success 240.18.1.1/3600"},
		{crowd.Nameless, reverse4, dnsmessage.TypePTR, "NameError soa"},
		{crowd.Mismatch, "mail513.example.org.", dnsmessage.TypeA, "Success 203.0.113.1/3600"},
		{crowd.Generic, reverse4, dnsmessage.TypePTR, "Success 240-18-1-1.dyn.example.com./3600"},
		{crowd.Generic, "240-18-1-1.dyn.example.com.", dnsmessage.TypeA, "Success 240.18.1.1/3600"},
		{crowd.Generic, "240-18-1-1.dyn.example.com.", dnsmessage.TypeAAAA, "Success soa"},
		{crowd.Generic, "desk513.example.net.", dnsmessage.TypeA, "NameError soa"},
		{crowd.Named, ".", dnsmessage.TypeNS, "Success soa"},
	}
	for _, test := range tests {
		z := &Zone{Crowd: crowd.Crowd{Mix: crowd.Only(test.kind)}, TTL: time.Hour}
		for _, stream := range []bool{false, true} {
			wire, err := z.answer(nil, query(t, test.name, test.qtype), stream)
			if err != nil {
				t.Errorf("%v: answer(%s %v): %v", test.kind, test.name, test.qtype, err)
				continue
			}
			if got := summary(t, wire, test.name); got != test.want {
				t.Errorf("%v: answer(%s %v, %v) = %s; want %s", test.kind, test.name, test.qtype, stream, got, test.want)
			}
		}
	}
}

func TestNoQuestion(t *testing.T) {
	z := &Zone{}
	reply := query(t, reverse4, dnsmessage.TypePTR)
	reply[2] |= 0x80
	for _, wire := range [][]byte{nil, {1, 2, 3}, reply, make([]byte, 12), query(t, reverse4, dnsmessage.TypePTR)[:20]} {
		if got, err := z.answer(nil, wire, false); err == nil {
			t.Errorf("answer(%x) = %x; want an error", wire, got)
		}
	}
}

// Half of the names fail, the same ones again and for each transport.
func TestFaults(t *testing.T) {
	z := &Zone{Servfail: 0.5, Truncate: 0.5}
	const names = 1000
	failed, cut := 0, 0
	for n := range names {
		q := query(t, fmt.Sprintf("mail%d.example.org.", n), dnsmessage.TypeA)
		udp, err := z.answer(nil, q, false)
		tcp, err2 := z.answer(nil, q, true)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		fails := strings.HasPrefix(summary(t, udp, ""), "ServerFailure")
		if got := strings.HasPrefix(summary(t, tcp, ""), "ServerFailure"); got != fails {
			t.Errorf("name %d fails over UDP: %v, over TCP: %v", n, fails, got)
		}
		if fails {
			failed++
		}
		if strings.HasSuffix(summary(t, udp, ""), "truncated") {
			cut++
		}
		if strings.HasSuffix(summary(t, tcp, ""), "truncated") {
			t.Errorf("name %d is truncated over TCP", n)
		}
	}
	if failed < names*4/10 || failed > names*6/10 || cut < names*2/10 || cut > names*3/10 {
		t.Errorf("of %d names %d fail, and %d of the others are truncated; want about half and half", names, failed, cut)
	}
	c := z.Counts()
	if want := (Counts{UDP: names, TCP: names, A: 2 * names, Servfail: uint64(2 * failed), Truncated: uint64(cut)}); c != want {
		t.Errorf("Counts() = %v; want %v", c, want)
	}
	if got, err := ParseCounts(c.String()); got != c || err != nil {
		t.Errorf("ParseCounts(%v) = %v, %v", c, got, err)
	}
	if c.Queries() != 2*names {
		t.Errorf("Queries() = %d; want %d", c.Queries(), 2*names)
	}
}

func TestShare(t *testing.T) {
	tests := []struct {
		text, want string // empty: an error
	}{
		{"1%", "1%"},
		{"0.01", "1%"},
		{"0", "0%"},
		{"100%", "100%"},
		{"0.5%", "0.5%"},
		{"101%", ""},
		{"-1%", ""},
		{"NaN", ""},
		{"", ""},
		{"%", ""},
	}
	for _, test := range tests {
		var s Share
		err := s.Set(test.text)
		if (err == nil) != (test.want != "") || err == nil && s.String() != test.want {
			t.Errorf("Set(%q) = %s, %v; want %q", test.text, s.String(), err, test.want)
		}
	}
}

// serve serves on the loopback until the test ends.
func serve(t *testing.T, s *Server) (address string) {
	t.Helper()
	pc, l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, pc, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve() = %v; want nil", err)
		}
	})
	return l.Addr().String()
}

// ask puts a query over a network and says how long the reply took.
func ask(t *testing.T, network, address string, q []byte) ([]byte, time.Duration) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	buf := make([]byte, maxDatagram)
	if network == "tcp" {
		q = append(binary.BigEndian.AppendUint16(nil, uint16(len(q))), q...)
	}
	if _, err := conn.Write(q); err != nil {
		t.Fatal(err)
	}
	if network == "tcp" {
		if _, err := io.ReadFull(conn, buf[:2]); err != nil {
			t.Fatal(err)
		}
		buf = buf[:binary.BigEndian.Uint16(buf)]
		if _, err := io.ReadFull(conn, buf); err != nil {
			t.Fatal(err)
		}
		return buf, time.Since(begin)
	}
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n], time.Since(begin)
}

func TestServe(t *testing.T) {
	const delay = 20 * time.Millisecond
	address := serve(t, &Server{Zone: &Zone{TTL: time.Minute}, Delay: delay})
	for _, network := range []string{"udp", "tcp"} {
		wire, took := ask(t, network, address, query(t, reverse4, dnsmessage.TypePTR))
		if got, want := summary(t, wire, ""), "Success mail513.example.org./60"; got != want {
			t.Errorf("over %s = %s; want %s", network, got, want)
		}
		if took < delay {
			t.Errorf("over %s the reply took %v; want at least %v", network, took, delay)
		}
	}
	wire, _ := ask(t, "udp", address, query(t, StatsName, dnsmessage.TypeTXT))
	var m dnsmessage.Message
	if err := m.Unpack(wire); err != nil || len(m.Answers) != 1 {
		t.Fatalf("%s = %v, %v", StatsName, m, err)
	}
	text := m.Answers[0].Body.(*dnsmessage.TXTResource).TXT[0]
	c, err := ParseCounts(text)
	if c.WorstLateMicroseconds = 0; err != nil || c != (Counts{UDP: 1, TCP: 1, PTR: 2}) {
		t.Errorf("%s = %s, %v; want udp=1 tcp=1 ptr=2", StatsName, text, err)
	}
}

// All datagrams are lost; the counts, too, are asked for over TCP.
func TestLoss(t *testing.T) {
	z := &Zone{Loss: 1}
	address := serve(t, &Server{Zone: z})
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(query(t, reverse4, dnsmessage.TypePTR)); err != nil {
		t.Fatal(err)
	}
	for z.Counts().Lost == 0 {
		ask(t, "tcp", address, query(t, StatsName, dnsmessage.TypeTXT))
	}
	if got := z.Counts(); got.UDP != 1 || got.Lost != 1 {
		t.Errorf("Counts() = %v; want one lost", got)
	}
}

// The server shares the processors with what is measured.
func TestAnswerAllocatesNothing(t *testing.T) {
	z := &Zone{Servfail: 0.001, Truncate: 0.001, TTL: time.Hour}
	buf := make([]byte, 0, maxDatagram)
	for _, q := range [][]byte{
		query(t, reverse4, dnsmessage.TypePTR), query(t, reverse6, dnsmessage.TypePTR),
		query(t, "mail513.example.org.", dnsmessage.TypeA), query(t, "no.example.org.", dnsmessage.TypeA),
	} {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := z.answer(buf, q, false); err != nil {
				t.Fatal(err)
			}
		}); got > 1 {
			t.Errorf("answer(%x): %v allocations; want at most the text of the name", q, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(query(f, reverse4, dnsmessage.TypePTR))
	f.Add(query(f, reverse6, dnsmessage.TypePTR))
	f.Add(query(f, "mail513.example.org.", dnsmessage.TypeA))
	f.Add(query(f, "240-18-1-1.dyn.example.com.", dnsmessage.TypeAAAA))
	f.Add(query(f, StatsName, dnsmessage.TypeTXT))
	z := &Zone{Servfail: 0.1, Truncate: 0.1, TTL: time.Minute}
	f.Fuzz(func(t *testing.T, q []byte) {
		wire, err := z.answer(nil, q, false)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(wire); err != nil {
			t.Errorf("answer(%x) = %x, which does not unpack: %v", q, wire, err)
		}
		if len(wire) > maxDatagram {
			t.Errorf("answer(%x) has %d bytes; want at most %d", q, len(wire), maxDatagram)
		}
	})
}
