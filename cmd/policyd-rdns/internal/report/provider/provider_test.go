package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/report/document"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
	"policyd-rdns/resolver"
)

// seen is a client as a test tells it: NAME HELO SENDER. HELO is = for the name, SENDER's
// domain likewise.
func seen(t testing.TB, n int, text string, rules *policy.Rules) *journal.Record {
	t.Helper()
	words := strings.Fields(text)
	client := netip.AddrFrom4([4]byte{203, 0, 113, byte(n)})
	back := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{client}}
	r := &journal.Record{Request: policy.Request{Client: client, State: "RCPT", HELO: words[1], Sender: "a@" + words[2]}}
	if words[1] == "=" {
		r.Request.HELO = words[0]
	}
	r.Facts = policy.NewFacts(&r.Request)
	r.Facts.PTR, r.Facts.Names = resolver.Found, []policy.Name{policy.NewName(words[0], client)}
	r.Facts.Names[0].Forward = back
	r.Facts.HELO.Forward = resolver.Forward{Outcome: resolver.None}
	if words[1] == "=" {
		r.Facts.HELO.Forward = back
	}
	r.Facts.Past, r.Facts.SPF.Result = policy.Past{Asked: true, DomainAsked: true}, policy.None
	r.Decision = rules.Judge(&r.Request, &r.Facts)
	return r
}

// report is what is suggested after n clients, of which # in a text is the number.
func report(t testing.TB, rules *policy.Rules, n int, texts ...string) Report {
	t.Helper()
	var c Counter
	for i := range n {
		for _, text := range texts {
			if l, ok := Of(seen(t, i, strings.ReplaceAll(text, "#", fmt.Sprint(1000+i)), rules), rules); ok {
				c.Add(&l)
			}
		}
	}
	return c.Report(0)
}

func TestReport(t *testing.T) {
	tests := []struct {
		why   string
		n     int
		seen  []string
		wants string // entries for generic, then those for proper
	}{
		{"lines", 9, []string{"box#x.alpha.example.net mail.example.org example.org"}, "[.alpha.example.net] []"},
		{"too few", 5, []string{"box#x.alpha.example.net mail.example.org example.org"}, "[] []"},
		{"a HELO of their own", 9, []string{"box#x.alpha.example.net = example.org"}, "[] []"},
		{"a HELO of their organisation", 9, []string{"box#x.alpha.example.net mail.example.net example.net"}, "[] []"},
		{"numbers in two labels", 9, []string{"box#x.c#x.example.net mail.example.org example.org"}, "[] []"},
		{"two numbers in one label", 9, []string{"box#x#x.alpha2.example.net mail.example.org example.org"}, "[.alpha2.example.net] []"},
		{"a name of its own among them", 9, []string{"box#x.example.net mail.example.org example.org", "mail.example.net = example.net"}, "[.example.net, beside mail.example.net] []"},
		{"called generic as they are", 9, []string{"ip-203-0-113-#.dsl.example.net mail.example.org example.org"}, "[] []"},
		{"a pool", 4, []string{"vps#.beta.example.net = example.net"}, "[] [.beta.example.net]"},
		{"who sends for anybody", 4, []string{"vps#.beta.example.net = example.org"}, "[] []"},
		{"two machines", 2, []string{"vps#.beta.example.net = example.net"}, "[] []"},
		{"listed", 9, []string{"box#x.listed.example.net mail.example.org example.org"}, "[] []"},
		{"hostile", 9, []string{"box#<b>.alpha.example.net mail.example.org example.org"}, "[] []"},
	}
	var listed match.Names
	if err := listed.Add(".listed.example.net"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		rules := &policy.Rules{ProperNames: listed}
		r := report(t, rules, tt.n, tt.seen...)
		entries := func(list []Suggestion) string {
			var all []string
			for _, one := range list {
				if one.Beside != "" {
					one.Entry += ", beside " + one.Beside
				}
				if one.Names != tt.n {
					t.Errorf("%s: %s was seen for %d names; want %d", tt.why, one.Entry, one.Names, tt.n)
				}
				all = append(all, one.Entry)
			}
			return "[" + strings.Join(all, " ") + "]"
		}
		if got := entries(r.Generic) + " " + entries(r.Proper); got != tt.wants {
			t.Errorf("%s: %q: %s; want %s", tt.why, tt.seen, got, tt.wants)
		}
	}
}

// TestFigures: what is told of a suggestion, as data and in words.
func TestFigures(t *testing.T) {
	rules := &policy.Rules{}
	r := report(t, rules, 9, "box#x.alpha.example.net mail.example.org example.org", "vps#.beta.example.com = example.com")
	want := `{"generic":[{"entry":".alpha.example.net","shape":"box#x.alpha.example.net","example":"box1000x.alpha.example.net","names":9,"own_helo":0,"own_senders":0,"refused":0}],"more_generic":0,` +
		`"proper":[{"entry":".beta.example.com","shape":"vps#.beta.example.com","example":"vps1000.beta.example.com","names":9,"own_helo":9,"own_senders":9,"refused":0}],"more_proper":0,"cut":0}`
	if got, err := json.Marshal(r); err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	d := document.Document{Sections: []document.Section{r.Section()}}
	var text bytes.Buffer
	if err := d.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"box#x.alpha.example.net", `[names] generic = [".alpha.example.net"]`, `[names] proper = [".beta.example.com"]`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s\nwant %q in it", text.String(), want)
		}
	}
}

// TestBounds: strangers choose how many names, shapes and numbers there are.
func TestBounds(t *testing.T) {
	var c Counter
	add := func(name, org string) { c.Add(&Look{name: name, org: org}) }
	for i := range maxShapes * 3 {
		letters := fmt.Sprintf("%c%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26, 'a'+i/17576)
		add("x1."+letters+".example.net", "example.net")
		add("y."+letters+".example.net", "example.net")
		add("many"+fmt.Sprint(i)+".example.org", "example.org")
	}
	add(strings.Repeat("1.", 100)+"example.net", "example.net")
	r := c.Report(0)
	if len(c.shapes) > maxShapes || len(c.plain) > maxShapes || r.Cut == 0 {
		t.Errorf("%d shapes and %d names without a number are kept, %d were let go", len(c.shapes), len(c.plain), r.Cut)
	}
	if len(r.Generic) != 1 || r.Generic[0].Names != maxNames || !r.Generic[0].More {
		t.Errorf("suggested: %v; want the one domain with %d names or more", r.Generic, maxNames)
	}
	if r = c.Report(1); len(r.Generic) != 1 || r.MoreGeneric != 0 {
		t.Errorf("the first suggestion: %v", r)
	}
}

// FuzzLook: whatever a log says, an entry holds for the names that it was made of, and what is
// shown is printable.
func FuzzLook(f *testing.F) {
	f.Add("box1.alpha.example.net", "mail.example.org", "example.org")
	f.Add("1.2.3.4.x-9.example.co.uk", "=", "<script>")
	f.Add("a1.EXAMPLE.net.", "=", "a1.example.net")
	f.Fuzz(func(t *testing.T, name, helo, sender string) {
		if len(strings.Fields(name)) != 1 || len(strings.Fields(helo)) != 1 || len(strings.Fields(sender)) != 1 {
			return
		}
		rules := &policy.Rules{}
		var c Counter
		for i := range 9 {
			if l, ok := Of(seen(t, i, strings.Replace(name, "1", fmt.Sprint(11+i), 1)+" "+helo+" "+sender, rules), rules); ok {
				c.Add(&l)
			}
		}
		r := c.Report(0)
		for _, one := range append(r.Generic, r.Proper...) {
			var names match.Names
			if err := names.Add(one.Entry); err != nil || !names.Has(one.Example) {
				t.Errorf("%v: the entry does not hold for the example (%v)", one, err)
			}
		}
		var text bytes.Buffer
		d := document.Document{Sections: []document.Section{r.Section()}}
		if err := d.WriteText(&text); err != nil || strings.ContainsFunc(text.String(), func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }) {
			t.Errorf("%q: %v", text.String(), err)
		}
	})
}
