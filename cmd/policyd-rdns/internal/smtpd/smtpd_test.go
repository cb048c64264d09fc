package smtpd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy/address"
)

// config is one of a test: lines of main.cf, without names to expand.
func config(main string, tables map[string]string) *Config {
	values := map[string]string{}
	for _, line := range LogicalLines(main) {
		name, value, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return &Config{
		Param: func(name string) string { return values[name] },
		Table: func(name string) (string, bool) { text, ok := tables[name]; return text, ok },
	}
}

// host is a stranger of the tests.
func host() *Stranger {
	return &Stranger{
		Addr: netip.MustParseAddr("203.0.113.10"), Name: "mail.example.net", HELO: "mail.example.net",
		Sender: "user@example.net", Recipient: "someone@example.com",
	}
}

// TestWalk: what one restriction does with a stranger, and what is said of it.
// The rows that a real Postfix can be asked about are asked in the program's tests
// too.
func TestWalk(t *testing.T) {
	const main = `mynetworks = 127.0.0.0/8 !192.0.2.1 192.0.2.0/24
smtpd_restriction_classes = all some loop
all = reject_non_fqdn_sender, permit
some = check_policy_service inet:127.0.0.1:10040
loop = loop, all
`
	tables := map[string]string{
		"cidr:/c": "# bogons\n10.0.0.0/8 REJECT\n203.0.113.0/24\n  OK\n", "cidr:/if": "if 203.0.113.0/24\n0.0.0.0/0 OK\nendif\n",
		"hash:/h": "example.net\tREJECT no\n.example.org OK\n", "regexp:/r": "/^mail/ OK\n/[/ broken\n", "regexp:/p": "/(?<=x)/ OK\n",
		"pcre:/p": "!/example\\.net$/i DUNNO\n/^mail\\./ 550 no\n",
	}
	for _, test := range []struct {
		stage, list string
		want        string // result by undetermined
	}{
		{"recipient", "permit", "permit by permit"},
		{"recipient", "PERMIT", "permit by PERMIT"},
		{"recipient", "reject_unauth_destination reject_rbl_client bl.example.org sleep 1", "dunno"},
		{"recipient", "warn_if_reject permit_auth_destination", "permit by permit_auth_destination"},
		{"recipient", "warn_if_reject reject, reject", "refuse by reject"},
		{"recipient", "warn_if_reject warn_if_reject all", "permit by permit"},
		{"recipient", "loop", "permit by permit"},
		{"recipient", "permit_mynetworks", "dunno"},
		{"recipient", "check_policy_service inet:127.0.0.1:10023 check_policy_service { unix:private/p, timeout=1s }", "dunno calls inet:127.0.0.1:10023, { unix:private/p, timeout=1s }"},
		{"recipient", "some all", "permit by permit calls inet:127.0.0.1:10040"},
		{"recipient", "timeout=10s", "broken by timeout=10s"},
		{"recipient", "policyd", "broken by policyd"},
		{"recipient", "reject_unauth_destinations", "broken by reject_unauth_destinations"},
		{"recipient", "warn_if_reject policyd", "broken by policyd"},
		{"recipient", "permit_mynetworks; permit", "broken by permit_mynetworks;"},
		{"recipient", "inet:127.0.0.1:10040", "broken by inet:127.0.0.1:10040"},
		{"recipient", "check_policy_service=inet:127.0.0.1:10040", "broken by check_policy_service=inet:127.0.0.1:10040"},
		{"recipient", "check_clients_access hash:/t", "broken by check_clients_access hash:/t"},
		{"recipient", "check_client_access static:OK", "permit by check_client_access static:OK"},
		{"recipient", "check_client_access static:all", "permit by permit"},
		{"recipient", "check_client_access static:some", "dunno calls inet:127.0.0.1:10040"},
		{"recipient", "check_client_access proxy:static:OK", "permit by check_client_access proxy:static:OK"},
		{"recipient", "check_client_access static:cidr:/c", "broken by check_client_access static:cidr:/c"},
		{"recipient", "check_client_access static:{all, reject}", "permit by permit"},
		{"recipient", "check_client_access {static:OK}", "broken by check_client_access {static:OK}"},
		{"recipient", "check_client_access all", "broken by check_client_access all"},
		{"recipient", "check_client_access cidr:/c", "permit by check_client_access cidr:/c"},
		{"recipient", "check_client_access cidr:/if", "dunno undetermined check_client_access cidr:/if"},
		{"recipient", "check_client_access cidr:/unread", "dunno undetermined check_client_access cidr:/unread"},
		{"recipient", "check_client_access ldap:clients", "dunno undetermined check_client_access ldap:clients"},
		{"recipient", "check_client_access hash:/h", "refuse by check_client_access hash:/h"},
		{"recipient", "check_client_access inline:{203.0.113=OK}", "permit by check_client_access inline:{203.0.113=OK}"},
		{"recipient", "check_sender_access hash:/h", "refuse by check_sender_access hash:/h"},
		{"recipient", "check_sender_access inline:{user@ = OK}", "dunno"}, // Postfix has it as three entries, all wrong
		{"recipient", "check_sender_access inline:{{user@ = OK}}", "permit by check_sender_access inline:{{user@ = OK}}"},
		{"recipient", "check_helo_access regexp:/r", "dunno undetermined check_helo_access regexp:/r"},
		{"recipient", "check_helo_access regexp:/p", "dunno undetermined check_helo_access regexp:/p"},
		{"recipient", "check_helo_access pcre:/p", "refuse by check_helo_access pcre:/p"},
		{"recipient", "check_sender_mx_access static:OK", "broken by check_sender_mx_access static:OK"},
		{"recipient", "check_sender_mx_access cidr:/c", "dunno undetermined check_sender_mx_access cidr:/c"},
		{"recipient", "check_ccert_access static:OK check_sasl_access static:OK", "dunno"},
		{"recipient", "static:OK", "permit by static:OK"},
		{"data", "static:OK", "broken by static:OK"},
		{"client", "permit_auth_destination", "permit by permit_auth_destination"},
	} {
		c := config(main, tables)
		trace := c.Walk(test.stage, Units(test.list), host())
		if got := said(&trace); got != test.want {
			t.Errorf("Walk(%s, %q) = %s; want %s", test.stage, test.list, got, test.want)
		}
	}
	early := config("smtpd_delay_reject = no", nil)
	if got := early.Walk("client", Units("permit_auth_destination check_recipient_access static:OK"), host()); got.Result != Dunno {
		t.Errorf("Walk before the recipient is known = %s; want dunno", said(&got))
	}
}

// said is a trace in words.
func said(t *Trace) string {
	text := [...]string{"dunno", "permit", "refuse", "discard", "broken"}[t.Result]
	if t.By != "" {
		text += " by " + t.By
	}
	if len(t.Calls) > 0 {
		text += " calls " + strings.Join(t.Calls, ", ")
	}
	if len(t.Undetermined) > 0 {
		text += " undetermined " + strings.Join(t.Undetermined, ", ")
	}
	return text
}

// TestTrusts: in mynetworks the first entry that holds an address decides.
func TestTrusts(t *testing.T) {
	c := config("mynetworks = !192.0.2.1 192.0.2.0/24, [2001:db8::]/32 hash:/more", nil)
	for _, test := range []struct {
		addr string
		want Result
	}{
		{"192.0.2.1", Dunno},
		{"192.0.2.2", Permit},
		{"2001:db8::1", Permit},
		{"203.0.113.10", Dunno},
	} {
		s := host()
		s.Addr = netip.MustParseAddr(test.addr)
		if got := c.Walk("recipient", Units("permit_mynetworks"), s); got.Result != test.want {
			t.Errorf("permit_mynetworks of %s = %s; want %v", test.addr, said(&got), test.want)
		}
	}
}

// TestStrangers: the sample is of public addresses of both families, spread over
// all of them.
func TestStrangers(t *testing.T) {
	var four, six int
	seen := map[netip.Prefix]bool{}
	for _, s := range Strangers("example.com") {
		bits := 8
		if s.Addr.Is4() {
			four++
		} else {
			six, bits = six+1, 16
		}
		p, _ := s.Addr.Prefix(bits)
		if seen[p] || !address.Public(netip.PrefixFrom(s.Addr, s.Addr.BitLen())) || s.Recipient != "someone@example.com" {
			t.Errorf("%+v: want a public address in a network of its own, and our domain", s)
		}
		seen[p] = true
	}
	if four < 40 || six < 10 {
		t.Errorf("%d and %d strangers; want enough of both families", four, six)
	}
}

// FuzzWalk: whatever main.cf and its tables say is gone through, in bounded time,
// and what ended it is a unit of the list.
func FuzzWalk(f *testing.F) {
	f.Add("permit_mynetworks, check_client_access cidr:/t, a permit", "smtpd_restriction_classes = a b\na = b b\nb = a a\n", "0.0.0.0/0 OK\n")
	f.Add("check_sender_access regexp:/t", "mynetworks = 0.0.0.0/0 ![::1]\n", "!/a{2,1000}/x OK\n/[/ NO\n/\nif /x/\n")
	f.Add("check_recipient_access inline:{{a = b} c=d {}} static:{ warn_if_reject", "smtpd_restriction_classes=warn_if_reject\nwarn_if_reject=warn_if_reject x", "a\n b\n")
	f.Add("hash:/t check_helo_access hash:/t", "smtpd_restriction_classes = x\nx=hash:/t", "mail x,x,x\nexample.net\tx x\n")
	f.Fuzz(func(t *testing.T, list, main, text string) {
		c := config(main, map[string]string{"cidr:/t": text, "regexp:/t": text, "hash:/t": text})
		units := Units(list)
		trace := c.Walk("recipient", units, host())
		if trace.Result == Dunno != (trace.Unit == -1) || trace.Unit >= len(units) {
			t.Fatalf("Walk(%q) = %+v of %d units", list, trace, len(units))
		}
		c.GuardsRelay(units)
	})
}

// BenchmarkStrangers is what one domain at one service costs, with a table of a
// thousand patterns.
func BenchmarkStrangers(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "/^[0-9]+-[0-9]+\\.pool%d\\.example\\.org$/ REJECT\n", i)
	}
	list := Units("permit_mynetworks, reject_unauth_destination, check_client_access regexp:/t, permit")
	for b.Loop() {
		c := config("", map[string]string{"regexp:/t": text.String()})
		strangers := Strangers("example.com")
		if slices.ContainsFunc(strangers, func(s Stranger) bool { return c.Walk("recipient", list, &s).Result != Permit }) {
			b.Fatal("a stranger does not pass")
		}
	}
}

// TestGuardsRelay: what Postfix takes for a refusal to relay.
func TestGuardsRelay(t *testing.T) {
	const main = "smtpd_restriction_classes = guard open loop\nguard = permit_mynetworks, Defer_Unauth_Destination\nopen = permit\nloop = loop loop\n"
	for _, test := range []struct {
		list string
		want bool
	}{
		{"", false},
		{"permit_mynetworks, reject_unauth_destination", true},
		{"reject", true},
		{"defer_if_permit", true},
		{"check_relay_domains", true},
		{"permit, reject_unauth_destination", false},
		{"warn_if_reject reject_unauth_destination", false},
		{"warn_if_reject reject_unauth_destination, defer", true},
		{"check_client_access static:reject", false},
		{"guard", true},
		{"warn_if_reject guard", false},
		{"open, reject", true}, // the permit of a class ends that class
		{"loop, reject", true},
		{"reject_unlisted_recipient", false},
	} {
		if got := config(main, nil).GuardsRelay(Units(test.list)); got != test.want {
			t.Errorf("GuardsRelay(%q) = %v; want %v", test.list, got, test.want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" a, b\tc ", []string{"a", "b", "c"}},
		{"a { b, c } d", []string{"a", "{ b, c }", "d"}},
		{"static:{OK now} e", []string{"static:{OK now}", "e"}},
		{"{ a { b } c", []string{"{ a { b } c"}},
		{"} a", []string{"}", "a"}},
	} {
		if got := Split(test.text, Separators); !slices.Equal(got, test.want) {
			t.Errorf("Split(%q) = %q; want %q", test.text, got, test.want)
		}
	}
}

// TestMeant: what words that are no restrictions were to be.
func TestMeant(t *testing.T) {
	c := config("smtpd_restriction_classes = own", nil)
	for _, test := range []struct {
		unit string
		want string
	}{
		{"\"permit_mynetworks\"", "permit_mynetworks"},
		{"Reject_Unauth_Destination;", "reject_unauth_destination"},
		{"reject_unauth_destinations", "reject_unauth_destination"},
		{"reject_unauth_destinaton", "reject_unauth_destination"},
		{"permit_my_networks", "permit_mynetworks"},
		{"permit_sasl_authentciated", "permit_sasl_authenticated"},
		{"check_clients_access hash:/t", "check_client_access hash:/t"},
		{"{ permit_mynetworks, check_client_access hash:/t }", "permit_mynetworks|check_client_access hash:/t"},
		{"policyd", ""},
		{"rejects_all", ""},
		{"check_client_acces", ""}, // of what?
	} {
		u := Units(test.unit)[0]
		var got []string
		for _, m := range Meant(u) {
			got = append(got, m.String())
		}
		if text := strings.Join(got, "|"); text != test.want || !c.Strange(u) {
			t.Errorf("%q is strange: %v, and meant to be %q; want %q", test.unit, c.Strange(u), text, test.want)
		}
	}
	for _, unit := range []string{"own", "PERMIT", "warn_if_reject reject_unknown_client", "hash:/t", "proxy:mysql:/t", "unix:passwd.byname"} {
		if c.Strange(Units(unit)[0]) {
			t.Errorf("%q is strange", unit)
		}
	}
}
