package resolver

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// chainOf is the text of n aliases: c0.example.com, …, cN.example.com, which has
// the address.
func chainOf(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "c%d.example.com. CNAME c%d.example.com.\n", i, i+1)
	}
	fmt.Fprintf(&s, "c%d.example.com. A 192.0.2.1\n", n)
	return s.String()
}

// TestOutcomes: one server, one query.
func TestOutcomes(t *testing.T) {
	const (
		mail = "mail.example.com. A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR mail.example.com.\n"
		// The delegation of RFC 2317 section 4.
		classless = "1.2.0.192.in-addr.arpa. CNAME 1.0/25.2.0.192.in-addr.arpa.\n1.0/25.2.0.192.in-addr.arpa. PTR mail.example.com.\n"
		silence   = "temperror: no reply from 192.0.2.53:53 in 2s"
	)
	for _, test := range []struct {
		text, query, want string
		queried           int
	}{
		// Records.
		{mail, "PTR 192.0.2.1", "found mail.example.com", 1},
		{mail, "PTR ::ffff:192.0.2.1", "found mail.example.com", 1},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.example.com.", "PTR 2001:db8::1", "found mail.example.com", 1},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.example.com.", "PTR 2001:db8::1%eth0", "found mail.example.com", 1},
		{mail, "A mail.example.com", "found 192.0.2.1", 1},
		{mail, "A mail.example.com.", "found 192.0.2.1", 1},
		{mail, "A MAIL.Example.COM", "found 192.0.2.1", 1},
		{"MAIL.example.com. A 192.0.2.1", "A mail.example.com", "found 192.0.2.1", 1},
		{"mail.example.com. AAAA 2001:db8::1", "AAAA mail.example.com", "found 2001:db8::1", 1},
		{"mail.example.com. AAAA ::ffff:192.0.2.1", "AAAA mail.example.com", "found ::ffff:192.0.2.1", 1}, // is no A record
		{"1.2.0.192.in-addr.arpa. PTR MX.Example.COM.\n1.2.0.192.in-addr.arpa. PTR a.example.com.\n1.2.0.192.in-addr.arpa. PTR mx.example.com.", "PTR 192.0.2.1", "found mx.example.com a.example.com", 1},
		{"1.2.0.192.in-addr.arpa. PTR .", "PTR 192.0.2.1", "found .", 1},
		{`1.2.0.192.in-addr.arpa. PTR a\010b\.c\255.example.com.`, "PTR 192.0.2.1", `found a\010b\.c\255.example.com`, 1},
		{"localhost. A 192.0.2.1", "A localhost", "found 192.0.2.1", 1}, // absolute, no search list
		{`it\'s\@home.example. A 192.0.2.1`, "A it's@home.example", "found 192.0.2.1", 1},

		// "No".
		{"", "PTR 192.0.2.1", "none", 1},
		{mail, "AAAA mail.example.com", "none", 1},
		{"a.mail.example.com. A 192.0.2.1", "A mail.example.com", "none", 1},
		{"alias.example.com. CNAME mail.example.com.", "A alias.example.com", "none", 1},
		{mail + "alias.example.com. CNAME mail.example.com.", "AAAA alias.example.com", "none", 1},

		// Aliases.
		{classless, "PTR 192.0.2.1", "found mail.example.com", 1},
		{classless + "!nochase 1.2.0.192.in-addr.arpa", "PTR 192.0.2.1", "found mail.example.com", 2},
		{chainOf(8), "A c0.example.com", "found 192.0.2.1", 1},
		{chainOf(9), "A c0.example.com", `temperror: more than 8 CNAMEs at "c9.example.com."`, 1},
		{chainOf(8) + "!nochase *.example.com", "A c0.example.com", "found 192.0.2.1", 9},
		{chainOf(9) + "!nochase *.example.com", "A c0.example.com", `temperror: more than 8 CNAMEs at "c9.example.com."`, 9},
		{chainOf(8) + "!nochase c3.example.com", "A c0.example.com", "found 192.0.2.1", 1}, // only the name that was queried for
		{"a.example.com. CNAME b.example.com.\nB.example.com. CNAME A.example.com.", "A a.example.com", `temperror: CNAME loop at "a.example.com."`, 1},
		{"a.example.com. CNAME b.example.com.\nb.example.com. CNAME a.example.com.\n!nochase *", "A a.example.com", `temperror: CNAME loop at "a.example.com."`, 2},
		{"a.example.com. CNAME a.example.com.", "A a.example.com", `temperror: CNAME loop at "a.example.com."`, 1},
		{"a.example.com. CNAME mail.example.com.\n!nochase a.example.com\n!servfail mail.example.com", "A a.example.com", "temperror: SERVFAIL from 192.0.2.53:53", 2},
		{"a.example.com. CNAME mail.example.com.\n!nochase a.example.com", "A a.example.com", "none", 2},
		{mail + "a.example.com. CNAME mail.example.com.\n!nochase a.example.com", "AAAA a.example.com", "none", 2},

		// "Don't know".
		{mail + "!servfail mail.example.com", "A mail.example.com", "temperror: SERVFAIL from 192.0.2.53:53", 1},
		{mail + "!refused mail.example.com", "A mail.example.com", "temperror: REFUSED from 192.0.2.53:53", 1},
		{mail + "!rcode mail.example.com 9", "A mail.example.com", "temperror: NOTAUTH from 192.0.2.53:53", 1},
		{mail + "!rcode mail.example.com 12", "A mail.example.com", "temperror: RCODE12 from 192.0.2.53:53", 1},
		{mail + "!rcode mail.example.com 16", "A mail.example.com", "temperror: BADVERS from 192.0.2.53:53", 1},
		{mail + "!empty mail.example.com", "A mail.example.com", "temperror: lame reply from 192.0.2.53:53", 1},
		{mail + "!referral mail.example.com", "A mail.example.com", "temperror: referral from 192.0.2.53:53", 1},
		{mail + "!drop mail.example.com", "A mail.example.com", silence, 2},
		{mail + "!delay mail.example.com 2001ms", "A mail.example.com", silence, 2},
		{mail + "!delay mail.example.com 1999ms", "A mail.example.com", "found 192.0.2.1", 1},

		// No reply to us.
		{mail + "!wrongid mail.example.com", "A mail.example.com", silence + " (but a reply with another ID)", 2},
		{mail + "!wrongquestion mail.example.com", "A mail.example.com", silence + " (but a reply to another query)", 2},
		{mail + "!mangle mail.example.com", "A mail.example.com", silence + " (but a mangled reply)", 2},
		{mail + "!cut mail.example.com", "A mail.example.com", silence + " (but a mangled reply)", 2},
		{mail + "!cut *", "A nothing.example.com", silence + " (but a mangled reply)", 2},
		{mail + "!spoof mail.example.com", "A mail.example.com", "found 192.0.2.1", 1},
		{mail + "!spoof *\n!truncate *", "A mail.example.com", "found 192.0.2.1", 2},

		// TCP, EDNS.
		{mail + "!truncate mail.example.com", "A mail.example.com", "found 192.0.2.1", 2},
		{mail + "!truncateall mail.example.com", "A mail.example.com", "temperror: truncated over TCP from 192.0.2.53:53", 2},
		{mail + "!truncate *\n!delay * 1001ms", "A mail.example.com", silence, 4}, // one try is UDP and TCP together
		{mail + "!noedns mail.example.com", "A mail.example.com", "found 192.0.2.1", 2},
		{mail + "!noedns *\n!truncate *", "A mail.example.com", "found 192.0.2.1", 3},
		{mail + "!rcode mail.example.com 4", "A mail.example.com", "temperror: NOTIMP from 192.0.2.53:53", 2},
		{mail + "!rcode mail.example.com 1", "A mail.example.com", "temperror: FORMERR from 192.0.2.53:53", 2},

		// No queries.
		{mail, "A ", `temperror: "" is no domain name`, 0},
		{mail, "A .", `temperror: "." is no domain name`, 0},
		{mail, "A a..b", `temperror: "a..b" is no domain name`, 0},
		{mail, "A " + strings.Repeat("a", 64), `temperror: "` + strings.Repeat("a", 60) + `" is no domain name`, 0},
		{mail, "A " + strings.Repeat("a.", 128), `temperror: "` + strings.Repeat("a.", 30) + `" is no domain name`, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.text)
			if got := b.say(test.query, Options{}); got != test.want || b.queried() != test.queried {
				t.Errorf("%s of\n%s\n= %s, %d queries; want %s, %d", test.query, test.text, got, b.queried(), test.want, test.queried)
			}
		})
	}
}
