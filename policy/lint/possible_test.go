package lint

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

func entry(t *testing.T, key string, values ...string) policy.Entry {
	t.Helper()
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		t.Fatalf("policy.NewEntry(%s, %q): %v", key, values, errs)
	}
	return e
}

func TestContradiction(t *testing.T) {
	type e struct {
		key    string
		values []string
	}
	is := func(key string, values ...string) e { return e{key, values} }
	for _, tt := range []struct {
		table []e
		want  string
	}{
		{nil, ""},
		{[]e{is("ptr", "none")}, ""},
		{[]e{is("ptr", "none"), is("fcrdns", "none")}, ""},
		{[]e{is("ptr", "none"), is("fcrdns", "pass")}, `with ptr = "none", fcrdns is none`},
		{[]e{is("ptr", "none", "malformed"), is("fcrdns", "pass", "mismatch")}, `with ptr = ["none", "malformed"], fcrdns is none`},
		{[]e{is("ptr", "none", "found"), is("fcrdns", "pass", "mismatch")}, ""},
		{[]e{is("ptr", "found"), is("fcrdns", "none")}, `with ptr = "found", fcrdns is pass or mismatch or unresolved or temperror`},
		{[]e{is("ptr", "none"), is("name", "generic")}, `with ptr = "none", name is none`},
		{[]e{is("ptr", "none"), is("strength", "full")}, `with ptr = "none", there is no strength`},
		{[]e{is("ptr", "temperror"), is("fcrdns", "temperror")}, ""},
		{[]e{is("ptr", "temperror"), is("name", "proper")}, `with ptr = "temperror", name is temperror`},
		{[]e{is("fcrdns", "none"), is("name", "proper")}, `with fcrdns = "none", name is none`},
		{[]e{is("fcrdns", "temperror"), is("name", "generic")}, ""},
		{[]e{is("name", "proper"), is("strength", "full")}, `with name = "proper", there is no strength`},
		{[]e{is("name", "generic"), is("strength", "word")}, ""},
		{[]e{is("name", "temperror"), is("strength", "full")}, `with name = "temperror", strength is temperror`},
		{[]e{is("helo_form", "missing"), is("helo", "match")}, `with helo_form = "missing", helo is none`},
		{[]e{is("helo_form", "missing"), is("helo", "none")}, ""},
		{[]e{is("helo_form", "literal"), is("helo_name", "generic")}, `with helo_form = "literal", helo_name is none`},
		{[]e{is("helo_form", "literal"), is("helo", "mismatch")}, ""},
		{[]e{is("helo_form", "bare_ip"), is("helo", "match")}, `with helo_form = "bare_ip", helo is own or mismatch`},
		{[]e{is("helo_form", "malformed"), is("helo", "related")}, `with helo_form = "malformed", helo is unresolved`},
		{[]e{is("helo_form", "fqdn"), is("helo", "none")}, `with helo_form = "fqdn", helo is match or own or related or mismatch or unresolved or temperror`},
		{[]e{is("helo_form", "fqdn"), is("helo_name", "none")}, `with helo_form = "fqdn", helo_name is proper or generic`},
		{[]e{is("helo", "own"), is("helo_form", "literal")}, ""},
		{[]e{is("helo", "own"), is("helo_form", "bare_ip")}, ""},
		{[]e{is("helo", "none"), is("helo_form", "literal")}, `with helo = "none", helo_form is missing`},
		{[]e{is("ptr", "none"), is("helo", "related")}, `with ptr = "none", helo is match or own or mismatch or unresolved or none or temperror`},
		{[]e{is("fcrdns", "mismatch"), is("helo", "match")}, ""},
		{[]e{is("name", "generic"), is("helo_name", "proper")}, ""},
		{[]e{is("name", "generic"), is("helo_form", "literal", "bare_ip")}, ""},
		// Names and HELO names say something about the checks too.
		{[]e{is("ptr_name", ".example.com"), is("fcrdns", "pass")}, ""},
		{[]e{is("ptr_name", ".example.com"), is("fcrdns", "mismatch")}, `with ptr_name = ".example.com", fcrdns is pass`},
		{[]e{is("ptr", "none"), is("ptr_name", "mx.example.com")}, `with ptr_name = "mx.example.com", ptr is found`},
		{[]e{is("helo_is", "mx.example.com"), is("helo_form", "literal")}, `with helo_is = "mx.example.com", helo_form is fqdn`},
		{[]e{is("helo_is", "[192.0.2.1]"), is("helo_name", "generic")}, `with helo_is = "[192.0.2.1]", helo_name is none`},
		{[]e{is("helo_is", "localhost", ".example.com"), is("helo_form", "unqualified")}, ""},
		{[]e{is("helo_is", "192.0.2.1"), is("helo_form", "bare_ip")}, ""},
		// Of others nothing is known.
		{[]e{is("client", "192.0.2.1"), is("sender", "<>"), is("ptr", "none")}, ""},
		// Two by two they go together, and not all three.
		{
			[]e{is("fcrdns", "pass"), is("helo", "temperror"), is("helo_form", "literal", "fqdn"), is("helo_name", "none")},
			`with helo = "temperror", helo_name is proper or generic`,
		},
		{
			[]e{is("helo_form", "literal", "missing"), is("helo", "match", "none"), is("fcrdns", "pass"), is("ptr", "found")},
			"",
		},
		{
			[]e{is("helo_form", "literal", "unqualified"), is("helo", "match", "unresolved"), is("helo_name", "none")},
			"",
		},
		// Of many values the first.
		{
			[]e{is("helo_is", "a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com"), is("helo_form", "missing")},
			`with helo_is = ["a.example.com", "b.example.com", "c.example.com", "d.example.com", …], helo_form is fqdn`,
		},
	} {
		var table policy.Table
		for _, e := range tt.table {
			table = append(table, entry(t, e.key, e.values...))
		}
		if got := Contradiction(table); got != tt.want {
			t.Errorf("Contradiction of %v = %q; want %q", tt.table, got, tt.want)
		}
	}
}

// TestBuiltinRulesCanHold, and so can what the example of a configuration has.
func TestBuiltinRulesCanHold(t *testing.T) {
	for _, rule := range builtin.Rules() {
		if why := Contradiction(rule.When); why != "" {
			t.Errorf("rule %q: %s", rule.Name, why)
		}
		if i := Undone(&rule); i >= 0 {
			t.Errorf("rule %q: unless[%d] holds whenever it does", rule.Name, i)
		}
	}
}

func TestUndone(t *testing.T) {
	none := policy.Table{entry(t, "ptr", "none")}
	for _, tt := range []struct {
		rule policy.Rule
		want int
	}{
		{policy.Rule{When: none}, -1},
		{policy.Rule{When: none, Unless: []policy.Table{{entry(t, "client", "192.0.2.1")}}}, -1},
		{policy.Rule{When: none, Unless: []policy.Table{{entry(t, "client", "192.0.2.1")}, {entry(t, "ptr", "none", "malformed")}}}, 1},
		{policy.Rule{When: none, Unless: []policy.Table{{entry(t, "ptr", "malformed")}}}, -1},
		{policy.Rule{When: none, Unless: []policy.Table{{entry(t, "ptr", "none"), entry(t, "client", "192.0.2.1")}}}, -1},
		{policy.Rule{Unless: []policy.Table{none}}, -1},
	} {
		if got := Undone(&tt.rule); got != tt.want {
			t.Errorf("Undone of %v = %d; want %d", tt.rule, got, tt.want)
		}
	}
}

// TestCombinationsAreAll: whatever a client and its HELO are, the checks come to one
// of the combinations.
func TestCombinationsAreAll(t *testing.T) {
	known := map[combination]bool{}
	for _, o := range combinations() {
		known[o] = true
	}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(n int) int { return r.IntN(n) }
	forwards := append(possibleForwards(), resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{possibleRequest.Client, netip.AddrFrom4([4]byte{192, 0, 2, 99})}})
	domains := []string{"a.example.com", "helo.example.com", "b.example.com", "a.example.net", "co.uk", "a.example"}
	helos := []string{"", "helo.example.com", "a.example.com", "b.example.net", "co.uk", "localhost", "[192.0.2.25]", "[192.0.2.77]", "[192.0.2.26]", "192.0.2.25", "192.0.2.77", "host", "-", "ip-192-0-2-25.example.com", "[IPv6:2001:db8::1]"}
	for range 50_000 {
		f := policy.Facts{PTR: []resolver.Outcome{resolver.None, resolver.Found, resolver.Found, resolver.Found, resolver.TempError}[pick(5)]}
		for range pick(5) {
			if f.PTR != resolver.Found {
				break
			}
			f.Names = append(f.Names, policy.Name{
				Name: domains[pick(len(domains))], Valid: true, Forward: forwards[pick(len(forwards))],
				Verdict: []hostname.Verdict{{}, {Generic: true, Strength: hostname.Strength(1 + pick(3))}}[pick(2)],
			})
			f.MoreNames = pick(8) == 0
		}
		f.HELO, f.OwnHELO = policy.NewHELO(helos[pick(len(helos))], possibleRequest.Client), pick(4) == 0
		if f.HELO.Form == hostname.FQDN {
			f.HELO.Forward = forwards[pick(len(forwards))]
		}
		f.OwnHELO = f.OwnHELO && f.HELO.Name != ""
		if o := combined(f); !known[o] {
			t.Fatalf("%+v is no known combination, of %+v", o, f)
		}
	}
}

func BenchmarkCombinations(b *testing.B) {
	for b.Loop() {
		allCombinations()
	}
}
