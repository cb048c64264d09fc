package hostname

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// neverGeneric are shapes of the outbound pools of mail services, whatever their numbers
// are: # stands for one each.
var neverGeneric = [...]string{
	"a#-#.smtp-out.region-#.example.com",
	"b#-#.smtp-out.example.com",
	"e#-#.smtp-out.example.com",
	"e#-#.example.com",
	"a#-#.example.com",
	"r#-#.example.com",
	"m#-#.example.com",
	"m#-#.mailgun.example",
	"rs#.mailgun.example",
	"so#-#.mailgun.example",
	"o#.ptr#.example.com",
	"o#.sg.example.com",
	"o#-#-#-#.outbound-mail.example.net",
	"out#-#-#-#.mail.example.com",
	"#-#-#-#.mail-mail.example.com",
	"biz-#-#-#-#.mail.example.com",
	"mta-#-#-#.sparkpost.example",
	"mta-#-#.flowmailer.example",
	"mail-ab#-f#.example.com",
	"mail-ab#-x#b.example.com",
	"mail#-#.suw#.example.com",
	"mail#.atl#.example.net",
	"mail-m#.xmail.example.com",
	"#a#-out.example.com",
	"#a-out.example.com",
	"ab#plout#-#.prod.sin#.example.net",
	"p#plsmtpa#-#.prod.phx#.example.net",
	"sonic#-#.consmr.mail.ne#.example.com",
	"sender#-g#-#.zohomail.example",
	"forward#o.mail.example.net",
	"smtp#-ab#-sp#.mta.example.com",
	"smtp#t#f#.saaspmta#.example.biz",
	"resqmta-a#p-#.sys.example.net",
	"pool-smtp-#-#.example.com",
	"static-mx-#-#-#-#.example.com",
	"#.mo#.mail-out.example.net",
	"outbound-ip#b.ess.example.com",
	"esa#.hc#-#.c#s#.example.com",
	"mx#-#.example.com",
	"edm#-#.example.com",
	"ab-#-snip#-#.eps.example.com",
}

// The numbers of such a pool may be parts of the client's address, in any place.
func TestNeverGeneric(t *testing.T) {
	numbers := [...]int{1, 7, 12, 45, 113, 250}
	for _, shape := range neverGeneric {
		parts := strings.Split(shape, "#")
		for from := range numbers {
			var name strings.Builder
			var shown []byte
			for i, part := range parts {
				name.WriteString(part)
				if i < len(parts)-1 {
					n := numbers[(from+i)%len(numbers)]
					name.WriteString(strconv.Itoa(n))
					shown = append(shown, byte(n))
				}
			}
			for _, client := range clientsOf(shown) {
				if v := Classify(name.String(), client); v.Generic {
					t.Errorf("Classify(%s, %v) = %v; want proper", name.String(), client, v)
				}
			}
		}
	}
}

// clientsOf are addresses that end with the numbers of a name, two of them or one.
func clientsOf(numbers []byte) []netip.Addr {
	all := []netip.Addr{{}, netip.MustParseAddr("2001:db8::25")}
	for i, n := range numbers {
		all = append(all, netip.AddrFrom4([4]byte{198, 51, 100, n}), netip.AddrFrom4([4]byte{n, 51, 100, 10}))
		if i > 0 {
			all = append(all, netip.AddrFrom4([4]byte{198, 51, numbers[i-1], n}), netip.AddrFrom4([4]byte{198, 51, n, numbers[i-1]}))
		}
		if i > 2 {
			all = append(all, netip.AddrFrom4([4]byte(numbers[i-3:i+1])))
		}
	}
	return all
}
