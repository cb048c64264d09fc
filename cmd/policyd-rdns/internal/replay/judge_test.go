package replay

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// TestReplayUndecided judges a line that holds no answer of the DNS under rules
// that ask for some.
func TestReplayUndecided(t *testing.T) {
	line := week.Line(nil) // of 203.0.113.20, which nothing was asked for
	const rule = "[[rule]]\nname = %q\nwhen = { %s }\naction = %q\n"
	rules := func(texts ...string) string {
		var b strings.Builder
		b.WriteString("default_rules = false\n")
		for i, text := range texts {
			action, when, _ := strings.Cut(text, " ")
			fmt.Fprintf(&b, rule, fmt.Sprintf("r%d", i), when, strings.TrimPrefix(action, "~"))
			if action[0] == '~' {
				b.WriteString("mode = \"observe\"\n")
			}
		}
		return b.String()
	}
	const known, other = `client = "203.0.113.20"`, `client = "203.0.113.21"`
	tests := []struct {
		rules string
		want  string // action and what is needed, * if an observed rule could not be told
	}{
		{rules("reject " + known), "reject "},
		{rules(`reject ptr = "none"`), `undecided rule "r0" asks for ptr`},
		{rules("reject "+known, `reject ptr = "none"`), "reject "},
		{rules("dunno "+known, `reject ptr = "none"`), "dunno "},
		{rules(`reject ptr = "none", ` + other), "dunno "},
		{rules(`reject fcrdns = "mismatch", helo = "mismatch"`), `undecided rule "r0" asks for fcrdns, helo`},
		// Whatever an exemption comes to, nobody else objects.
		{rules(`dunno ptr_name = ".example.com"`), "dunno "},
		{rules(`dunno ptr_name = ".example.com"`, "dunno "+known, `reject ptr = "none"`), "dunno "},
		{rules(`dunno ptr_name = ".example.com"`, `dunno ptr = "found"`), "dunno "},
		{rules(`dunno ptr_name = ".example.com"`, "reject "+known), `undecided rule "r0" asks for ptr_name`},
		{rules(`dunno ptr_name = ".example.com"`, "defer "+known), `undecided rule "r0" asks for ptr_name`},
		{rules(`dunno ptr_name = ".example.com"`, `reject ptr = "none"`), `undecided rule "r0" asks for ptr_name`},
		// Rules that observe do not count.
		{rules(`~reject ptr = "none"`), "dunno *"},
		{rules(`~reject ptr = "none"`, "reject "+known), "reject *"},
		{rules(`~reject ptr = "none"`, `defer helo = "mismatch"`), `undecided rule "r1" asks for helo`},
	}
	for _, test := range tests {
		p, err := newReplayer(&Options{Config: testbed.TempFile(t, "new.toml", test.rules)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := journal.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		j, _ := p.judge(&journal.Line{Record: r, Text: string(line)})
		got := j.after.action.String() + " " + j.needs
		if j.change == undecided {
			got = "undecided " + j.needs
		}
		if j.unobserved {
			got += "*"
		}
		if got != test.want {
			t.Errorf("under\n%sreplay says %s; want %s", test.rules, got, test.want)
		}
	}
}

func TestChangeOf(t *testing.T) {
	const d, f, r, h, tag = policy.DUNNO, policy.Defer, policy.Reject, policy.Hold, policy.Tag
	tests := []struct {
		before, after policy.Action
		want          change
	}{
		{d, d, unchanged},
		{f, f, unchanged},
		{r, r, unchanged},
		{d, f, newlyDeferred},
		{d, r, newlyRejected},
		{f, r, newlyRejected},
		{f, d, noLongerDeferred},
		{r, d, noLongerRejected},
		{r, f, noLongerRejected},
		{d, h, newlyHeld},
		{h, d, noLongerHeld},
		{h, r, newlyRejected},
		{h, f, newlyDeferred},
		{f, h, noLongerDeferred},
		{r, h, noLongerRejected},
		{d, tag, unchanged},
		{tag, d, unchanged},
		{tag, h, newlyHeld},
		{r, tag, noLongerRejected},
	}
	for _, test := range tests {
		if got := changeOf(test.before, test.after); got != test.want {
			t.Errorf("changeOf(%s, %s) = %q; want %q", test.before, test.after, changeNames[got], changeNames[test.want])
		}
	}
}

func TestClientsOf(t *testing.T) {
	client := netip.MustParseAddr("203.0.113.20")
	forwards := resolver.Forward{Addrs: []netip.Addr{client}}
	tests := []struct {
		client netip.Addr
		names  []policy.Name
		want   string
	}{
		{client, nil, "203.0.113.0/24"},
		{netip.MustParseAddr("2001:db8:1:2::3"), nil, "2001:db8:1::/48"},
		{netip.Addr{}, nil, "no address"},
		{client, []policy.Name{{Name: "mail.a.example.com"}}, "(example.com)"},
		{client, []policy.Name{{Name: "mail.a.example.com"}, {Name: "b.example.org", Forward: forwards}}, "example.org"},
		{client, []policy.Name{{Name: "com", Forward: forwards}}, "com"}, // a public suffix
	}
	for _, test := range tests {
		r := journal.Record{Request: policy.Request{Client: test.client}, Facts: policy.Facts{Names: test.names}}
		if got := clientsOf(&r); got != test.want {
			t.Errorf("clientsOf(%v, %v) = %s; want %s", test.client, test.names, got, test.want)
		}
	}
}

// TestReplaySender: senders are counted by their domain, which is behind the last @.
func TestReplaySender(t *testing.T) {
	p, err := newReplayer(&Options{Config: testbed.TempFile(t, "new.toml", "[[rule]]\nname = \"all\"\naction = \"reject\"\nwhen = { client = \"203.0.113.20\" }\n")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][2]string{
		{"a@example.org", "example.org"}, {`"a@b"@Example.ORG`, "example.org"}, {`"a@b"`, `"a@b"`}, {"", "<>"}, {"root", "root"},
	} {
		r, err := journal.Parse(week.Line(func(r *journal.Record) { r.Request.Sender = test[0] }))
		if err != nil {
			t.Fatal(err)
		}
		if j, _ := p.judge(&journal.Line{Record: r}); j.sender != test[1] {
			t.Errorf("sender %s is counted as %s; want %s", test[0], j.sender, test[1])
		}
	}
}

// TestRulingOfTags: each recipient of a message that was tagged is of one that was, though
// the header was added for one of them.
func TestRulingOfTags(t *testing.T) {
	tags := []string{"strangers"}
	for _, tt := range []struct {
		decision policy.Decision
		decided  bool
		want     policy.Action
	}{
		{policy.Decision{Action: policy.Tag, Tags: tags}, false, policy.Tag},
		{policy.Decision{Tags: tags}, false, policy.Tag},
		{policy.Decision{Tags: tags}, true, policy.DUNNO},
		{policy.Decision{}, false, policy.DUNNO},
		{policy.Decision{Tags: tags, Mode: policy.Observe}, false, policy.DUNNO},
		{policy.Decision{Tags: tags, Mode: policy.ObserveInfo, Action: policy.Info, Decided: policy.Reject}, false, policy.DUNNO},
		{policy.Decision{Tags: tags, Action: policy.Reject, Decided: policy.Reject}, false, policy.Reject},
	} {
		p := &replayer{decided: tt.decided}
		if got := p.ruling(&tt.decision).action; got != tt.want {
			t.Errorf("ruling of %+v, decided %v: %v; want %v", tt.decision, tt.decided, got, tt.want)
		}
	}
}
