package hostname

import (
	"net/netip"
	"testing"
)

// benchNames are names as they come in: chosen ones, pools of mail services,
// lines, and hard ones.
var benchNames = [...]struct{ client, name string }{
	{"203.0.113.10", "mail.example.com"},
	{"203.0.113.10", "mx1.example.org"},
	{"203.0.113.10", "smtp-out-3.eu.mail.example.net"},
	{"203.0.113.10", "a113-10.smtp-out.us-west-2.example.com"},
	{"203.0.113.10", "203-0-113-10.mail-mail.example.com"},
	{"203.0.113.10", "zeus.cs.example.edu"},
	{"203.0.113.10", "203-0-113-10.dsl.dyn.example.net"},
	{"203.0.113.10", "static.10.113.0.203.clients.example.com"},
	{"203.0.113.10", "pcb00710a.dip0.example.net"},
	{"203.0.113.10", "vps-4650336.example.com"},
	{"2001:db8::25", "mail-lj1-x22b.example.com"},
	{"2001:db8:4101:21d:21b:78ff:fe9a:2881", "p20010db84101021d021b78fffe9a2881.dip0.example.net"},
}

func BenchmarkClassify(b *testing.B) {
	for _, n := range benchNames {
		client := netip.MustParseAddr(n.client)
		b.Run(n.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Classify(n.name, client)
			}
		})
	}
}

// BenchmarkCorpus is the mean over names that are not in any cache.
func BenchmarkCorpus(b *testing.B) {
	names := readCorpus(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Classify(names[i].name, names[i].client)
		if i++; i == len(names) {
			i = 0
		}
	}
}

// Names that are proper, by far the most, cost no garbage, whatever speaks for
// and against them.
func TestClassifyAllocs(t *testing.T) {
	clients := [...]netip.Addr{netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:1::21b:78ff:fe9a:2881"), {}}
	for _, name := range []string{
		"mail.example.com",
		"MX1.Example.COM.",
		"mail.example.co.uk",
		"zeus.cs.example.edu",
		"web10.example.jp",
		"a113-10.smtp-out.us-west-2.example.com",
		"203-0-113-10.mail-mail.example.com",
		"mail-11310.example.ch",
		"mail-lj1-x22b.example.com",
		"mta-021b78fffe9a2881.example.com",
		"m203011310.mailblue-example.com",
		"vm135127.mail.example.net",
		"example.com",
		"localhost",
		"not a name",
	} {
		for _, client := range clients {
			if v := Classify(name, client); v.Generic {
				t.Errorf("Classify(%s, %v) = %v; want proper", name, client, v)
			}
			if n := testing.AllocsPerRun(100, func() { Classify(name, client) }); n != 0 {
				t.Errorf("Classify(%s, %v) allocates %v times; want 0", name, client, n)
			}
		}
	}
}
