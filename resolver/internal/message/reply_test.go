package message

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// replyOf is a reply to A a.example.com in words: flags and rcode ("ra
// NXDOMAIN"), and the records of the sections.
func replyOf(t testing.TB, flags string, answer, authority []string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("a.example.com.", dns.TypeA))
	for _, flag := range strings.Fields(flags) {
		switch flag {
		case "aa":
			m.Authoritative = true
		case "ra":
			m.RecursionAvailable = true
		default:
			m.Rcode = dns.StringToRcode[flag]
		}
	}
	for _, section := range []struct {
		texts []string
		rrs   *[]dns.RR
	}{{answer, &m.Answer}, {authority, &m.Ns}} {
		for _, text := range section.texts {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			*section.rrs = append(*section.rrs, rr)
		}
	}
	return m
}

// queryOf is the query of a message, as it is sent.
func queryOf(t testing.TB, m *dns.Msg) Packet {
	t.Helper()
	ask := dns.Msg{MsgHdr: dns.MsgHdr{Id: m.Id, RecursionDesired: true}, Question: m.Question}
	wire, err := ask.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return Packet{Bytes: wire}
}

// TestDigest: replies that a world does not give.
func TestDigest(t *testing.T) {
	const (
		a     = "a.example.com. 300 A 192.0.2.1"
		ab    = "a.example.com. 300 CNAME b.example.net."
		bc    = "b.example.net. 300 CNAME c.example.org."
		c     = "c.example.org. 300 A 192.0.2.3"
		soa   = "example.com. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"
		soaB  = "example.net. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"
		soaC  = "C.example.org. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"
		ns    = "example.com. 300 NS ns.example.com."
		chaos = `example.com. 300 CH SOA ns.example.com. h.example.com. 1 1 1 1 300`
	)
	for _, test := range []struct {
		flags      string
		answer, ns []string
		want       string
	}{
		{"ra", []string{a}, nil, "found 192.0.2.1"},
		{"", []string{a}, nil, "found 192.0.2.1"},
		{"", []string{a}, []string{ns}, "found 192.0.2.1"},

		// RFC 2308 section 2.2.
		{"", nil, []string{soa}, "none"},
		{"ra", nil, []string{ns, soa}, "none"},
		{"ra", nil, nil, "none"},
		{"aa", nil, nil, "none"},
		{"", nil, nil, "error: lame reply"},
		{"ra", nil, []string{ns}, "error: referral"},
		{"aa", nil, []string{ns}, "error: referral"},
		{"", nil, []string{ns}, "error: referral"},
		{"", nil, []string{chaos}, "error: lame reply"},
		{"NXDOMAIN", nil, nil, "none"},
		{"NXDOMAIN", []string{ab}, nil, "none"}, // of the end of the chain
		{"NXDOMAIN", []string{a}, nil, "error: contradiction"},
		{"NXDOMAIN", []string{c, ab, bc}, nil, "error: contradiction"},

		// Aliases, in any order and case.
		{"ra", []string{ab, bc, c}, nil, "found 192.0.2.3"},
		{"ra", []string{c, bc, ab}, nil, "found 192.0.2.3"},
		{"ra", []string{"A.EXAMPLE.com. CNAME b.example.net.", "B.example.net. CNAME C.example.org.", "c.EXAMPLE.org. A 192.0.2.3"}, nil, "found 192.0.2.3"},
		{"ra", []string{ab, c}, nil, "query b.example.net."},
		{"ra", []string{ab}, []string{soa}, "query b.example.net."},
		{"ra", []string{ab}, []string{ns}, "query b.example.net."},
		{"", []string{ab}, nil, "query b.example.net."},
		{"ra", []string{ab}, []string{soaB}, "none"},
		{"ra", []string{ab, bc}, []string{soaB}, "query c.example.org."},
		{"ra", []string{ab, bc}, []string{soaC}, "none"},
		{"ra", []string{ab, a}, nil, "query b.example.net."}, // nothing may be beside a CNAME
		{"ra", []string{ab, "a.example.com. CNAME c.example.org.", c}, nil, "query b.example.net."},

		// Of no use.
		{"ra", []string{c}, nil, "none"},
		{"ra", []string{"a.example.com. CH A 192.0.2.1"}, nil, "none"},
		{"ra", []string{"a.example.com. CH CNAME c.example.org.", c}, nil, "none"},
		{"ra", []string{"a.example.com. AAAA 2001:db8::1"}, nil, "none"},
		{"ra", []string{"sub.a.example.com. A 192.0.2.1"}, nil, "none"},
		{"ra", nil, []string{a}, "none"},
		{"ra SERVFAIL", []string{a}, nil, "error: SERVFAIL"},
		{"ra REFUSED", nil, []string{soa}, "error: REFUSED"},
		{"ra YXDOMAIN", []string{a}, nil, "error: YXDOMAIN"},
	} {
		m := replyOf(t, test.flags, test.answer, test.ns)
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		read, err := Parse(packet, queryOf(t, m))
		if err != nil {
			t.Fatalf("Parse(%v) = %v", m, err)
		}
		v, err := read.Read(NewChain("a.example.com."))
		var got string
		switch {
		case err != nil:
			got = "error: " + err.Error()
		case !v.Determined:
			got = "query " + v.Chain.End()
		case len(v.Records) == 0:
			got = "none"
		default:
			got = "found"
			for _, rec := range v.Records {
				got += " " + rec.Addr.String()
			}
		}
		if got != test.want {
			t.Errorf("%q, answer %q, authority %q = %s; want %s", test.flags, test.answer, test.ns, got, test.want)
		}
	}
}

// TestParse: what passes for a reply, byte by byte.
func TestParse(t *testing.T) {
	ask := new(dns.Msg).SetQuestion("a.example.com.", dns.TypeA)
	ask.Id = 0x1234
	reply := replyOf(t, "ra", []string{"a.example.com. A 192.0.2.1", "a.example.com. A 192.0.2.2"}, nil)
	reply.Id = ask.Id
	reply.Compress = true
	right, err := reply.Pack()
	if err != nil {
		t.Fatal(err)
	}
	const (
		flags   = 2 // offsets: RFC 1035 section 4.1.1
		qdcount = 5
		ancount = 7
		nscount = 9
		query   = headerSize + len("a.example.com.") + 1 + 4
		record  = 2 + 10 + 4 // with a compressed name
	)
	with := func(at int, b ...byte) func([]byte) []byte {
		return func(p []byte) []byte { copy(p[at:], b); return p }
	}
	cut := func(n int) func([]byte) []byte { return func(p []byte) []byte { return p[:n] } }
	then := func(changes ...func([]byte) []byte) func([]byte) []byte {
		return func(p []byte) []byte {
			for _, c := range changes {
				p = c(p)
			}
			return p
		}
	}
	for _, test := range []struct {
		name   string
		change func([]byte) []byte
		want   string
	}{
		{"right", with(0), ""},
		{"other case in the query", with(headerSize+1, 'A'), ""},
		{"other ID", with(0, 0x43, 0x21), "a reply with another ID"},
		{"a query", with(flags, 0x01), "a message that is no reply"},
		{"a notification", with(flags, 0xa0), "a message that is no reply"}, // opcode 4
		{"other name", with(headerSize+1, 'b'), "a reply to another query"},
		{"other type", with(query-3, byte(dns.TypeAAAA)), "a reply to another query"},
		{"other class", with(query-1, byte(dns.ClassCHAOS)), "a reply to another query"},
		{"no question section", then(with(qdcount, 0), cut(headerSize)), "a reply to another query"},
		{"two queries", with(qdcount, 2), "a mangled reply"},
		{"nothing", cut(0), "a mangled reply"},
		{"half a header", cut(headerSize - 1), "a mangled reply"},
		{"the header only", cut(headerSize), "a reply to another query"},
		{"cut in the query", cut(query - 1), "a mangled reply"},
		{"cut after the query", cut(query), "a mangled reply"},
		{"cut after a record", cut(query + record), "a mangled reply"},
		{"cut in a record", cut(query + record + 1), "a mangled reply"},
		{"fewer than promised", with(ancount, 3), "a mangled reply"},
		{"fewer than promised, behind", with(nscount, 1), "a mangled reply"},
		{"a pointer that resolves to itself", with(query, 0xc0, byte(query)), "a mangled reply"},
		{"more than promised", with(ancount, 1), ""},

		// TC: whatever came goes.
		{"truncated, whole", with(flags, 0x82), ""},
		{"truncated, cut in a record", then(with(flags, 0x82), cut(query+record+1)), ""},
		{"truncated, to another query", then(with(flags, 0x82), with(headerSize+1, 'b')), "a reply to another query"},
		{"truncated, with another ID", then(with(flags, 0x82), with(0, 0x43, 0x21)), "a reply with another ID"},
		{"truncated, without query", then(with(flags, 0x82), with(qdcount, 0), cut(headerSize)), "a reply to another query"},

		// Errors may come bare. 0x85 is REFUSED with RA, 0x83 NXDOMAIN.
		{"REFUSED, the header only", then(with(flags+1, 0x85), cut(headerSize)), ""},
		{"REFUSED, no query", then(with(flags+1, 0x85), with(qdcount, 0, 0, 0), cut(headerSize)), ""},
		{"REFUSED, other query", then(with(flags+1, 0x85), with(headerSize+1, 'b')), "a reply to another query"},
		{"REFUSED, other ID", then(with(flags+1, 0x85), with(0, 0x43, 0x21)), "a reply with another ID"},
		{"NXDOMAIN, the header only", then(with(flags+1, 0x83), cut(headerSize)), "a reply to another query"},
	} {
		packet := test.change(slices.Clone(right))
		got := ""
		if _, err := Parse(packet, queryOf(t, ask)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: Parse(%x) = %q; want %q", test.name, packet, got, test.want)
		}
	}
}
