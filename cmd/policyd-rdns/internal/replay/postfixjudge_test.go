package replay

import (
	"net/netip"
	"slices"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// someRules are rules that look at HELO names in every way.
var someRules = map[string]string{
	"built-in": "",
	"exempt first": `
default_rules = false
[[rule]]
name = "known HELO"
when = { helo_is = ["mail.example.org", "[203.0.113.13]"] }
action = "dunno"
[[rule]]
name = "generic HELO"
when = { helo_name = "generic", name = "generic" }
action = "defer"
[[rule]]
name = "no name"
when = { ptr = "none" }
unless = [{ helo = "match" }, { helo_form = "literal", client = "203.0.113.0/24" }]
action = "reject"
`,
	"exempt within": `
default_rules = false
[[rule]]
name = "not confirmed"
when = { fcrdns = ["none", "mismatch", "unresolved"] }
unless = { helo = ["match", "related"] }
action = "reject"
[[rule]]
name = "no host name"
when = { helo_form = ["unqualified", "bare_ip", "missing"] }
action = "defer"
`,
}

// TestPossible: whatever a client has said HELO, what becomes of it is among what
// is possible without knowing that; and what is possible is no more than that where
// no rule looks at HELO names.
func TestPossible(t *testing.T) {
	addr := netip.MustParseAddr("203.0.113.13")
	found := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{addr}}
	elsewhere := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	nowhere := resolver.Forward{Outcome: resolver.None}
	named := func(name string, forward resolver.Forward) policy.Facts {
		n := policy.NewName(name, addr)
		n.Forward = forward
		return policy.Facts{PTR: resolver.Found, Names: []policy.Name{n}}
	}
	clients := []policy.Facts{
		{PTR: resolver.None},
		named("mail.example.org", found), named("mail.example.org", elsewhere), named("mail.example.org", nowhere),
		named("ip-203-0-113-13.provider.example", found), named("ip-203-0-113-13.provider.example", nowhere),
	}
	helos := []string{
		"", "mail.example.org", "smtp.example.org", "mail.example.net", "ip-203-0-113-13.provider.example", "localhost",
		"ubuntu", "203.0.113.13", "[203.0.113.13]", "[198.51.100.1]", "bad_name!",
	}
	for name, text := range someRules {
		conf, err := config.Parse("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		rules := withoutObserved(conf.Rules)
		for i := range clients {
			q := policy.Request{Time: week.Begins, Client: addr, State: "RCPT", Sender: "a@example.org", Recipient: "b@example.com"}
			f := clients[i]
			f.HELO = policy.NewHELO("", addr)
			f, _ = f.Assumed()
			var may []policy.Action
			q.Unknown = policy.AttrHELO
			for _, d := range rules.Possible(&q, &f) {
				may = append(may, d.Action)
			}
			q.Unknown = 0
			for _, helo := range helos {
				for _, forward := range []resolver.Forward{found, elsewhere, nowhere} {
					q.HELO, f.HELO = helo, policy.NewHELO(helo, addr)
					f.HELO.Forward = forward
					d := rules.Judge(&q, &f)
					if d.Undetermined || !slices.Contains(may, d.Action) {
						t.Errorf("%s: client %d as %q: %v by %q; possible are %v", name, i, helo, d.Action, d.Rule, may)
					}
				}
			}
		}
	}
}
