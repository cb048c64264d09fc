package spf

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/resolver"
)

func policy(name, text string) string { return name + ". TXT" + quoted([]string{text}) + "\n" }

// TestHostile: what whoever owns a domain can have us do is bounded, in messages, time
// and memory, and never ends in a pass.
func TestHostile(t *testing.T) {
	chain := func(n int) string {
		var s strings.Builder
		for i := range n {
			s.WriteString(policy(fmt.Sprintf("c%d.example.com", i), fmt.Sprintf("v=spf1 include:c%d.example.com -all", i+1)))
		}
		return s.String()
	}
	const most = 4 << 20 // bytes that one check allocates
	repeat := func(word string, n int) string { return strings.TrimSpace(strings.Repeat(word+" ", n)) }
	for _, test := range []struct {
		name, zone, want string
		messages         int
		took             time.Duration
	}{
		{"64 KiB", policy("example.com", "v=spf1 "+repeat("ip4:192.0.2.7", 4000)), "temperror", 2, 0},
		{"64 KiB of texts", "!huge example.com\nexample.com. TXT x\n", "temperror", 2, 0},
		{"300 texts beside it", policy("example.com", "v=spf1 ip4:192.0.2.7 -all") + "$GENERATE 1-300 example.com. TXT \"text $\"\n", "temperror", 2, 0},
		{"16 KiB of addresses", policy("example.com", "v=spf1 "+repeat("ip4:198.51.100.7", 960)+" -all"), "fail", 2, 0},
		{"16 KiB of a", policy("example.com", "v=spf1 "+repeat("a", 8000)), "permerror", 3, 0},
		{"16 KiB of modifiers", policy("example.com", "v=spf1 "+repeat("x=%{i}", 2300)+" -all"), "fail", 2, 0},
		{"16 KiB of macros", policy("example.com", "v=spf1 exists:"+strings.Repeat("%{l}", 4000)+".example.com -all"), "permerror", 2, 0},
		{"as many macros as may be", policy("example.com", "v=spf1 "+repeat("exists:"+strings.Repeat("%{s}", 125), 10)+" -all"), "permerror", 3, 0},
		{"a macro without an end", policy("example.com", "v=spf1 exists:%{l"+strings.Repeat("1", 10000)+" -all"), "permerror", 2, 0},
		{"a macro of many digits", policy("example.com", "v=spf1 exists:%{l"+strings.Repeat("1", 300)+"}.example.com -all"), "permerror", 1, 0},
		{"200 includes", policy("example.com", "v=spf1 "+strings.Join(strings.Fields(strings.Repeat("include:a.example.com ", 200)), " ")+" -all") + policy("a.example.com", "v=spf1 ?all"), "permerror", 3, 0},
		{"a chain of includes", policy("example.com", "v=spf1 include:c0.example.com -all") + chain(200), "permerror", 11, 0},
		{"a loop of includes", policy("example.com", "v=spf1 include:example.com"), "permerror", 1, 0},
		{"a loop of redirects", policy("example.com", "v=spf1 redirect=a.example.com") + policy("a.example.com", "v=spf1 redirect=example.com"), "permerror", 2, 0},
		{"a tree of includes", policy("example.com", "v=spf1 include:a.example.com include:a.example.com") + policy("a.example.com", "v=spf1 include:b.example.com include:b.example.com ?all") + policy("b.example.com", "v=spf1 include:c.example.com include:c.example.com ?all") + policy("c.example.com", "v=spf1 a a a ?all") + "c.example.com. A 198.51.100.1\n", "permerror", 5, 0},
		{"an explanation", policy("example.com", "v=spf1 exp=silent.example.com -all") + "!drop silent.example.com\n", "fail", 1, 0},
		{"aliases, one by one", policy("c8.example.com", "v=spf1 +all") + "example.com. CNAME c0.example.com.\n$GENERATE 0-7 c$.example.com. CNAME c${1,0,d}.example.com.\n!nochase *\n", "temperror", 9, 0},
		{"invalid UTF-8", policy("example.com", "v=spf1 ip4:192.0.2.7 x=\xff\xfe -all"), "permerror", 1, 0},
		{"a byte 0", policy("example.com", "v=spf1 ip4:192.0.2.7 a:\x00mail.example.com -all"), "permerror", 1, 0},
		{"a line", policy("example.com", "v=spf1 ip4:192.0.2.7\naction=OK"), "permerror", 1, 0},
		{"silence", "!drop *\n", "temperror", 2, 4 * time.Second},
		{"silence in the middle", policy("example.com", "v=spf1 a:a.silent.example a:b.silent.example a:c.silent.example -all") + "!drop *.silent.example\n", "temperror", 3, 4 * time.Second},
		{"slow", policy("example.com", "v=spf1 a:a.example.com a:b.example.com a:c.example.com a:d.example.com -all") + "!delay * 1900ms\n$GENERATE 1-2 a.example.com. A 198.51.100.$\n$GENERATE 1-2 b.example.com. A 198.51.100.$\n", "temperror", 3, 5 * time.Second},
	} {
		var r Result
		var took time.Duration
		var allocated uint64
		synctest.Test(t, func(t *testing.T) {
			dns := newDNS(t, test.zone)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			q := Query{Client: netip.MustParseAddr("192.0.2.7"), HELO: strings.Repeat("h.", 1000), Sender: strings.Repeat("s.", 1000) + "@example.com"}
			begin := time.Now()
			r = check(ctx, t, dns, q)
			took = time.Since(begin)
			// Once more, as far as it is from the cache.
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			check(ctx, t, dns, q)
			runtime.ReadMemStats(&after)
			allocated = after.TotalAlloc - before.TotalAlloc
			dns.Close()
		})
		if r.Code.String() != test.want || r.Messages != test.messages || took != test.took {
			t.Errorf("%s: %s, %d messages, %v; want %s, %d, %v", test.name, say(r), r.Messages, took, test.want, test.messages, test.took)
		}
		if len(r.Why) > 600 || len(r.By.String()) > 600 || slices.ContainsFunc([]byte(r.By.Term), func(c byte) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%s: %q by %q: too long, or not printable", test.name, r.Why, r.By)
		}
		if allocated > most {
			t.Errorf("%s: %d KiB are allocated; want at most %d", test.name, allocated>>10, most>>10)
		}
	}
}

// TestBudget: 20 messages, whoever is asked.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := policy("example.com", "v=spf1 mx:a.example.com mx:b.example.com -all")
		for i := range 10 {
			text += fmt.Sprintf("a.example.com. MX 1 x%d.example.com.\nb.example.com. MX 1 y%d.example.com.\nx%d.example.com. A 198.51.100.1\ny%d.example.com. A 192.0.2.7\n", i, i, i, i)
		}
		q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "alice@example.com"}
		dns := newDNS(t, text)
		r := check(t.Context(), t, dns, q)
		if got, want := say(r), "temperror by mx:b.example.com example.com: y7.example.com: more than 20 queries for one decision"; got != want || r.Messages != 20 || len(dns.Queries()) != 20 {
			t.Errorf("%s, %d messages, %d queries; want %s, 20, 20", got, r.Messages, len(dns.Queries()), want)
		}
		// What was learnt is in the cache, and the rest is within the next budget.
		if got, want := say(check(t.Context(), t, dns, q)), "own by mx:b.example.com example.com"; got != want {
			t.Errorf("again = %s; want %s", got, want)
		}
	})
}

// zoneOf is a DNS from a map: "TXT example.com" gives the texts of a record, other types
// addresses and names; none is there, or "!" what nobody can say.
type zoneOf map[string][]string

func (z zoneOf) answer(query string) (a resolver.Answer, words []string) {
	words, ok := z[query]
	switch {
	case !ok:
		return resolver.Answer{Outcome: resolver.None, TTL: time.Minute}, nil
	case len(words) == 1 && words[0] == "!":
		return resolver.Answer{Outcome: resolver.TempError, Err: resolver.ErrBusy}, nil
	}
	return resolver.Answer{Outcome: resolver.Found, TTL: time.Minute}, words
}

func (z zoneOf) LookupTXT(_ context.Context, name string, _ resolver.Options) resolver.Answer {
	a, words := z.answer("TXT " + name)
	a.Texts = words
	return a
}

func (z zoneOf) LookupMX(_ context.Context, name string, _ resolver.Options) resolver.Answer {
	a, words := z.answer("MX " + name)
	a.Names = words
	return a
}

func (z zoneOf) LookupAddrs(_ context.Context, network, name string, _ resolver.Options) resolver.Answer {
	a, words := z.answer(network + " " + name)
	for _, word := range words {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(word))
	}
	return a
}

func (z zoneOf) LookupPTR(context.Context, netip.Addr, resolver.Options) resolver.Answer {
	a, words := z.answer("PTR")
	a.Names = words
	return a
}

// TestOverload: trouble of our own is told apart.
func TestOverload(t *testing.T) {
	q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "alice@example.com"}
	r := Check(t.Context(), zoneOf{"TXT example.com": {"!"}}, q)
	if r.Code != TempError || !r.Overload || r.TTL != 0 {
		t.Errorf("no room = %+v; want temperror, and that it is our own", r)
	}
}

// FuzzRecord: whatever a domain and another publish, a check ends, within its lookups, and
// a pass is one of the library that names the client; one that is worth something is not
// by a term that names everybody.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"v=spf1 a mx ip4:192.0.2.0/24 include:other.example -all", "v=spf1 redirect=other.example", "v=spf1 +all", "v=spf1", "v=spf1 ?include:other.example ~all",
		"v=spf1 exists:%{ir}.%{v}.%{d2}.example.com ptr -all", "v=spf1 a:%{l1r-}.%{o}/12//29", "V=spf1 MX/0 EXP=x.example.com foo=%{s}", "v=spf1 ip6:2001:db8::/32 ip4:0.0.0.0/1",
		"v=spf1 a:example.com/24//64 moo", "v=spf1 ip4:192.0.2.7/032", "v=spf1 a:%%%_%-.example.com", "v=spf1 all all redirect=a.b redirect=c.d", "v=spf1  ip4:192.0.2.7  ", "v=spf1 a:\xff", "v=spf1 include:example.com",
	} {
		f.Add(text, "v=spf1 a ip4:192.0.2.7 ?all", "alice@example.com", "mail.example.org", true)
		f.Add("v=spf1 include:other.example -all", text, "a@b@example.com", "", false)
	}
	f.Fuzz(func(t *testing.T, one, other, sender, helo string, four bool) {
		q := Query{Client: netip.MustParseAddr("2001:db8::7"), HELO: helo, Sender: sender}
		if four {
			q.Client = netip.MustParseAddr("192.0.2.7")
		}
		domain := q.Domain()
		if domain == "" {
			return
		}
		zone := &counting{zoneOf: zoneOf{
			"TXT " + domain: {one}, "TXT other.example": {other}, "MX " + domain: {"mail.example", "."}, "PTR": {"mail.example", "a.b.example.com"},
			"ip4 " + domain: {"192.0.2.7"}, "ip6 " + domain: {"2001:db8::7"}, "ip4 mail.example": {"192.0.2.7", "198.51.100.1"}, "ip6 mail.example": {"2001:db8::7"},
			"ip4 example.com": {"192.0.2.7"}, "ip4 192.0.2.7.example.com": {"192.0.2.7"}, "ip4 busy.example": {"!"},
		}}
		r := check(t.Context(), t, zone, q)
		// 10 terms of 1 + 10 lookups, and the first.
		if r.Code == NotChecked || r.Code >= numCodes || zone.n > 111 {
			t.Errorf("%q, %q: %+v after %d lookups", one, other, r, zone.n)
		}
		if len(r.Why) > 600 || len(r.By.Term) > 255 || len(r.By.Domain) > maxName || slices.ContainsFunc([]byte(r.By.Term), func(c byte) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%q, %q: %+v: too long, or not printable", one, other, r)
		}
		_, errOne := parse(strings.TrimPrefix(one, version))
		_, errOther := parse(strings.TrimPrefix(other, version))
		name, _, _ := strings.Cut(strings.ToLower(r.By.Term), ":")
		name, _, _ = strings.Cut(name, "/")
		switch {
		case r.Code == Own || r.Code == Pass:
			if r.RFC != Pass || errOne != nil && isPolicy(one) && errOther != nil || !slices.Contains([]string{"a", "mx", "ip4", "ip6"}, name) {
				t.Errorf("%q, %q: %+v: want no pass", one, other, r)
			}
		case r.Code == Neutral && r.Why != "":
			if r.RFC != Pass || strings.HasPrefix(r.Why, "nobody") {
				t.Errorf("%q, %q: %+v: want it known what decided", one, other, r)
			}
		case r.Code != r.RFC:
			t.Errorf("%q, %q: %+v", one, other, r)
		}
	})
}

// counting counts lookups.
type counting struct {
	zoneOf
	n int
}

func (c *counting) LookupTXT(ctx context.Context, name string, o resolver.Options) resolver.Answer {
	c.n++
	return c.zoneOf.LookupTXT(ctx, name, o)
}

func (c *counting) LookupMX(ctx context.Context, name string, o resolver.Options) resolver.Answer {
	c.n++
	return c.zoneOf.LookupMX(ctx, name, o)
}

func (c *counting) LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer {
	c.n++
	return c.zoneOf.LookupAddrs(ctx, network, name, o)
}
