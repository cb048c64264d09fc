package hostname

import (
	"bytes"
	"net/netip"
	"strings"
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

// longestNames are names of 253 bytes that take the most work of their kind.
func longestNames() map[string]string {
	names := map[string]string{
		"octets":   "2.0.1.8.",
		"digits":   "1a",
		"labels":   "1.a-1a.",
		"hex":      "20010db8ae539c0671aa322bd58994db80671aa322bd58994db80671aa322.",
		"zeros":    "000000000000000000000000000000000000000000000000000000000000.",
		"groups":   "2001-db8-ae-539c-671-aa32-2bd5-8994-db8-671-aa32-2bd5-8994.",
		"packed":   "203011310203011310203011310203011310203011310203011310203011.",
		"words":    "abcdefgh-ijklmnop-qrstuvwx-yzabcdef-ghijklmn-opqrstuv-wxyz.",
		"nibbles":  "8.b.d.0.1.0.0.2.",
		"alphabet": "1w7jr9qrv3wblaqd5l0r3o3k4-1w7jr9qrv3wblaqd5l0r3o3k4-1w7jr9qrv.",
	}
	const tail = "0.example.co.uk"
	for of, unit := range names {
		name := []byte(strings.Repeat(unit, maxName)[:maxName-len(tail)] + tail)
		for i := range name[:len(name)-len(tail)] {
			// No label is longer than there may be, and none ends with a hyphen.
			if end := bytes.LastIndexByte(name[:i], '.'); i-end > maxLabel || name[i] == '-' && name[i+1] == '.' {
				name[i] = '.'
			}
		}
		if end := len(name) - len(tail) - 1; name[end] == '.' || name[end] == '-' {
			name[end] = '0'
		}
		names[of] = string(name)
	}
	return names
}

// BenchmarkLongest is the worst case: it is to stay below 50 us.
func BenchmarkLongest(b *testing.B) {
	clients := map[string]netip.Addr{"4": netip.MustParseAddr("203.0.113.10"), "6": netip.MustParseAddr("2001:db8:ae:539c:671:aa32:2bd5:8994"), "zeros6": netip.MustParseAddr("2001:db8::")}
	for of, name := range longestNames() {
		for family, client := range clients {
			b.Run(of+family, func(b *testing.B) {
				if !Valid(name) || len(name) != maxName {
					b.Fatalf("%q is no name of %d bytes", name, maxName)
				}
				for b.Loop() {
					Classify(name, client)
				}
			})
		}
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
