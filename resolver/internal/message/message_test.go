package message

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// unpacked is what parse reads, read from the whole message as the DNS library
// unpacks it; not ok if the message is none that we take.
func unpacked(packet []byte, ask Packet) (_ *Reply, ok bool) {
	var m, q dns.Msg
	if err := errors.Join(q.Unpack(ask.Bytes), m.Unpack(packet)); err != nil {
		return nil, false
	}
	r := &Reply{Rcode: m.Rcode, Truncated: m.Truncated, Authoritative: m.Authoritative, Recursive: m.RecursionAvailable, Validated: m.AuthenticatedData}
	switch {
	case m.Id != q.Id || !m.Response || m.Opcode != dns.OpcodeQuery:
		return nil, false
	case len(m.Question) == 0 && r.Failed():
	case len(m.Question) != 1 || m.Question[0].Qtype != q.Question[0].Qtype || m.Question[0].Qclass != q.Question[0].Qclass:
		return nil, false
	case !strings.EqualFold(m.Question[0].Name, q.Question[0].Name) || ask.Cased && m.Question[0].Name != q.Question[0].Name:
		return nil, false
	}
	if r.Truncated || r.Failed() {
		return r, true
	}
	for i, n := range []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)} {
		if int(binary.BigEndian.Uint16(packet[4+2*i:])) != n {
			return nil, false
		}
	}
	r.read(&m)
	return r, true
}

// read takes the sections of a message.
func (r *Reply) read(m *dns.Msg) {
	aliases := make(map[string]*dns.CNAME)
	for _, one := range m.Answer {
		c, ok := one.(*dns.CNAME)
		if ok && c.Hdr.Class == dns.ClassINET && c.Target != "" && aliases[Fold(c.Hdr.Name)] == nil {
			aliases[Fold(c.Hdr.Name)] = c
		}
	}
	end := Fold(m.Question[0].Name)
	for c := aliases[end]; c != nil && len(r.Links) <= maxLinks; c = aliases[end] {
		end = Fold(c.Target)
		r.Links = append(r.Links, Link{end, wireTTL(c.Hdr.Ttl)})
	}
	r.TTL = maxWireTTL
	size := 0
	for _, one := range m.Answer {
		h := one.Header()
		if h.Rrtype != m.Question[0].Qtype || h.Class != dns.ClassINET || Fold(h.Name) != end || len(r.Records) > MaxRecords || size > maxBytes {
			continue
		}
		var rec Record
		switch one := one.(type) {
		case *dns.PTR:
			if one.Ptr != "" {
				rec.Name = Fold(one.Ptr)
			}
		case *dns.MX:
			if one.Mx != "" {
				rec.Name = Fold(one.Mx)
			}
		case *dns.TXT:
			rec.Text = plainText(one.Txt)
		case *dns.A:
			rec.Addr, _ = netip.AddrFromSlice(one.A.To4())
		case *dns.AAAA:
			rec.Addr, _ = netip.AddrFromSlice(one.AAAA)
		}
		size += nameSize(rec.Name) + len(rec.Text)
		r.Records = append(r.Records, rec)
		r.TTL = min(r.TTL, wireTTL(h.Ttl))
	}
	for _, one := range m.Ns {
		r.Referral = r.Referral || one.Header().Rrtype == dns.TypeNS
		if s, ok := one.(*dns.SOA); ok && s.Hdr.Class == dns.ClassINET && r.SOA == nil {
			r.SOA = &SOA{Fold(s.Hdr.Name), wireTTL(s.Hdr.Ttl), s.Minttl}
		}
	}
}

// plainText is the strings of a TXT as they are in a message, of which the DNS library
// writes some bytes as RFC 1035 section 5.1 has it. It is cut where ours is.
func plainText(strs []string) string {
	var text []byte
	for _, s := range strs {
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] != '\\':
				text = append(text, s[i])
			case s[i+1] >= '0' && s[i+1] <= '9':
				text = append(text, (s[i+1]-'0')*100+(s[i+2]-'0')*10+s[i+3]-'0')
				i += 3
			default:
				i++
				text = append(text, s[i])
			}
		}
	}
	return string(text[:min(len(text), maxBytes+1)])
}

// types are those that FuzzReply queries: of each what is read of a record is another.
var types = []uint16{dns.TypePTR, dns.TypeTXT, dns.TypeMX}

// FuzzReply: whatever a server sends is read without a panic, as the DNS library
// reads it, is an answer only with our ID and our query, is a "no" only with a
// response code that says so, and stays within bounds.
func FuzzReply(f *testing.F) {
	const id = 0x1234
	sent := make(map[uint16]Packet)
	for _, qtype := range types {
		ask := new(dns.Msg).SetQuestion("a.example.com.", qtype)
		ask.Id = id
		sent[qtype] = queryOf(f, ask)
	}
	for _, seed := range []*dns.Msg{
		replyOf(f, "ra", []string{"a.example.com. PTR mail.example.com."}, nil),
		replyOf(f, "ra", []string{"a.example.com. CNAME b.example.com.", "b.example.com. PTR mail.example.com.", `b.example.com. PTR x\000\.y.example.com.`}, nil),
		replyOf(f, "ra", []string{"B.example.com. PTR Mail.example.com.", "a.example.com. CNAME b.example.com.", "b.EXAMPLE.com. PTR a.b.example.com."}, nil),
		replyOf(f, "ra", []string{"a.example.com. TXT x", "a.example.com. CH PTR b.example.com.", "a.example.com. A 192.0.2.1"}, []string{"example.com. NS a.example.com."}),
		replyOf(f, "ra NXDOMAIN", nil, []string{"example.com. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"}),
		replyOf(f, "ra", []string{"a.example.com. CNAME b.example.com."}, []string{"example.com. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"}),
		replyOf(f, "ra", []string{`a.example.com. TXT "v=spf1 " "-all"`, `a.example.com. TXT "\255\000\"" "x"`}, nil),
		replyOf(f, "ra", []string{"a.example.com. MX 0 .", "a.example.com. MX 10 MX1.example.com.", "a.example.com. MX 20 a.example.com."}, nil),
		replyOf(f, "REFUSED", nil, nil),
		replyOf(f, "BADVERS", nil, nil),
		replyOf(f, "", nil, []string{"example.com. NS ns.example.com."}),
	} {
		for _, seed.Compress = range []bool{false, true} {
			seed.Id = id
			if len(seed.Answer) > 0 && seed.Answer[0].Header().Rrtype != dns.TypeCNAME {
				seed.Question[0].Qtype = seed.Answer[0].Header().Rrtype
			} else {
				seed.Question[0].Qtype = dns.TypePTR
			}
			if seed.IsEdns0() == nil {
				seed.SetEdns0(EDNSSize, false)
			}
			packet, err := seed.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packet)
			f.Add(packet[:len(packet)-3])
		}
	}
	for _, h := range hostile {
		packet := h.packet(sent[h.qtype()])
		f.Add(packet[:min(len(packet), 2000)])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > MaxSize {
			return
		}
		sent, qtype := sent[dns.TypePTR], dns.TypePTR
		if end := headerSize + len(sent.section()); len(packet) >= end { // the query that it says it answers
			for _, qtype = range types {
				if binary.BigEndian.Uint16(packet[end-4:]) == qtype {
					break
				}
			}
		}
		m, err := Parse(packet, sent)
		// What the library cannot read may be in a part that nobody reads.
		if want, ok := unpacked(packet, sent); ok && (err != nil && err != errNames || err == nil && fmt.Sprint(m.plain()) != fmt.Sprint(want.plain())) {
			t.Fatalf("Parse(%x) = %+v, %v; want %+v", packet, m.plain(), err, want.plain())
		}
		if err != nil || m.Truncated {
			return
		}
		if binary.BigEndian.Uint16(packet) != id || packet[2]&0xf8 != 0x80 {
			t.Fatalf("Parse(%x): no reply to the query, but taken for one", packet)
		}
		v, err := m.Read(NewChain("a.example.com."))
		if err != nil || !v.Determined {
			return
		}
		if section := sent.section(); !bytes.EqualFold(packet[headerSize:][:len(section)], section) {
			t.Fatalf("digest(%x) = %+v; want nothing of another query", packet, v)
		}
		if len(v.Records) == 0 {
			if v.TTL < minNegative || v.TTL > maxNegative {
				t.Fatalf("digest(%x) = none, for %v", packet, v.TTL)
			}
			return
		}
		read := Names
		if qtype == dns.TypeTXT {
			read = Texts
		}
		names, size, _ := read(v.Records)
		if m.Rcode != dns.RcodeSuccess || len(names) > MaxRecords || size > maxBytes || v.TTL < minPositive || v.TTL > maxPositive {
			t.Fatalf("digest(%x) = %d names of %d bytes, for %v", packet, len(names), size, v.TTL)
		}
		for _, name := range names {
			if qtype == dns.TypeTXT {
				break
			}
			if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c > '~' || c >= 'A' && c <= 'Z' }) {
				t.Fatalf("digest(%x): name %q", packet, name)
			}
		}
	})
}

// plain is a reply without pointers, to be printed.
func (r *Reply) plain() any {
	if r == nil {
		return nil
	}
	p, s := *r, SOA{}
	if r.SOA != nil {
		s = *r.SOA
	}
	p.SOA = nil
	return struct {
		Reply
		SOA
		has bool
	}{p, s, r.SOA != nil}
}

// hostileReply is a message that is made to be costly.
type hostileReply struct {
	name   string // begins with the type that is queried; PTR if it has none
	packet func(Packet) []byte
	want   string
}

func (h *hostileReply) qtype() uint16 {
	word, _, _ := strings.Cut(h.name, " ")
	switch word {
	case "TXT":
		return dns.TypeTXT
	case "MX":
		return dns.TypeMX
	}
	return dns.TypePTR
}

// hostile are messages made to be costly, of the largest size, as a zone's owner
// can have a resolver hand them on, or a resolver's owner make them.
var hostile = []hostileReply{
	{"records at a long name", func(q Packet) []byte {
		m := begin(q)
		long := m.put(pointer(headerSize), dns.TypeCNAME, longName(0xff))
		m.fill(func(i int) {
			m.put(pointer(long), qtypeOf(q), append([]byte{2, 0x80 | byte(i>>6), 0x80 | byte(i)}, pointer(long+64)...))
		})
		return m.packet()
	}, "found 21 and more"},
	{"records at the name", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) { m.put(pointer(headerSize), qtypeOf(q), []byte{2, 0x80 | byte(i>>6), 0x80 | byte(i), 0}) })
		return m.packet()
	}, "found 100 and more"},
	{"one record, again and again", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(headerSize), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "found 1 and more"},
	{"records of others at long names that end alike", func(q Packet) []byte {
		m := begin(q)
		long := m.put(pointer(headerSize), dns.TypeCNAME, longName('a'))
		m.fill(func(i int) { m.put(append([]byte{1, 'b'}, pointer(long)...), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "query"},
	{"records of others at long names that begin alike", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeCNAME, letters('a', 'z'))
		other := m.put([]byte{1, 'x', 0}, dns.TypeTXT, letters('a', 'y'))
		m.fill(func(i int) { m.put(pointer(other), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "a reply with too many names"},
	{"aliases of others", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) { m.put([]byte{2, byte(i >> 8), byte(i), 0}, dns.TypeCNAME, pointer(headerSize)) })
		return m.packet()
	}, "none"},
	{"aliases of the name", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) { m.put(pointer(headerSize), dns.TypeCNAME, []byte{2, byte(i >> 8), byte(i), 0}) })
		return m.packet()
	}, "query"},
	{"a chain of aliases", func(q Packet) []byte {
		m := begin(q)
		last := headerSize
		m.fill(func(i int) {
			last = m.put(pointer(min(last, 0x3fff)), dns.TypeCNAME, []byte{2, byte(i >> 8), byte(i), 0})
		})
		return m.packet()
	}, "more than 8 CNAMEs"},
	{"a chain of aliases, the first last", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) {
			m.put([]byte{2, byte((i + 1) >> 8), byte(i + 1), 0}, dns.TypeCNAME, []byte{2, byte(i >> 8), byte(i), 0})
		})
		return m.packet()
	}, "none"},
	{"a chain of aliases behind those of others", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) { m.put([]byte{2, byte(i >> 8), byte(i), 0}, dns.TypeCNAME, []byte{0}) })
		m.chain()
		return m.packet()
	}, "a reply with too many names"},
	{"a chain of aliases behind texts", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put([]byte{0}, dns.TypeTXT, nil) })
		m.chain()
		return m.packet()
	}, "more than 8 CNAMEs"},
	{"a pointer to itself", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(len(m.wire)), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "a mangled reply"},
	{"a pointer to itself in the data", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), qtypeOf(q), pointer(len(m.wire)+12))
		return m.packet()
	}, "a mangled reply"},
	{"a label that resolves back to itself", func(q Packet) []byte {
		m := begin(q)
		at := len(m.wire)
		m.put(pointer(headerSize), dns.TypeCNAME, append([]byte{1, 'a'}, pointer(at+12)...))
		return m.packet()
	}, "a mangled reply"},
	{"pointers to pointers", func(q Packet) []byte {
		m := begin(q)
		chain := pointer(headerSize)
		at := len(m.wire) + 12
		for i := range 8000 {
			chain = append(chain, pointer(at+2*i)...)
		}
		m.put(pointer(headerSize), dns.TypeNULL, chain)
		m.fill(func(int) { m.put(pointer(at+2*8000), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "a mangled reply"},
	{"as many pointers as may be", func(q Packet) []byte {
		m := begin(q)
		chain := pointer(headerSize)
		at := len(m.wire) + 12
		for i := range 120 {
			chain = append(chain, pointer(at+2*i)...)
		}
		m.put(pointer(headerSize), dns.TypeNULL, chain)
		m.fill(func(int) { m.put(pointer(at+2*120), qtypeOf(q), pointer(headerSize)) })
		return m.packet()
	}, "found 1 and more"},
	{"a name of labels of one byte", func(q Packet) []byte {
		m := begin(q)
		long := m.put(pointer(headerSize), dns.TypeCNAME, letters('a', 'a'))
		m.fill(func(int) { m.put(pointer(long), qtypeOf(q), pointer(long)) })
		return m.packet()
	}, "found 1 and more"},
	{"a name that is too long", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeCNAME, append([]byte{63}, append(bytes.Repeat([]byte{'a'}, 63), longName('a')...)...))
		return m.packet()
	}, "a mangled reply"},
	{"texts", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(headerSize), dns.TypeTXT, bytes.Repeat([]byte{0}, 500)) })
		return m.packet()
	}, "none"},
	{"NULL", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeNULL, make([]byte, 60000))
		return m.packet()
	}, "none"},
	{"authority", func(q Packet) []byte {
		m := begin(q)
		m.section = 2
		m.fill(func(int) {
			m.put(pointer(headerSize), dns.TypeSOA, append(longName('a'), append(pointer(headerSize), make([]byte, 20)...)...))
		})
		return m.packet()
	}, "none"},
	{"additional", func(q Packet) []byte {
		m := begin(q)
		m.section = 3
		m.fill(func(int) { m.put(pointer(headerSize), dns.TypeAAAA, make([]byte, 16)) })
		return m.packet()
	}, "none"},
	{"options", func(q Packet) []byte {
		m := begin(q)
		m.section = 3
		m.fill(func(int) { m.put([]byte{0}, dns.TypeOPT, []byte{0, 3, 0, 0}) })
		return m.packet()
	}, "none"},
	{"counts that lie", func(q Packet) []byte {
		m := begin(q)
		m.counts = [4]int{1, 0xffff, 0xffff, 0xffff}
		return m.packet()
	}, "a mangled reply"},
	{"queries", func(q Packet) []byte {
		m := begin(q)
		m.section = 0
		m.fill(func(int) { m.wire = append(m.wire, 0, 0, 1, 0, 1); m.counts[0]++ })
		return m.packet()
	}, "a reply to another query"},
	{"TXT of one text", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeTXT, bytes.Repeat(append([]byte{255}, bytes.Repeat([]byte{'a'}, 255)...), 230))
		return m.packet()
	}, "found 0 and more"},
	{"TXT of 60,000 strings", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeTXT, make([]byte, 60000))
		return m.packet()
	}, "found 1"},
	{"TXT of many texts", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(i int) { m.put(pointer(headerSize), dns.TypeTXT, []byte{2, byte(i >> 8), byte(i)}) })
		return m.packet()
	}, "found 100 and more"},
	{"TXT without strings", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(headerSize), dns.TypeTXT, nil) })
		return m.packet()
	}, "found 1 and more"},
	{"TXT that is longer than it says", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeTXT, []byte{1, 'a', 5, 'b'})
		return m.packet()
	}, "a mangled reply"},
	{"TXT at a long name", func(q Packet) []byte {
		m := begin(q)
		long := m.put(pointer(headerSize), dns.TypeCNAME, longName(0xff))
		m.fill(func(i int) {
			m.put(pointer(long), dns.TypeTXT, append([]byte{200, byte(i)}, bytes.Repeat([]byte{0xff}, 199)...))
		})
		return m.packet()
	}, "found 75 and more"},
	{"MX at a long name", func(q Packet) []byte {
		m := begin(q)
		long := m.put(pointer(headerSize), dns.TypeCNAME, longName(0xff))
		m.fill(func(i int) {
			m.put(pointer(long), dns.TypeMX, append([]byte{0, 10, 2, 0x80 | byte(i>>6), 0x80 | byte(i)}, pointer(long+64)...))
		})
		return m.packet()
	}, "found 21 and more"},
	{"MX without names", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(headerSize), dns.TypeMX, []byte{0, 10}) })
		return m.packet()
	}, "found 0 and more"},
	{"MX with half a preference", func(q Packet) []byte {
		m := begin(q)
		m.put(pointer(headerSize), dns.TypeMX, []byte{0})
		return m.packet()
	}, "a mangled reply"},
	{"records without data", func(q Packet) []byte {
		m := begin(q)
		m.fill(func(int) { m.put(pointer(headerSize), qtypeOf(q), nil) })
		return m.packet()
	}, "found 0 and more"},
}

// TestHostileReplies: what is made of them, and how much memory that takes.
func TestHostileReplies(t *testing.T) {
	for _, test := range hostile {
		q := queryOf(t, new(dns.Msg).SetQuestion("1.2.0.192.in-addr.arpa.", test.qtype()))
		packet := test.packet(q)
		if got := made(packet, q); got != test.want {
			t.Errorf("%s: %s; want %s", test.name, got, test.want)
		}
		const most, times = 64 << 10, 10
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			made(packet, q)
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / times; got > most {
			t.Errorf("%s: %d bytes are allocated; want at most %d", test.name, got, most)
		}
	}
}

// made is what becomes of a reply, in words.
func made(packet []byte, q Packet) string {
	m, err := Parse(packet, q)
	if err != nil {
		return err.Error()
	}
	v, err := m.Read(NewChain("1.2.0.192.in-addr.arpa."))
	switch {
	case err != nil:
		text, _, _ := strings.Cut(err.Error(), " at ")
		return text
	case !v.Determined:
		return "query"
	case len(v.Records) == 0:
		return "none"
	}
	read := Names
	if qtypeOf(q) == dns.TypeTXT {
		read = Texts
	}
	names, _, more := read(v.Records)
	if more || len(v.Records) > MaxRecords {
		return fmt.Sprintf("found %d and more", len(names))
	}
	return fmt.Sprintf("found %d", len(names))
}

func BenchmarkHostileReply(b *testing.B) {
	for _, h := range hostile {
		q := queryOf(b, new(dns.Msg).SetQuestion("1.2.0.192.in-addr.arpa.", h.qtype()))
		packet := h.packet(q)
		b.Run(strings.ReplaceAll(h.name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			begin := processorTime(b)
			for b.Loop() {
				made(packet, q)
			}
			b.ReportMetric(float64((processorTime(b)-begin).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// processorTime is what this process has taken of processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkReply(b *testing.B) {
	m := replyOf(b, "ra", []string{"a.example.com. A 192.0.2.1"}, nil)
	m.Compress = true
	packet, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	q := queryOf(b, m)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Parse(packet, q)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Read(NewChain("a.example.com.")); err != nil {
			b.Fatal(err)
		}
	}
}

// composed is a reply that is put together byte by byte.
type composed struct {
	wire    []byte
	counts  [4]int
	section int // that records go to: 1 the answer
}

// begin is a reply to a query, without records.
func begin(q Packet) *composed {
	m := &composed{wire: append([]byte{}, q.Bytes[:headerSize]...), counts: [4]int{1}, section: 1}
	m.wire[2], m.wire[3] = 0x81, 0x80
	m.wire = append(m.wire, q.section()...)
	return m
}

// put appends a record and says where its data are.
func (m *composed) put(owner []byte, rtype uint16, data []byte) int {
	m.wire = append(m.wire, owner...)
	m.wire = binary.BigEndian.AppendUint16(m.wire, rtype)
	m.wire = binary.BigEndian.AppendUint16(m.wire, dns.ClassINET)
	m.wire = binary.BigEndian.AppendUint32(m.wire, 60)
	m.wire = binary.BigEndian.AppendUint16(m.wire, uint16(len(data)))
	at := len(m.wire)
	m.wire = append(m.wire, data...)
	m.counts[m.section]++
	return at
}

// fill appends until the message is full.
func (m *composed) fill(one func(i int)) {
	for i := 0; len(m.wire) < MaxSize-600; i++ {
		one(i)
	}
}

// chain appends as many aliases as are too many, the last first.
func (m *composed) chain() {
	name := func(i int) []byte { return []byte{1, byte('a' + i), 0} }
	for i := maxLinks; i > 0; i-- {
		m.put(name(i), dns.TypeCNAME, name(i+1))
	}
	m.put(pointer(headerSize), dns.TypeCNAME, name(1))
}

func (m *composed) packet() []byte {
	for i, n := range m.counts {
		binary.BigEndian.PutUint16(m.wire[4+2*i:], uint16(n))
	}
	return m.wire
}

func pointer(at int) []byte { return []byte{0xc0 | byte(at>>8), byte(at)} }

// longName is one of 255 bytes, in labels of 63.
func longName(c byte) []byte {
	var name []byte
	for _, n := range []int{63, 63, 63, 61} {
		name = append(append(name, byte(n)), bytes.Repeat([]byte{c}, n)...)
	}
	return append(name, 0)
}

// letters is a name of 255 bytes, in labels of one letter, the last of its own.
func letters(c, last byte) []byte {
	name := bytes.Repeat([]byte{1, c}, 127)
	name[len(name)-1] = last
	return append(name, 0)
}

// qtypeOf is the queried type.
func qtypeOf(p Packet) uint16 {
	qtype, _ := p.form()
	return qtype
}
