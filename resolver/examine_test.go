package resolver

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/resolver/world"
)

// examined is a recursive server on the loopback that says of itself what the
// test wants.
type examined struct {
	rcode     int
	recursive bool
	validates bool
	negative  []uint32 // seconds, answer by answer; the last goes on
	minimum   uint32   // of the SOA
	software  string
	noTCP     bool
}

// serve answers over UDP and, unless it has none, TCP on one port.
func (s *examined) serve(t *testing.T) netip.AddrPort {
	t.Helper()
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	servers := []*dns.Server{{PacketConn: pc, Handler: s}}
	if s.noTCP {
		l.Close()
	} else {
		servers = append(servers, &dns.Server{Listener: l, Handler: s})
	}
	for _, server := range servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		ended := make(chan error, 1)
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := server.Shutdown(); err != nil {
				t.Error(err)
			}
			<-ended
		})
	}
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// ServeDNS is called for one query after the other.
func (s *examined) ServeDNS(w dns.ResponseWriter, ask *dns.Msg) {
	reply := new(dns.Msg).SetRcode(ask, s.rcode)
	reply.RecursionAvailable = s.recursive
	reply.AuthenticatedData = s.validates && ask.AuthenticatedData
	switch ask.Question[0].Name {
	case missingName:
		reply.Rcode = dns.RcodeNameError
		if len(s.negative) > 0 {
			reply.Ns = []dns.RR{&dns.SOA{
				Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: s.negative[0]},
				Ns:  "a.example.", Mbox: "b.example.", Minttl: s.minimum,
			}}
			if len(s.negative) > 1 {
				s.negative = s.negative[1:]
			}
		}
	case softwareName:
		if s.software != "" {
			reply.Answer = []dns.RR{&dns.TXT{
				Hdr: dns.RR_Header{Name: softwareName, Rrtype: dns.TypeTXT, Class: dns.ClassCHAOS},
				Txt: []string{s.software},
			}}
		}
	}
	_ = w.WriteMsg(reply)
}

func TestExamine(t *testing.T) {
	const day = 86400
	for _, test := range []struct {
		name   string
		server examined
		want   Examination
		err    string
		tcp    bool // answers over TCP
	}{
		{
			"all is well",
			examined{recursive: true, validates: true, negative: []uint32{60}, minimum: day, software: "unbound 1.17.1"},
			Examination{Recursive: true, Validates: true, Negative: time.Minute, Software: "unbound 1.17.1"},
			"", true,
		},
		{
			// The limit shows in what the cache gives.
			"limit of the cache",
			examined{recursive: true, negative: []uint32{day, 3600}, minimum: day},
			Examination{Recursive: true, Negative: time.Hour},
			"", true,
		},
		{"the minimum counts", examined{negative: []uint32{day}, minimum: 900}, Examination{Negative: 15 * time.Minute}, "", true},
		{"no SOA", examined{}, Examination{}, "", true},
		{"no TCP", examined{noTCP: true}, Examination{}, "", false},
		{"hostile software", examined{software: "x\x1b[31m" + strings.Repeat("y", 100)}, Examination{Software: `x?[31m` + strings.Repeat("y", 54)}, "", true},
		{"refuses", examined{rcode: dns.RcodeRefused}, Examination{}, "REFUSED from", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr := test.server.serve(t)
			got := Examine(t.Context(), addr, 5*time.Second)
			if test.err != "" {
				if got.Err == nil || !strings.Contains(got.Err.Error(), test.err) {
					t.Errorf("Examine = %v; want an error with %q", got.Err, test.err)
				}
				return
			}
			if got.Err != nil || got.Took <= 0 || (got.TCPErr == nil) != test.tcp {
				t.Errorf("Examine: error %v, took %v, TCP %v; want none, some time, answered over TCP %v", got.Err, got.Took, got.TCPErr, test.tcp)
			}
			got.Took, got.TCPErr = 0, nil
			if got != test.want {
				t.Errorf("Examine = %+v; want %+v", got, test.want)
			}
		})
	}
}

// TestExamineNobody: where nobody listens, that is said.
func TestExamineNobody(t *testing.T) {
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	pc.Close()
	l.Close()
	if got := Examine(t.Context(), addr, time.Second); got.Err == nil || !strings.Contains(got.Err.Error(), "connection refused") {
		t.Errorf("Examine(%v) = %v; want connection refused", addr, got.Err)
	}
}
