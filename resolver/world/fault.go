package world

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// fault is one directive: which queries it is about, and what goes wrong.
type fault struct {
	kind  string
	name  string // folded
	under bool   // everything under name, not name itself; with ".", everything
	qtype uint16 // dns.TypeNone: every type
	rcode int
	delay time.Duration
	since time.Time // when it began
}

// parseFault reads a directive without its exclamation mark.
func parseFault(line string) (fault, error) {
	line, _, _ = strings.Cut(line, ";")
	words := strings.Fields(line)
	if len(words) < 2 {
		return fault{}, fmt.Errorf("!%.60s: want !directive NAME", strings.TrimSpace(line))
	}
	f := fault{kind: words[0], since: time.Now()}
	if err := f.setName(words[1]); err != nil {
		return fault{}, err
	}
	rest := words[2:]
	switch f.kind {
	case "servfail", "refused", "drop", "droptcp", "truncate", "truncateall", "wrongid", "wrongquestion",
		"mangle", "cut", "spoof", "double", "huge", "fold", "foreign", "nosoa", "empty", "referral", "nochase", "noedns":
	case "rcode", "flap", "delay", "drip":
		if len(rest) == 0 {
			return fault{}, fmt.Errorf("!%s %.60q: want a value after the name", f.kind, words[1])
		}
		if err := f.setValue(rest[0]); err != nil {
			return fault{}, err
		}
		rest = rest[1:]
	default:
		return fault{}, fmt.Errorf("unknown directive !%.60s", f.kind)
	}
	return f, f.setType(rest)
}

func (f *fault) setName(name string) error {
	if name == "*" {
		name = "*."
	}
	name, f.under = strings.CutPrefix(name, "*.")
	f.name = fold(name)
	if _, ok := dns.IsDomainName(f.name); !ok {
		return fmt.Errorf("!%s %.60q: want a domain name, *.zone or *", f.kind, name)
	}
	return nil
}

func (f *fault) setValue(value string) (err error) {
	if f.kind != "rcode" {
		f.delay, err = time.ParseDuration(value)
		if err != nil || f.delay < 0 || f.kind == "flap" && f.delay == 0 {
			return fmt.Errorf("!%s %.60q: want a duration such as 20ms", f.kind, value)
		}
		return nil
	}
	f.rcode, err = strconv.Atoi(value)
	if err != nil || f.rcode < 0 || f.rcode > dns.RcodeBadCookie {
		return fmt.Errorf("!rcode %.60q: want 0 to %d", value, dns.RcodeBadCookie)
	}
	return nil
}

func (f *fault) setType(words []string) error {
	if len(words) == 0 {
		return nil
	}
	t, ok := dns.StringToType[words[0]]
	if !ok || len(words) > 1 {
		return fmt.Errorf("!%s: %.60q: want a record type at the end, or nothing", f.kind, strings.Join(words, " "))
	}
	f.qtype = t
	return nil
}

// faultsOf are those that hold for a query.
func (z *zone) faultsOf(q dns.Question) []fault {
	var faults []fault
	for _, f := range z.faults {
		if f.qtype != dns.TypeNone && f.qtype != q.Qtype {
			continue
		}
		name := fold(q.Name)
		if name == f.name && !f.under || f.under && dns.IsSubDomain(f.name, name) && (name != f.name || name == ".") {
			faults = append(faults, f)
		}
	}
	return faults
}

// response is what becomes of the right reply.
type response struct {
	reply *dns.Msg
	delay time.Duration
	drip  time.Duration
	drop  bool
	form  string // the fault in how it is sent: mangle, cut, spoof, double, huge; or none
}

// spoil does to the reply what the directive says.
func (f *fault) spoil(r *response, query *dns.Msg, stream bool) {
	switch f.kind {
	case "servfail":
		bare(r.reply, dns.RcodeServerFailure)
	case "refused":
		bare(r.reply, dns.RcodeRefused)
	case "rcode":
		bare(r.reply, f.rcode)
	case "drop":
		r.drop = true
	case "droptcp":
		r.drop = r.drop || stream
	case "flap":
		r.drop = r.drop || time.Since(f.since)/f.delay%2 == 0
	case "delay":
		r.delay += f.delay
	case "drip":
		r.drip = f.delay
	case "truncate", "truncateall":
		if !stream || f.kind == "truncateall" {
			bare(r.reply, dns.RcodeSuccess)
			r.reply.Truncated = true
		}
	case "wrongid":
		r.reply.Id ^= 1
	case "wrongquestion":
		r.reply.Question = wrongQuestion(query)
	case "fold":
		for i := range r.reply.Question { // they are the query's
			r.reply.Question = slices.Clone(r.reply.Question)
			r.reply.Question[i].Name = fold(r.reply.Question[i].Name)
		}
	case "mangle", "cut", "spoof", "double", "huge":
		r.form = f.kind
	case "foreign":
		r.reply.Answer = append([]dns.RR{foreign(query)}, r.reply.Answer...)
	case "nosoa":
		r.reply.Ns = nil
	case "empty", "referral":
		bare(r.reply, dns.RcodeSuccess)
		r.reply.RecursionAvailable = false
		if f.kind == "referral" {
			r.reply.Ns = []dns.RR{&dns.NS{
				Hdr: dns.RR_Header{Name: query.Question[0].Name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 300},
				Ns:  "ns.invalid.",
			}}
		}
	case "noedns":
		if query.IsEdns0() != nil {
			bare(r.reply, dns.RcodeFormatError)
			r.reply.Extra = nil
		}
	}
}

// bare leaves no records of a reply but its OPT, which is none.
func bare(m *dns.Msg, rcode int) {
	m.Rcode, m.Answer, m.Ns = rcode, nil, nil
}

func wrongQuestion(query *dns.Msg) []dns.Question {
	return []dns.Question{{Name: "wrong.invalid.", Qtype: query.Question[0].Qtype, Qclass: dns.ClassINET}}
}

// foreign is a record of the type asked for, as far as we know that, and of
// another name.
func foreign(query *dns.Msg) dns.RR {
	h := dns.RR_Header{Name: "foreign.invalid.", Rrtype: query.Question[0].Qtype, Class: dns.ClassINET, Ttl: 300}
	switch h.Rrtype {
	case dns.TypePTR:
		return &dns.PTR{Hdr: h, Ptr: "foreign.invalid."}
	case dns.TypeA:
		return &dns.A{Hdr: h, A: net.IPv4(203, 0, 113, 99)}
	case dns.TypeTXT:
		return &dns.TXT{Hdr: h, Txt: []string{"foreign"}}
	case dns.TypeMX:
		return &dns.MX{Hdr: h, Preference: 1, Mx: "foreign.invalid."}
	}
	h.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: h, AAAA: net.ParseIP("2001:db8::99")}
}

// wire is what is sent, message by message.
func (r *response) wire(query *dns.Msg, stream bool) [][]byte {
	if r.drop {
		return nil
	}
	if r.form == "huge" && stream {
		packet, err := huge(query)
		if err != nil {
			return nil
		}
		return [][]byte{packet}
	}
	if r.form == "huge" {
		bare(r.reply, dns.RcodeSuccess)
		r.reply.Truncated = true
	}
	r.reply.Truncate(sizeFor(query, stream))
	right, err := r.reply.Pack()
	if err != nil {
		return nil
	}
	question := dns.Msg{Question: r.reply.Question}
	mangled, cut := right[:headerSize+2], right[:question.Len()]
	switch r.form {
	case "mangle":
		return [][]byte{mangled}
	case "cut":
		return [][]byte{cut}
	case "spoof":
		return append(lies(query), mangled, cut, right)
	case "double":
		return [][]byte{right, right}
	}
	return [][]byte{right}
}

// headerSize is that of a DNS message, in bytes: RFC 1035 section 4.1.1.
const headerSize = 12

// sizeFor is how much of a reply the one who asks can take: RFC 6891 section
// 6.2.3.
func sizeFor(query *dns.Msg, stream bool) int {
	if stream {
		return dns.MaxMsgSize
	}
	if opt := query.IsEdns0(); opt != nil {
		return max(int(opt.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}

// lies are what somebody sends who does not see the query: that the name does
// not exist, with the wrong ID and with the wrong query. Also the query
// itself, as a reflection of it.
func lies(query *dns.Msg) [][]byte {
	lie := new(dns.Msg).SetRcode(query, dns.RcodeNameError)
	lie.Id ^= 1
	stranger := new(dns.Msg).SetRcode(query, dns.RcodeNameError)
	stranger.Question = wrongQuestion(query)
	var wire [][]byte
	for _, m := range []*dns.Msg{lie, stranger, query} {
		if packet, err := m.Pack(); err == nil {
			wire = append(wire, packet)
		}
	}
	return wire
}
