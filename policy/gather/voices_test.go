package gather_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// vouchedFor are what a domain says of a host on its provider's name, in records of the
// zones that are beside it, and what becomes of the host.
var vouchedFor = []struct{ name, zone, want string }{
	{"names it", `example.org. TXT "v=spf1 ip4:203.0.113.10 -all"`, "own"},
	{"names its mail host", `example.org. TXT "v=spf1 a:mail.example.org -all"
mail.example.org. A 203.0.113.10`, "match"}, // and so is HELO its own
	{"names the host of its MX", `example.org. TXT "v=spf1 mx -all"
example.org. MX 10 relay.example.org.
relay.example.org. A 203.0.113.10`, "own"},
	{"names its /24", `example.org. TXT "v=spf1 ip4:203.0.113.0/24 -all"`, "own"},
	{"includes its own organisation", `example.org. TXT "v=spf1 include:_spf.example.org -all"
_spf.example.org. TXT "v=spf1 ip4:203.0.113.10 -all"`, "own"},
	{"includes its hoster", `example.org. TXT "v=spf1 include:hoster.example -all"
hoster.example. TXT "v=spf1 ip4:203.0.113.0/24 -all"`, "refused"},
	{"is sent to its hoster", `example.org. TXT "v=spf1 redirect=hoster.example"
hoster.example. TXT "v=spf1 ip4:203.0.113.0/24 -all"`, "refused"},
	{"says exists", `example.org. TXT "v=spf1 exists:%{i}.ok.example.org -all"
203.0.113.10.ok.example.org. A 127.0.0.2`, "refused"},
	{"has half of all addresses", `example.org. TXT "v=spf1 a:half.example.org/1 -all"
half.example.org. A 203.0.113.99`, "refused"},
	{"has all in two halves", `example.org. TXT "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"`, "refused"},
	{"does not say", `example.org. TXT "v=spf1 ?all"`, "refused"},
	{"says yes to all", `example.org. TXT "v=spf1 +all"`, "refused"},
	{"has a large hoster's networks", `example.org. TXT "v=spf1 ip4:203.0.0.0/14 ip4:198.50.0.0/15 -all"`, "refused"},
	{"says nothing", `example.org. TXT "no policy"`, "refused"},
	{"is not there", ``, "refused"},
	{"says two things", `example.org. TXT "v=spf1 ip4:203.0.113.10 -all"
example.org. TXT "v=spf1 ip4:203.0.113.0/24 -all"`, "refused"},
	{"does not send", `example.org. TXT "v=spf1 mx -all"
example.org. MX 0 .`, "refused"},
	{"has itself within itself", `example.org. TXT "v=spf1 include:example.org ip4:203.0.113.10 -all"`, "refused"},
	{"cannot be asked", `!servfail example.org`, "deferred"},
	{"is silent", `!drop example.org`, "deferred"},
}

// TestVouchedFor: a host with a generic name and a HELO that is nobody's is refused, but
// for one that the domain of the sender names itself.
func TestVouchedFor(t *testing.T) {
	wants := map[string]string{
		"own":      "defer (generic name, vouched for), would reject (generic name, foreign HELO)",
		"match":    "dunno",
		"refused":  "reject (generic name, foreign HELO)",
		"deferred": "defer (generic name, foreign HELO), downgraded",
	}
	for _, tt := range vouchedFor {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t, `10.113.0.203.in-addr.arpa. PTR ip-203-0-113-10.example.net.
ip-203-0-113-10.example.net. A 203.0.113.10
`+tt.zone)
				r, ok := h.g.DNS.(*resolver.Resolver)
				if !ok {
					t.Fatal("no resolver")
				}
				h.g.SPF = &spf.Checker{DNS: r, Cache: spf.NewCache(100, nil)}
				client := "203.0.113.10 helo:mail.example.org from:<user@example.org> to:b@example.com"
				for _, when := range []string{"first", "from the cache"} {
					h.judge(when, client, wants[tt.want])
					time.Sleep(10 * time.Second) // of the bubble
				}
			})
		})
	}
}

// TestForgedSender: whom SPF speaks against has passed all the same, and makes the domain
// that he used no better known.
func TestForgedSender(t *testing.T) {
	for want, record := range map[string]string{"": "v=spf1 -all", "example.org": "v=spf1 ip4:203.0.113.20 -all"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, `20.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 203.0.113.20
example.org. TXT "`+record+`"`)
			r, ok := h.g.DNS.(*resolver.Resolver)
			if !ok {
				t.Fatal("no resolver")
			}
			h.g.SPF = &spf.Checker{DNS: r, Cache: spf.NewCache(100, nil)}
			h.g.History = history.New(history.Options{Settings: history.Settings{Delay: time.Minute, Window: time.Hour, Keep: time.Hour}, Entries: 100})
			watch, err := cases.Rule("watch: reject observe when history=new spf=fail")
			if err != nil {
				t.Fatal(err)
			}
			h.rules.List = []policy.Rule{watch}
			e, err := cases.Client("203.0.113.20 helo:mail.example.com from:<user@example.org> to:b@example.com")
			if err != nil {
				t.Fatal(err)
			}
			e.Req.Time = time.Now()
			var f policy.Facts
			if d := h.g.Decide(t.Context(), &e.Req, &h.rules, &f); d.Noted&policy.NotedPass == 0 || f.Parties.Sender != want {
				t.Errorf("%s: %s; the sender's party is %q; want a pass, and %q", record, cases.Told(d), f.Parties.Sender, want)
			}
		})
	}
}
