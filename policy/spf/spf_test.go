package spf

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy/address"
)

// check checks as Check does, and reports whether each record that was begun has ended.
func check(ctx context.Context, t *testing.T, dns DNS, q Query) Result {
	t.Helper()
	e := newEvaluation(dns, Query{Client: address.Plain(q.Client), HELO: q.HELO, Sender: q.Sender, MaxAge: q.MaxAge}, q.Domain())
	r := e.run(ctx)
	if len(e.frames) > 0 {
		t.Errorf("%+v: %d records are still being evaluated; has the library's trace changed?", q, len(e.frames))
	}
	return r
}

// TestGrade: what a pass is worth, and what decided.
func TestGrade(t *testing.T) {
	const (
		v4     = "192.0.2.7"
		v6     = "2001:db8::7"
		hosts  = "mail.example.com. A 192.0.2.7\nmail.example.com. AAAA 2001:db8::7\nexample.com. A 192.0.2.7\nexample.com. AAAA 2001:db8::7\nexample.com. MX 10 mail.example.com.\n"
		hoster = "_spf.hoster.example. TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 -all\"\n"
	)
	many := "v=spf1" // 32 networks of 2^16
	for i := range 32 {
		many += fmt.Sprintf(" ip4:10.%d.0.0/16", i)
	}
	for _, test := range []struct {
		policy string // of example.com
		zone   string
		client string
		want   string
	}{
		// The domain's own.
		{"v=spf1 a -all", hosts, v4, "own by a example.com"},
		{"v=spf1 a -all", hosts, v6, "own by a example.com"},
		{"v=spf1 mx -all", hosts, v4, "own by mx example.com"},
		{"v=spf1 mx -all", hosts, v6, "own by mx example.com"},
		{"v=spf1 +a:mail.example.com -all", hosts, v4, "own by a:mail.example.com example.com"},
		{"V=SPF1 IP4:192.0.2.7 -ALL", "", v4, "own by IP4:192.0.2.7 example.com"},
		{"v=spf1 ip4:192.0.2.0/24 -all", "", v4, "own by ip4:192.0.2.0/24 example.com"},
		{"v=spf1 ip6:2001:db8::/64 -all", "", v6, "own by ip6:2001:db8::/64 example.com"},
		{"v=spf1 a/24//64 -all", hosts, v4, "own by a/24//64 example.com"},
		{"v=spf1 a/24//64 -all", hosts, v6, "own by a/24//64 example.com"},
		{"v=spf1 ip4:192.0.2.7 -all", "", "::ffff:192.0.2.7", "own by ip4:192.0.2.7 example.com"},
		{"v=spf1 a:%{d} -all", hosts, v4, "own by a:%{d} example.com"},
		{"v=spf1 mx:%{o} -all", hosts, v4, "own by mx:%{o} example.com"},
		{"v=spf1 exp=explain.example.com future=%{i} a -all", hosts, v4, "own by a example.com"},
		{"v=spf1 include:_spf.example.com -all", "_spf.example.com. TXT \"v=spf1 ip4:192.0.2.7\"", v4, "own by ip4:192.0.2.7 _spf.example.com"},
		{"v=spf1 redirect=_spf.example.com", "_spf.example.com. TXT \"v=spf1 ip4:192.0.2.7\"", v4, "own by ip4:192.0.2.7 _spf.example.com"},
		{"v=spf1 include:_spf.hoster.example a -all", hosts + "_spf.hoster.example. TXT \"v=spf1 a:mail.example.com ?all\"\n!drop x", "198.51.100.7", "fail by all example.com"},
		{"v=spf1 include:_spf.hoster.example ip4:192.0.2.7 -all", "_spf.hoster.example. TXT \"v=spf1 -ip4:192.0.2.7 ?all\"", v4, "own by ip4:192.0.2.7 example.com"},

		// Another's, or a wider network.
		{"v=spf1 include:_spf.hoster.example -all", hoster, v4, "pass by ip4:192.0.2.0/24 _spf.hoster.example"},
		{"v=spf1 include:_spf.hoster.example -all", hoster, v6, "pass by ip6:2001:db8::/64 _spf.hoster.example"},
		{"v=spf1 redirect=_spf.hoster.example", hoster, v4, "pass by ip4:192.0.2.0/24 _spf.hoster.example"},
		{"v=spf1 include:_spf.hoster.example -all", hosts + "_spf.hoster.example. TXT \"v=spf1 include:_spf.example.com\"\n_spf.example.com. TXT \"v=spf1 a:mail.example.com\"", v4, "pass by a:mail.example.com _spf.example.com"},
		{"v=spf1 ip4:192.0.2.0/23 -all", "", v4, "pass by ip4:192.0.2.0/23 example.com"},
		{"v=spf1 ip4:192.0.2.0/12 -all", "", v4, "pass by ip4:192.0.2.0/12 example.com"},
		{"v=spf1 a/16 -all", hosts, v4, "pass by a/16 example.com"},
		{"v=spf1 a//63 -all", hosts, v6, "pass by a//63 example.com"},
		{"v=spf1 ip6:2001:db8::/29 -all", "", v6, "pass by ip6:2001:db8::/29 example.com"},
		// As Microsoft has it.
		{"v=spf1 ip4:192.0.0.0/14 ip4:198.50.0.0/15 ip4:40.107.0.0/16 -all", "", "192.3.2.1", "pass by ip4:192.0.0.0/14 example.com"},
		{many + " ip4:192.0.2.7 -all", "", "10.3.0.1", "neutral by ip4:10.3.0.0/16 example.com: a pass by a record that covers too many addresses"},
		{strings.Replace(many, " ip4:10.31.0.0/16", "", 1) + " -all", "", "10.3.0.1", "pass by ip4:10.3.0.0/16 example.com"},
		{strings.Replace(many, " ip4:10.31.0.0/16", " ip4:10.0.0.0/16 -ip4:10.31.0.0/16 ip4:10.0.0.0/20", 1) + " -all", "", "10.3.0.1", "pass by ip4:10.3.0.0/16 example.com"},

		// Everybody's.
		{"v=spf1 +all", "", v4, "neutral by all example.com: everybody may have a pass by such a term"},
		{"v=spf1 ?all", "", v4, "neutral by all example.com"},
		{"v=spf1 ptr -all", "7.2.0.192.in-addr.arpa. PTR mail.example.com.\n" + hosts, v4, "neutral by ptr example.com: everybody may have a pass by such a term"},
		{"v=spf1 ptr:example.com -all", "7.2.0.192.in-addr.arpa. PTR mail.example.com.\n" + hosts, v4, "neutral by ptr:example.com example.com: everybody may have a pass by such a term"},
		{"v=spf1 exists:mail.example.com -all", hosts, v4, "neutral by exists:mail.example.com example.com: everybody may have a pass by such a term"},
		{"v=spf1 exists:mail.example.com -all", "mail.example.com. A 192.0.2.99", v6, "neutral by exists:mail.example.com example.com: everybody may have a pass by such a term"},
		{"v=spf1 ip4:192.0.2.7/11 -all", "", v4, "neutral by ip4:192.0.2.7/11 example.com: a pass by too large a network"},
		{"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", "", v4, "neutral by ip4:128.0.0.0/1 example.com: a pass by too large a network"},
		{"v=spf1 a:mail.example.com/1 -all", hosts, v4, "neutral by a:mail.example.com/1 example.com: a pass by too large a network"},
		{"v=spf1 mx/0 -all", hosts, v4, "neutral by mx/0 example.com: a pass by too large a network"},
		{"v=spf1 a//28 -all", hosts, v6, "neutral by a//28 example.com: a pass by too large a network"},
		{"v=spf1 ip6:2000::/3 -all", "", v6, "neutral by ip6:2000::/3 example.com: a pass by too large a network"},
		{"v=spf1 ip6:::ffff:0:0/96 -all", "", v4, "fail by all example.com"}, // IPv6 is not IPv4 for being written so
		{"v=spf1 ip4:192.0.2.7 ip4:10.0.0.0/10 -all", "", v4, "neutral by ip4:192.0.2.7 example.com: a pass by a record that covers too many addresses"},
		{"v=spf1 ip4:192.0.2.7 a:mail.example.com/10 -all", hosts, v4, "neutral by ip4:192.0.2.7 example.com: a pass by a record that covers too many addresses"},
		{"v=spf1 a:pool.example.com/12 -all", "$GENERATE 1-9 pool.example.com. A $.16.0.1", "5.17.0.1", "neutral by a:pool.example.com/12 example.com: a pass by a record that covers too many addresses"},
		{"v=spf1 mx/12 -all", "$GENERATE 1-9 example.com. MX 10 mx$.example.com.\n$GENERATE 1-9 mx$.example.com. A $.16.0.1", "5.17.0.1", "neutral by mx/12 example.com: a pass by a record that covers too many addresses"},
		{"v=spf1 include:%{i}._spf.example.com -all", "192.0.2.7._spf.example.com. TXT \"v=spf1 ip4:192.0.2.7\"", v4, "neutral by ip4:192.0.2.7 192.0.2.7._spf.example.com: a pass by way of a macro, which may answer each client in its own way"},
		{"v=spf1 redirect=%{ir}.example.com", "7.2.0.192.example.com. TXT \"v=spf1 ip4:192.0.2.7\"", v4, "neutral by ip4:192.0.2.7 7.2.0.192.example.com: a pass by way of a macro, which may answer each client in its own way"},
		{"v=spf1 include:_spf.hoster.example -all", "_spf.hoster.example. TXT \"v=spf1 include:%{l}.hoster.example\"\nalice.hoster.example. TXT \"v=spf1 ip4:192.0.2.7\"", v4, "neutral by ip4:192.0.2.7 alice.hoster.example: a pass by way of a macro, which may answer each client in its own way"},
		{"v=spf1 a:%{h} -all", "helo.example.org. A 192.0.2.7", v4, "neutral by a:%{h} example.com: a pass by way of a macro, which may answer each client in its own way"},
		{"v=spf1 ?include:_spf.hoster.example -all", hoster, v4, "neutral by ip4:192.0.2.0/24 _spf.hoster.example"},

		// No pass.
		{"v=spf1 -ip4:192.0.2.0/24 +all", "", v4, "fail by ip4:192.0.2.0/24 example.com"},
		{"v=spf1 ~include:_spf.hoster.example +all", hoster, v4, "softfail by ip4:192.0.2.0/24 _spf.hoster.example"},
		{"v=spf1 ip4:198.51.100.1", "", v4, "neutral by default example.com"},
		{"v=spf1", "", v4, "neutral by default example.com"},
		{"v=spf1 ~all", "", v4, "softfail by all example.com"},
		{"v=spf10 +all", "", v4, "none by example.com"},
		{"v=spf1 mx -all", "example.com. MX 0 .", v4, "fail by all example.com"},

		// Policies that cannot be read, or take too much. The library passes the first three.
		{"v=spf1 ip4:192.0.2.7 moo -all", "", v4, `permerror by example.com: example.com: "moo": no mechanism, and no modifier`},
		{"v=spf1 ip4:192.0.2.7 redirect=", "", v4, `permerror by example.com: example.com: "redirect=": no domain`},
		{"v=spf1 ip4:192.0.2.0/024 -all", "", v4, `permerror by example.com: example.com: "ip4:192.0.2.0/024": /024: want /0 to /32`},
		{"v=spf1 ip4:192.0.2.7 a:mail.example.com/24/ -all", hosts, v4, `permerror by example.com: example.com: "a:mail.example.com/24/": /24/: want /0 to /32`},
		{"v=spf1 ip4:192.0.2.7 include:%{x}.example.com", "", v4, `permerror by example.com: example.com: "include:%{x}.example.com": no macro`},
		{"v=spf1 ip4:192.0.2.7 exp=a.example.com exp=b.example.com", "", v4, `permerror by example.com: example.com: "exp=b.example.com": a modifier that is there twice`},
		{"v=spf1 include:none.example.com a -all", hosts, v4, "permerror by include:none.example.com example.com: no DNS record found"},
		{"v=spf1 redirect=none.example.com", hosts, v4, "permerror by redirect=none.example.com example.com: no DNS record found"},
		{"v=spf1 include:example.com", "", v4, "permerror by include:example.com example.com: lookup limit reached"},
		{"v=spf1 a:a.example.com a:b.example.com a:c.example.com -all", "", v4, "permerror by a:c.example.com example.com: void lookup limit reached"},
		{"v=spf1 mx -all", "$GENERATE 1-11 example.com. MX 10 mx$.example.com.", v4, "permerror by mx example.com: too many MX records"},
		{"v=spf1 ip4:192.0.2.7 -all", "example.com. TXT \"v=spf1 -all\"", v4, "permerror by example.com: multiple matching DNS records"},

		// Nobody could say.
		{"v=spf1 a:broken.example.com ip4:192.0.2.7 -all", "!servfail broken.example.com", v4, "temperror by a:broken.example.com example.com: broken.example.com: SERVFAIL from 192.0.2.53:53"},
		{"v=spf1 include:silent.example.com -all", "!drop silent.example.com", v4, "temperror by include:silent.example.com example.com: silent.example.com: no reply from 192.0.2.53:53"},
		{"v=spf1 ip4:192.0.2.7 a:broken.example.com -all", "!servfail broken.example.com", v4, "own by ip4:192.0.2.7 example.com"},
		{"v=spf1 ptr ip4:192.0.2.7 -all", "!servfail *.arpa", v4, "own by ip4:192.0.2.7 example.com"},
		{"v=spf1 ptr -all", "!servfail *.arpa", v4, "temperror by all example.com: 192.0.2.7: SERVFAIL from 192.0.2.53:53"},
		{"v=spf1 ptr ~all", "!drop *.arpa", v4, "temperror by all example.com: 192.0.2.7: no reply from 192.0.2.53:53"},
		{"v=spf1 ptr", "!servfail *.arpa", v4, "temperror by default example.com: 192.0.2.7: SERVFAIL from 192.0.2.53:53"},
		{"v=spf1 ptr -ip4:192.0.2.7", "7.2.0.192.in-addr.arpa. PTR broken.example.com.\n!servfail broken.example.com", v4, "temperror by ip4:192.0.2.7 example.com: broken.example.com: SERVFAIL from 192.0.2.53:53"},
		{"v=spf1 ptr -all", "", v4, "fail by all example.com"},
		{"v=spf1 -all", "!truncateall example.com", v4, "temperror by example.com: example.com: truncated over TCP from 192.0.2.53:53"},
		{"v=spf1 a:loop.example.com -all", "loop.example.com. CNAME loop.example.com.", v4, `temperror by a:loop.example.com example.com: loop.example.com: CNAME loop at "loop.example.com."`},
	} {
		var r Result
		synctest.Test(t, func(t *testing.T) {
			dns := newDNS(t, "example.com. TXT"+quoted([]string{test.policy})+"\n"+test.zone)
			r = check(t.Context(), t, dns, Query{Client: netip.MustParseAddr(test.client), HELO: "helo.example.org", Sender: "alice@example.com"})
		})
		if got := say(r); got != test.want {
			t.Errorf("%.200q from %s = %s; want %s", test.policy, test.client, got, test.want)
		}
		if pass := r.Code == Own || r.Code == Pass || r.Code == Neutral && r.Why != ""; pass != (r.RFC == Pass) || !pass && r.Code != r.RFC {
			t.Errorf("%.200q: %v, by the RFC %v", test.policy, r.Code, r.RFC)
		}
	}
}

// say is a result in words: "own by a example.com", and why.
func say(r Result) string {
	s := r.Code.String() + " by " + r.By.String()
	for _, why := range r.Errors {
		s += ": " + why.String()
	}
	if r.Why != "" {
		s += ": " + r.Why
	}
	return s
}

// TestDomain: whose policy is checked, if anybody's.
func TestDomain(t *testing.T) {
	for _, test := range []struct{ sender, helo, want string }{
		{"alice@Example.COM", "mail.example.org", "example.com"},
		{"alice@example.com.", "mail.example.org", "example.com"},
		{"", "Mail.example.org", "mail.example.org"},
		{"", "[192.0.2.7]", ""},
		{"", "192.0.2.7", ""},
		{"", "2001:db8::7", ""},
		{"", "localhost", ""},
		{"", "", ""},
		{"alice", "mail.example.org", ""},
		{"@example.com", "mail.example.org", "example.com"},
		{`"a@b"@example.com`, "", "example.com"},
		{"alice@[192.0.2.7]", "mail.example.org", ""},
		{"alice@localhost", "", ""},
		{"alice@a..example.com", "", ""},
		{"alice@_a.example.com", "", "_a.example.com"},
		{"alice@" + strings.Repeat("a", 64) + ".example.com", "", ""},
		{"alice@" + strings.Repeat("a.", 130) + "example.com", "", ""},
		{"alice@bücher.example", "", "xn--bcher-kva.example"},
	} {
		q := Query{HELO: test.helo, Sender: test.sender}
		if got := q.Domain(); got != test.want {
			t.Errorf("Domain of %q, %q = %q; want %q", test.sender, test.helo, got, test.want)
		}
		if test.want == "" {
			q.Client = netip.MustParseAddr("192.0.2.7")
			if r := Check(t.Context(), nil, q); r.Code != None {
				t.Errorf("%q, %q = %v; want none, and nothing asked", test.sender, test.helo, r.Code)
			}
		}
	}
}

// TestSender: what macros get of a sender that is none of the usual.
func TestSender(t *testing.T) {
	label := func(c string) string { return strings.Repeat(c, 60) + "." }
	for _, test := range []struct{ sender, name string }{
		{"alice@example.com", "alice.x.example.com"},
		{"", "postmaster.x.example.com"},
		{"@example.com", "postmaster.x.example.com"},
		{`a@b@example.com`, "a=b.x.example.com"},
		{strings.Repeat("a", 40) + "." + strings.Repeat("b", 30) + "@example.com", strings.Repeat("a", 40) + "." + strings.Repeat("b", 23) + ".x.example.com"},
		{strings.Repeat("a.", 40) + "@example.com", strings.Repeat("a.", 32) + "x.example.com"},
	} {
		var queries []string
		var r Result
		synctest.Test(t, func(t *testing.T) {
			dns := newDNS(t, "example.com. TXT \"v=spf1 exists:%{l}.x.example.com exists:%{h}.x.example.com -all\"")
			helo := "example.com"
			if test.sender != "" {
				helo = label("z") + label("a") + label("b") + label("c") + strings.TrimSuffix(label("d"), ".")
			}
			r = Check(t.Context(), dns, Query{Client: netip.MustParseAddr("192.0.2.7"), HELO: helo, Sender: test.sender})
			queries = dns.Queries()
		})
		// What is too long loses labels at its beginning: RFC 7208 section 7.3.
		helo := label("b") + label("c") + label("d") + "x.example.com"
		if test.sender == "" {
			helo = "example.com.x.example.com"
		}
		if len(queries) != 3 || queries[1] != "A "+test.name || queries[2] != "A "+helo || !r.Personal {
			t.Errorf("%q queried %q, personal %v; want A %s, A %s, and that it is", test.sender, queries, r.Personal, test.name, helo)
		}
	}
}

// TestRestsOn: how long a result holds, how old it is, and what it cost.
func TestRestsOn(t *testing.T) {
	const zone = `
example.com.      3600 TXT "v=spf1 include:_spf.example.com mx:none.example.com a:mail.example.com -all"
_spf.example.com.  900 TXT "v=spf1 ip4:198.51.100.1 -all"
mail.example.com.  600 A 192.0.2.7
`
	synctest.Test(t, func(t *testing.T) {
		dns := newDNS(t, zone)
		q := Query{Client: netip.MustParseAddr("192.0.2.7"), HELO: "mail.example.com", Sender: "alice@example.com"}
		for i, s := range []struct {
			after    time.Duration
			zone     string
			maxAge   time.Duration
			want     string
			ttl, age time.Duration
			messages int
			cached   bool
		}{
			{0, zone, 0, "own", time.Minute, 0, 4, false}, // of "no such MX"
			{30 * time.Second, zone, 0, "own", 30 * time.Second, 30 * time.Second, 0, true},
			{31 * time.Second, zone, 0, "own", time.Minute, 61 * time.Second, 1, false},
			{30 * time.Second, zone, time.Minute, "own", 30 * time.Second, 30 * time.Second, 3, false},
			{0, zone, time.Minute, "own", 30 * time.Second, 30 * time.Second, 0, true},
			{2 * time.Minute, "!servfail *", time.Minute, "temperror", 0, 0, 1, false},
			{0, zone, time.Minute, "temperror", 0, 0, 0, false}, // not again for a minute
		} {
			time.Sleep(s.after)
			if err := dns.Set(s.zone); err != nil {
				t.Fatal(err)
			}
			q.MaxAge = s.maxAge
			r := check(t.Context(), t, dns, q)
			if r.Code.String() != s.want || r.TTL != s.ttl || r.Age != s.age || r.Messages != s.messages || r.Cached != s.cached {
				t.Errorf("step %d = %+v; want %+v", i, r, s)
			}
		}
	})
}
