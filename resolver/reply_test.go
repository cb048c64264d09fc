package resolver

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"policyd-rdns/resolver/internal/message"
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

// TestNoData: records that say nothing are no "no". RFC 2136 has such, with
// RDLENGTH 0, and the DNS library reads them everywhere.
func TestNoData(t *testing.T) {
	b := newBed(t, "")
	e := b.names.entry(addrKey{}, finding{outcome: Found, records: []message.Record{{}}})
	if e.outcome != TempError || e.why() != errEmpty {
		t.Errorf("entry of an empty PTR = %v, %v; want TempError, %v", e.outcome, e.why(), errEmpty)
	}
	hosts := b.hosts.entry(hostKey{}, finding{outcome: Found, records: []message.Record{{}}})
	if hosts.outcome != TempError || hosts.why() != errEmpty {
		t.Errorf("entry of an empty address = %v, %v; want TempError, %v", hosts.outcome, hosts.why(), errEmpty)
	}
}
