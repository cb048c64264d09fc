package world

import (
	"testing"

	"github.com/miekg/dns"
)

// TestHuge: it is a whole message, as large as one may be.
func TestHuge(t *testing.T) {
	for qtype, want := range map[uint16]string{dns.TypePTR: "PTR", dns.TypeA: "A", dns.TypeAAAA: "AAAA", dns.TypeTXT: "TXT", dns.TypeMX: "MX"} {
		packet, err := huge(new(dns.Msg).SetQuestion("mail.example.com.", qtype))
		if err != nil {
			t.Fatal(err)
		}
		var m dns.Msg
		if err := m.Unpack(packet); err != nil || len(packet) < maxHuge || len(packet) > dns.MaxMsgSize || len(m.Answer) < 2000 {
			t.Errorf("huge(%s): %d bytes, %d records, %v; want 64 KiB, thousands, and no error", want, len(packet), len(m.Answer), err)
			continue
		}
		if alias, ok := m.Answer[0].(*dns.CNAME); !ok || alias.Target != m.Answer[1].Header().Name || m.Answer[1].Header().Rrtype != qtype {
			t.Errorf("huge(%s) begins with %v and %v; want an alias and a record of it", want, m.Answer[0], m.Answer[1])
		}
	}
}
