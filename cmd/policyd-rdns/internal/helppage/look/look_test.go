package look

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/resolver/world"
)

// zone has a client for each state. 192.0.2.53 is where the looker believes its server.
const zone = `
example.org. 300 SOA ns.example.org. admin.example.org. 1 3600 600 86400 300
10.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.10
12.113.0.203.in-addr.arpa. PTR localhost.
13.113.0.203.in-addr.arpa. PTR gone.example.org.
14.113.0.203.in-addr.arpa. PTR other.example.org.
other.example.org. A 198.51.100.7
15.113.0.203.in-addr.arpa. PTR ip-203-0-113-15.provider.example.
ip-203-0-113-15.provider.example. A 203.0.113.15
16.113.0.203.in-addr.arpa. PTR slow.example.net.
!servfail slow.example.net
17.113.0.203.in-addr.arpa. PTR gone.example.org.
17.113.0.203.in-addr.arpa. PTR mail17.example.org.
mail17.example.org. A 203.0.113.17
mail17.example.org. A 198.51.100.7
!servfail 18.113.0.203.in-addr.arpa
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.example.org.
mail.example.org. AAAA 2001:db8::10
`

func siteOf(t *testing.T, own ...policy.Rule) Site {
	t.Helper()
	return Site{Rules: &policy.Rules{Mode: policy.Observe, OnDoubt: policy.Defer, OnOutage: policy.DUNNO, List: append(own, builtin.Rules()...)}}
}

func rule(t *testing.T, name string, action policy.Action, entries ...string) policy.Rule {
	t.Helper()
	r := policy.Rule{Name: name, Action: action, Text: name}
	for _, entry := range entries {
		key, value, _ := strings.Cut(entry, "=")
		e, errs := policy.NewEntry(key, []string{value}, []string{value})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		r.When = append(r.When, e)
	}
	return r
}

// told is what was found, in a line.
func told(f *Found) string {
	text := fmt.Sprintf("%s %s", f.State, [...]string{"unknown", "passes", "by HELO", "waits", "refused"}[f.Verdict])
	for i := range f.Names {
		n := &f.Names[i]
		text += fmt.Sprintf(" %s %s %v", n.Name, n.Outcome, n.Addrs)
		if n.Generic {
			text += " generic"
		}
		if n.Confirmed {
			text += " confirmed"
		}
	}
	return text
}

// TestLook looks at a client of each state, by the built-in rules and by others.
func TestLook(t *testing.T) {
	reject := func(name string, entries ...string) policy.Rule { return rule(t, name, policy.Reject, entries...) }
	exempt := rule(t, "exempt", policy.DUNNO, "client=203.0.113.11")
	exempt.Exempt = true
	gentle := reject("gentle", "ptr=none")
	for_ := 4 * time.Hour
	gentle.DeferFor = &for_
	watched := reject("watched", "name=proper")
	watched.Observe = true
	for _, tt := range []struct {
		client string
		own    []policy.Rule
		want   string
	}{
		{"203.0.113.10", nil, "well passes mail.example.org found [203.0.113.10] confirmed"},
		{"2001:db8::10", nil, "well passes mail.example.org found [2001:db8::10] confirmed"},
		{"203.0.113.11", nil, "no-ptr refused"},
		{"2001:db8::11", nil, "no-ptr refused"},
		{"203.0.113.12", nil, "malformed-ptr refused localhost not queried []"},
		{"203.0.113.13", nil, "unresolved refused gone.example.org none []"},
		{"203.0.113.14", nil, "elsewhere refused other.example.org found [198.51.100.7]"},
		{"203.0.113.15", nil, "generic by HELO ip-203-0-113-15.provider.example found [203.0.113.15] generic confirmed"},
		{"203.0.113.16", nil, "undetermined unknown slow.example.net temperror []"},
		{"203.0.113.18", nil, "undetermined unknown"},
		{"203.0.113.17", nil, "well passes gone.example.org none [] mail17.example.org found [203.0.113.17 198.51.100.7] confirmed"},
		// What the site has beside the built-in rules.
		{"203.0.113.10", []policy.Rule{reject("all", "client=203.0.113.0/24")}, "well refused mail.example.org found [203.0.113.10] confirmed"},
		{"203.0.113.10", []policy.Rule{watched}, "well passes mail.example.org found [203.0.113.10] confirmed"},
		{"203.0.113.10", []policy.Rule{rule(t, "grey", policy.Defer, "history=new")}, "well waits mail.example.org found [203.0.113.10] confirmed"},
		{"203.0.113.10", []policy.Rule{rule(t, "never", policy.Defer, "client=203.0.113.10")}, "well refused mail.example.org found [203.0.113.10] confirmed"},
		{"203.0.113.11", []policy.Rule{gentle}, "no-ptr refused"},
		{"203.0.113.15", []policy.Rule{reject("generic", "name=generic")}, "generic refused ip-203-0-113-15.provider.example found [203.0.113.15] generic confirmed"},
		{"203.0.113.10", []policy.Rule{reject("one's own HELO", "helo=mismatch")}, "well by HELO mail.example.org found [203.0.113.10] confirmed"},
		// Nobody learns from the page that he is exempt.
		{"203.0.113.11", []policy.Rule{exempt}, "no-ptr refused"},
		// Rules about what nobody knows hold for nobody.
		{"203.0.113.10", []policy.Rule{reject("sender", "sender=<>"), reject("recipient", "recipient=info@")}, "well passes mail.example.org found [203.0.113.10] confirmed"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, _ := newLooker(t)
			f := l.Look(t.Context(), siteOf(t, tt.own...), netip.MustParseAddr(tt.client), false)
			if got := told(&f); got != tt.want {
				t.Errorf("%s, with %d rules: %s; want %s", tt.client, len(tt.own), got, tt.want)
			}
		})
	}
}

// newLooker makes a looker at a DNS world.
func newLooker(t *testing.T) (*Looker, *world.World) {
	t.Helper()
	w, err := world.Parse(zone)
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: time.Second, Dial: w.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, w
}

// TestLookAgain: the cache answers until somebody looks again, and the page tells how old
// the answer is and how long it may be given.
func TestLookAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := newLooker(t)
		site, client := siteOf(t), netip.MustParseAddr("203.0.113.13")
		begin := time.Now()
		look := func(again bool) Found { return l.Look(t.Context(), site, client, again) }
		f := look(false)
		if !f.At.Equal(begin) || f.Names[0].Kept != (Kept{For: 5 * time.Minute}) {
			t.Errorf("found as of %v, kept %v; want %v, 5 minutes", f.At, f.Names[0].Kept, begin)
		}
		if err := w.Set(zone + "gone.example.org. A 203.0.113.13\n"); err != nil {
			t.Fatal(err)
		}
		w.Forget()
		time.Sleep(30 * time.Second)
		if f = look(false); f.State != "unresolved" || len(w.Queries()) > 0 || !f.At.Equal(begin) {
			t.Errorf("the cache says %s as of %v, and %q was queried; want unresolved as of before, and nothing", told(&f), f.At, w.Queries())
		}
		if f = look(true); f.State != Well || f.Verdict != Passes || !f.At.Equal(time.Now()) {
			t.Errorf("looked again: %s as of %v; want well, passes, now", told(&f), f.At)
		}
		if want := []string{"PTR 13.113.0.203.in-addr.arpa", "A gone.example.org"}; !slices.Equal(w.Queries(), want) {
			t.Errorf("queried %q; want %q", w.Queries(), want)
		}
		// No SOA, no TTL: the server behind may keep it for longer than we do.
		client = netip.MustParseAddr("203.0.113.99")
		if err := w.Set("in-addr.arpa. 86400 SOA ns.example.org. admin.example.org. 1 3600 600 86400 86400\n"); err != nil {
			t.Fatal(err)
		}
		if f = look(false); f.PTRKept != (Kept{15 * time.Minute, true}) {
			t.Errorf("no PTR is kept for %v; want 15 minutes or longer", f.PTRKept)
		}
		// Servers that answer nothing.
		time.Sleep(time.Second)
		if err := w.Set("!servfail *\n"); err != nil {
			t.Fatal(err)
		}
		if f = look(true); f.State != "undetermined" || f.Verdict != Unknown {
			t.Errorf("without an answer: %s; want undetermined, unknown", told(&f))
		}
	})
}

// TestLookAsksNoList: a list counts our queries, which are mail's.
func TestLookAsksNoList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := newLooker(t)
		rules := policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules(), AllowList: "list.example"}
		l.Look(t.Context(), Site{Rules: &rules}, netip.MustParseAddr("203.0.113.10"), true)
		asked := w.Queries()
		if len(asked) == 0 || strings.Contains(strings.Join(asked, " "), "list.example") {
			t.Errorf("asked: %q; want the names of the address, and no list", asked)
		}
	})
}

// TestLookEnds: a DNS that is silent holds nobody for longer than the deadline, and a
// zone of ten silent names neither.
func TestLookEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := newLooker(t)
		text := "!drop *.silent.example\n"
		for i := range 50 {
			text += fmt.Sprintf("10.113.0.203.in-addr.arpa. PTR mail%d.silent.example.\n", i)
		}
		if err := w.Set(text); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		f := l.Look(t.Context(), siteOf(t), netip.MustParseAddr("203.0.113.10"), true)
		if took := time.Since(begin); took > deadline || f.State != "undetermined" || len(f.Names) != policy.MaxNames || !f.More {
			t.Errorf("looked for %v: %s and %d names; want %v at most, undetermined, %d and more", took, f.State, len(f.Names), deadline, policy.MaxNames)
		}
		if n := len(w.Queries()); n > 30 {
			t.Errorf("%d queries; want a bounded number", n)
		}
	})
}
