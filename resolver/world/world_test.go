package world

import (
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

const text = `
$TTL 300
$ORIGIN example.com.
@ 600 IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 30
        TXT   "v=spf1 " "-all"
        MX    10 mail
mail    A     192.0.2.10
        A     192.0.2.11
        AAAA  2001:db8::10
MiXed   A     192.0.2.12
alias   CNAME mail
twice   CNAME alias
away    CNAME mail.example.net.
gone    CNAME nothing
loop    CNAME pool
pool    CNAME loop
a.deep  A     192.0.2.13
\097\032b  A   192.0.2.14
$GENERATE 1-200 many A 192.0.2.$
10.2.0.192.in-addr.arpa. 60 PTR mail.example.com.
`

// summary is a reply to q in one line: rcode, flags, and the sections with
// their records in short.
func summary(packet []byte, q *dns.Msg) string {
	var m dns.Msg
	if err := m.Unpack(packet); err != nil {
		return "mangled"
	}
	s := dns.RcodeToString[m.Rcode]
	switch {
	case m.Id != q.Id:
		s = "other ID: " + s
	case !m.Response:
		s = "no reply: " + s
	case !strings.EqualFold(m.Question[0].Name, q.Question[0].Name):
		s = "other query: " + s
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"aa", m.Authoritative}, {"ra", m.RecursionAvailable}, {"tc", m.Truncated}} {
		if flag.set {
			s += " " + flag.name
		}
	}
	for _, rr := range m.Answer {
		s += " " + short(rr)
	}
	for _, rr := range m.Ns {
		s += " ns:" + short(rr)
	}
	return s
}

func short(rr dns.RR) string {
	fields := strings.Fields(rr.String())
	return fields[0] + "/" + fields[1] + "/" + fields[3] + "/" + fields[4]
}

func TestAnswers(t *testing.T) {
	const soa = " ns:example.com./600/SOA/ns.example.com."
	const root = " ns:./60/SOA/ns.invalid."
	for _, test := range []struct{ name, qtype, want string }{
		{"mail.example.com.", "A", "NOERROR ra mail.example.com./300/A/192.0.2.10 mail.example.com./300/A/192.0.2.11"},
		{"MAIL.Example.COM.", "AAAA", "NOERROR ra mail.example.com./300/AAAA/2001:db8::10"},
		{"mixed.example.com.", "A", "NOERROR ra MiXed.example.com./300/A/192.0.2.12"},
		{"mail.example.com.", "MX", "NOERROR ra" + soa},
		{"nothing.example.com.", "A", "NXDOMAIN ra" + soa},
		{"deep.example.com.", "A", "NOERROR ra" + soa},                  // an empty non-terminal
		{`a\ b.example.com.`, "A", `NOERROR ra a\/b.example.com./IN/A`}, // as the text has it, but for the escape
		{"com.", "A", "NOERROR ra" + root},
		{".", "NS", "NOERROR ra" + root},
		{"example.net.", "A", "NXDOMAIN ra" + root},
		{"10.2.0.192.in-addr.arpa.", "PTR", "NOERROR ra 10.2.0.192.in-addr.arpa./60/PTR/mail.example.com."},
		{"twice.example.com.", "AAAA", "NOERROR ra twice.example.com./300/CNAME/alias.example.com. alias.example.com./300/CNAME/mail.example.com. mail.example.com./300/AAAA/2001:db8::10"},
		{"alias.example.com.", "MX", "NOERROR ra alias.example.com./300/CNAME/mail.example.com." + soa},
		{"alias.example.com.", "CNAME", "NOERROR ra alias.example.com./300/CNAME/mail.example.com."},
		{"example.com.", "TXT", `NOERROR ra example.com./300/TXT/"v=spf1`},
		{"example.com.", "MX", "NOERROR ra example.com./300/MX/10"},
		{"gone.example.com.", "A", "NXDOMAIN ra gone.example.com./300/CNAME/nothing.example.com." + soa},
		{"away.example.com.", "A", "NXDOMAIN ra away.example.com./300/CNAME/mail.example.net." + root},
		{"loop.example.com.", "A", "NOERROR ra loop.example.com./300/CNAME/pool.example.com. pool.example.com./300/CNAME/loop.example.com."},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := ask(t, parse(t, text), "udp", test.name, test.qtype); !slices.Equal(got, []string{test.want}) {
				t.Errorf("%s %s = %q; want %q", test.qtype, test.name, got, test.want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	const right = "NOERROR ra mail.example.com./300/A/192.0.2.10 mail.example.com./300/A/192.0.2.11"
	const lie = "NXDOMAIN"
	for _, test := range []struct {
		directive string
		network   string
		want      []string
	}{
		{"", "udp", []string{right}},
		{"!servfail mail.example.com", "udp", []string{"SERVFAIL ra"}},
		{"!servfail mail.example.com. ; with a dot", "udp", []string{"SERVFAIL ra"}},
		{"!servfail MAIL.example.com A", "udp", []string{"SERVFAIL ra"}},
		{"!servfail mail.example.com AAAA", "udp", []string{right}},
		{"!servfail *.example.com", "udp", []string{"SERVFAIL ra"}},
		{"!servfail *.mail.example.com", "udp", []string{right}},
		{"!servfail example.com", "udp", []string{right}},
		{"!servfail *", "udp", []string{"SERVFAIL ra"}},
		{"!refused mail.example.com", "tcp", []string{"REFUSED ra"}},
		{"!rcode mail.example.com 5", "udp", []string{"REFUSED ra"}},
		{"!rcode mail.example.com 23", "udp", []string{"BADCOOKIE ra"}},
		{"!drop mail.example.com", "udp", nil},
		{"!truncate mail.example.com", "udp", []string{"NOERROR ra tc"}},
		{"!truncate mail.example.com", "tcp", []string{right}},
		{"!truncateall mail.example.com", "tcp", []string{"NOERROR ra tc"}},
		{"!wrongid mail.example.com", "udp", []string{"other ID: " + right}},
		{"!wrongquestion mail.example.com", "udp", []string{"other query: " + right}},
		{"!mangle mail.example.com", "udp", []string{"mangled"}},
		{"!cut mail.example.com", "udp", []string{"NOERROR ra"}},
		{"!spoof mail.example.com", "udp", []string{"other ID: " + lie, "other query: " + lie, "no reply: NOERROR", "mangled", "NOERROR ra", right}},
		{"!empty mail.example.com", "udp", []string{"NOERROR"}},
		{"!referral mail.example.com", "udp", []string{"NOERROR ns:mail.example.com./300/NS/ns.invalid."}},
		{"!noedns mail.example.com", "udp", []string{"FORMERR ra"}},
		{"!delay mail.example.com 20ms", "udp", []string{right}},
		{"!droptcp mail.example.com", "udp", []string{right}},
		{"!droptcp mail.example.com", "tcp", nil},
		{"!drip mail.example.com 1s", "udp", []string{right}},
		{"!drip mail.example.com 1ms", "tcp", []string{right}},
		{"!double mail.example.com", "udp", []string{right, right}},
		{"!huge mail.example.com", "udp", []string{"NOERROR ra tc"}},
		{"!fold mail.example.com", "udp", []string{right}},
		{"!foreign mail.example.com", "udp", []string{"NOERROR ra foreign.invalid./300/A/203.0.113.99 mail.example.com./300/A/192.0.2.10 mail.example.com./300/A/192.0.2.11"}},
		{"!servfail mail.example.com\n!foreign mail.example.com", "udp", []string{"SERVFAIL ra foreign.invalid./300/A/203.0.113.99"}},
		{"!rcode mail.example.com 3\n!nosoa mail.example.com", "udp", []string{"NXDOMAIN ra"}},
		{"!flap mail.example.com 200ms", "udp", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := parse(t, text+test.directive)
			got := ask(t, w, test.network, "mail.example.com.", "A")
			if !slices.Equal(got, test.want) {
				t.Errorf("%s, over %s = %q; want %q", test.directive, test.network, got, test.want)
			}
		})
	}
}

func TestNoChase(t *testing.T) { synctest.Test(t, testNoChase) }

func testNoChase(t *testing.T) {
	w := parse(t, text+"!nochase twice.example.com")
	const want = "NOERROR ra twice.example.com./300/CNAME/alias.example.com."
	if got := ask(t, w, "udp", "twice.example.com.", "A"); !slices.Equal(got, []string{want}) {
		t.Errorf("twice.example.com = %q; want %q", got, want)
	}
}

func TestRecursionIsToBeAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := query("mail.example.com.", "A")
		q.RecursionDesired = false
		if got := summaries(converseOnce(t, parse(t, text), "udp", q), q); !slices.Equal(got, []string{"REFUSED ra"}) {
			t.Errorf("without RD = %q; want REFUSED", got)
		}
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parse(t, text+"!delay mail.example.com 20ms\n!delay *.example.com 10ms")
		start := time.Now()
		ask(t, w, "udp", "mail.example.com.", "A")
		if got, want := time.Since(start), 30*time.Millisecond+patience; got != want {
			t.Errorf("the reply and silence took %v; want %v", got, want)
		}
	})
}

func TestFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parse(t, text+"!flap mail.example.com 300ms")
		for i := range 4 { // each takes 200ms
			want := 0
			if at := time.Duration(i) * patience; at/(300*time.Millisecond)%2 == 1 {
				want = 1
			}
			if got := ask(t, w, "udp", "mail.example.com.", "A"); len(got) != want {
				t.Errorf("after %v: %q; want %d replies", time.Duration(i)*patience, got, want)
			}
		}
	})
}

// TestDrip: the bytes of a stream come one by one.
func TestDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parse(t, text+"!drip mail.example.com 1s")
		conn, err := w.Dial(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		send(t, conn, "tcp", query("mail.example.com.", "A"))
		n, err := receive(conn, true, make([]byte, dns.MaxMsgSize))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), time.Duration(2+n)*time.Second; got != want {
			t.Errorf("%d bytes and their length took %v; want %v", n, got, want)
		}
	})
}

// TestSize: what does not fit is truncated, and is whole over TCP.
func TestSize(t *testing.T) { synctest.Test(t, testSize) }

func testSize(t *testing.T) {
	w := parse(t, text)
	small := query("many.example.com.", "A")
	small.Extra = nil
	for _, test := range []struct {
		network string
		query   *dns.Msg
		size    int
	}{
		{"udp", small, 512},
		{"udp", query("many.example.com.", "A"), 1232},
		{"tcp", query("many.example.com.", "A"), dns.MaxMsgSize},
	} {
		got := converseOnce(t, w, test.network, test.query)
		if len(got) != 1 {
			t.Fatalf("over %s: %d replies; want 1", test.network, len(got))
		}
		var m dns.Msg
		if err := m.Unpack(got[0]); err != nil {
			t.Fatal(err)
		}
		if whole := test.network == "tcp"; m.Truncated == whole || (len(m.Answer) == 200) != whole {
			t.Errorf("over %s: TC %v with %d records", test.network, m.Truncated, len(m.Answer))
		}
		if len(got[0]) > test.size {
			t.Errorf("over %s: %d bytes; want %d at most", test.network, len(got[0]), test.size)
		}
	}
}

func TestQuestionsAndSet(t *testing.T) { synctest.Test(t, testQuestionsAndSet) }

func testQuestionsAndSet(t *testing.T) {
	w := parse(t, text)
	ask(t, w, "udp", "New.Example.com.", "A")
	if err := w.Set("new.example.com. A 192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	const want = "NOERROR ra new.example.com./300/A/192.0.2.1"
	if got := ask(t, w, "tcp", "new.example.com.", "A"); !slices.Equal(got, []string{want}) {
		t.Errorf("after Set: %q; want %q", got, want)
	}
	if err := w.Set("!what"); err == nil {
		t.Error("Set(!what) = nil; want an error")
	}
	ask(t, w, "udp", "new.example.com.", "AAAA")
	queried := []string{"A new.example.com", "A new.example.com", "AAAA new.example.com"}
	if got := w.Queries(); !slices.Equal(got, queried) {
		t.Errorf("Queries() = %q; want %q", got, queried)
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"mail.example.com. A 192.0.2.1\n!servfial mail.example.com", `line 2: unknown directive !servfial`},
		{"\n!drop", `line 2: !drop: want !directive NAME`},
		{"!", `line 1: !: want !directive NAME`},
		{"!drop a..b", `line 1: !drop "a..b": want a domain name, *.zone or *`},
		{"!drop mail.example.com WHAT", `line 1: !drop: "WHAT": want a record type at the end, or nothing`},
		{"!drop mail.example.com A AAAA", `line 1: !drop: "A AAAA": want a record type at the end, or nothing`},
		{"!delay mail.example.com", `line 1: !delay "mail.example.com": want a value after the name`},
		{"!delay mail.example.com 20", `line 1: !delay "20": want a duration such as 20ms`},
		{"!delay mail.example.com -1s", `line 1: !delay "-1s": want a duration such as 20ms`},
		{"!drip mail.example.com 20", `line 1: !drip "20": want a duration such as 20ms`},
		{"!flap mail.example.com 0s", `line 1: !flap "0s": want a duration such as 20ms`},
		{"!rcode mail.example.com REFUSED", `line 1: !rcode "REFUSED": want 0 to 23`},
		{"!rcode mail.example.com 24", `line 1: !rcode "24": want 0 to 23`},
		{"!drop a.example\n\nmail.example.com. A 192.0.2.300", `zone text: dns: bad A A: "192.0.2.300" at line: 3:31`},
	} {
		if _, err := Parse(test.text); err == nil || err.Error() != test.want {
			t.Errorf("Parse(%q) = %v; want %v", test.text, err, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(text)
	f.Add("!drop *.example.com AAAA\n!delay mail.example.com 20ms\n!rcode * 5 A")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToUpper(text), "$GENERATE") {
			return // as long as it is told to be
		}
		w, err := Parse(text)
		if err != nil {
			return
		}
		for _, stream := range []bool{false, true} {
			packet, err := query("mail.example.com.", "A").Pack()
			if err != nil {
				t.Fatal(err)
			}
			w.respond(packet, stream)
		}
	})
}

func FuzzRespond(f *testing.F) {
	w, err := Parse(text + "!spoof mail.example.com\n!cut *.example.com")
	if err != nil {
		f.Fatal(err)
	}
	packet, err := query("mail.example.com.", "A").Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packet)
	f.Fuzz(func(t *testing.T, packet []byte) {
		if s := w.respond(packet, true); len(s.packets) > 0 && packet[2]&0x80 != 0 {
			t.Errorf("respond(%x) = %x; want silence to a reply", packet, s.packets)
		}
	})
}

func parse(t *testing.T, text string) *World {
	t.Helper()
	w, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func query(name, qtype string) *dns.Msg {
	return new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]).SetEdns0(1232, false)
}

// patience is how long a test waits for one more reply.
const patience = 200 * time.Millisecond

// converseOnce puts a query in memory and returns all that comes.
func converseOnce(t *testing.T, w *World, network string, q *dns.Msg) [][]byte {
	t.Helper()
	conn, err := w.Dial(t.Context(), network, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return put(t, conn, network, q)
}

func put(t *testing.T, conn net.Conn, network string, q *dns.Msg) [][]byte {
	t.Helper()
	send(t, conn, network, q)
	var replies [][]byte
	for {
		conn.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, dns.MaxMsgSize)
		n, err := receive(conn, network == "tcp", buf)
		if err != nil {
			return replies
		}
		replies = append(replies, buf[:n])
	}
}

func send(t *testing.T, conn net.Conn, network string, q *dns.Msg) {
	t.Helper()
	packet, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if network == "tcp" {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
}

func summaries(replies [][]byte, q *dns.Msg) []string {
	var s []string
	for _, packet := range replies {
		s = append(s, summary(packet, q))
	}
	return s
}

// ask is converseOnce for the addresses of a name, in words.
func ask(t *testing.T, w *World, network, name, qtype string) []string {
	t.Helper()
	q := query(name, qtype)
	return summaries(converseOnce(t, w, network, q), q)
}
