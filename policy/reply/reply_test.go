package reply_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/policy/reply"
	"policyd-rdns/policy/smtp"
	"policyd-rdns/resolver"
)

const helpURL = "https://mx.example.com/rdns/"

var update = flag.Bool("update", false, "write testdata/builtin.txt anew")

var now = time.Date(2026, time.November, 28, 12, 34, 56, 0, time.UTC)

func keys(t testing.TB) *casenumber.Keys {
	t.Helper()
	k, err := casenumber.ParseKeys("key-1-0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// client is a client of testdata of policy.
func client(t testing.TB, line string) *cases.Evidence {
	t.Helper()
	e, err := cases.Client(line)
	if err != nil {
		t.Fatal(err)
	}
	e.Req.Time = now
	return &e
}

// rule is one of testdata of policy, with a text and a code.
func rule(t testing.TB, line, text, code string) policy.Rule {
	t.Helper()
	r, err := cases.Rule(line)
	if err != nil {
		t.Fatal(err)
	}
	r.Text = text
	if code != "" {
		if r.Code, err = policy.ParseCode(code, r.Action); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// TestReply: each action as Postfix takes it.
func TestReply(t *testing.T) {
	const text = "text of r, [{client}]"
	const filled = "text of r, [203.0.113.10]"
	const doubt = "temporary DNS failure: the names of your server [203.0.113.10] could not be looked up; there is nothing to do, it tries again by itself"
	tests := []struct {
		rule, code string
		mode       policy.Mode
		client     string
		want       string
	}{
		{"r: dunno", "", policy.Enforce, "203.0.113.10", "DUNNO"},
		{"r: reject when ptr=none", "", policy.Enforce, "203.0.113.10 mail.example.com>me", "DUNNO"},
		{"r: reject", "", policy.Enforce, "203.0.113.10", "550 5.7.1 " + filled},
		{"r: reject", "550 5.7.25", policy.Enforce, "203.0.113.10", "550 5.7.25 " + filled},
		{"r: reject", "521", policy.Enforce, "203.0.113.10", "521 5.7.1 " + filled},
		{"r: hold", "", policy.Enforce, "203.0.113.10", "HOLD " + filled},
		// So that a later hard reject still wins.
		{"r: defer", "", policy.Enforce, "203.0.113.10", "DEFER_IF_PERMIT 4.7.1 " + filled},
		{"r: defer", "451 4.7.25", policy.Enforce, "203.0.113.10", "451 4.7.25 " + filled},
		// Downgraded: the rule's code is for a reject; its subject and detail stay. What its
		// text says is not known.
		{"r: reject when ptr=none", "", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.1 " + doubt},
		{"r: reject when ptr=none", "550 5.7.25", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.25 " + doubt},
		{"r: reject when ptr=none", "521 5.7.1", policy.Enforce, "203.0.113.10 ptr:temperror", "DEFER_IF_PERMIT 4.7.1 " + doubt},
		// That nothing is remembered is no doubt of the DNS.
		{"r: reject when ptr=none history=new", "", policy.Enforce, "203.0.113.10 ptr:none past:new", "DEFER_IF_PERMIT 4.7.1 " + filled},

		{"r: reject", "550 5.7.25", policy.Observe, "203.0.113.10", "DUNNO"},
		{"r: reject", "550 5.7.25", policy.ObserveInfo, "203.0.113.10", "INFO would reject (r): " + filled},
		{"r: defer", "", policy.ObserveInfo, "203.0.113.10", "INFO would defer (r): " + filled},
		{"r: reject when ptr=none", "", policy.ObserveInfo, "203.0.113.10 ptr:temperror", "INFO would defer (r): " + doubt},
		{"r: dunno", "", policy.ObserveInfo, "203.0.113.10", "DUNNO"},
		{"r: reject observe", "", policy.Enforce, "203.0.113.10", "DUNNO"},
		{"r: reject when ptr=none", "", policy.ObserveInfo, "203.0.113.10", "DUNNO"}, // not asked yet
	}
	for _, tt := range tests {
		e := client(t, tt.client)
		rules := policy.Rules{Mode: tt.mode, OnDoubt: policy.Defer, List: []policy.Rule{rule(t, tt.rule, text, tt.code)}}
		d := rules.Judge(&e.Req, &e.Facts)
		if got := reply.Plain(&e.Req, &e.Facts, &d); got != tt.want {
			t.Errorf("reply of %s, code %q, mode %v to %s = %q; want %q", tt.rule, tt.code, tt.mode, tt.client, got, tt.want)
		}
		// What stands in a refusal stands in nothing else.
		all := reply.New(&rules, reply.Settings{Contact: "help@example.com", Help: helpURL, Keys: keys(t)}).Reply(&e.Req, &e.Facts, &d)
		refuses := d.Action.Refuses()
		if with := strings.Contains(all.Action, "; contact help@example.com; see "+helpURL); with != refuses || (all.Case != "") != refuses || !strings.HasPrefix(all.Action, strings.TrimSuffix(tt.want, "DUNNO")) {
			t.Errorf("reply of %s to %s = %q, case %q; want contact and URL in refusals alone", tt.rule, tt.client, all.Action, all.Case)
		}
	}
}

// With on_doubt = "dunno" nothing is left of a reject that the DNS could not settle.
func TestReplyDUNNOOnDoubt(t *testing.T) {
	e := client(t, "203.0.113.10 ptr:temperror")
	for _, mode := range []policy.Mode{policy.Enforce, policy.Observe, policy.ObserveInfo} {
		rules := policy.Rules{Mode: mode, OnDoubt: policy.DUNNO, List: []policy.Rule{rule(t, "r: reject when ptr=none", "text", "")}}
		d := rules.Judge(&e.Req, &e.Facts)
		if got := reply.Plain(&e.Req, &e.Facts, &d); got != "DUNNO" || d.Text != "" {
			t.Errorf("mode %v: reply = %q, text %q; want DUNNO without text", mode, got, d.Text)
		}
	}
}

func TestText(t *testing.T) {
	long := strings.Repeat("x", 200) + ".example.com"
	cut := long[:97] + "..."
	tests := []struct {
		text, client string
		helo, to     string // attributes as a client may choose them
		want         string
	}{
		{"no placeholder", "203.0.113.10 ptr:none", "", "", "no placeholder"},
		{"[{client}] {client}", "203.0.113.10 ptr:none", "", "", "[203.0.113.10] 203.0.113.10"},
		{"[{client}]", "2001:db8::1 ptr:none", "", "", "[2001:db8::1]"},
		{"{helo}|{recipient}", "203.0.113.10", "mail.example.com", "a@example.org", "mail.example.com|a@example.org"},
		{"{helo}|{recipient}", "203.0.113.10", "", "", "|"},
		{"{name}", "203.0.113.10 ptr:none", "", "", "unknown"},
		{"{name}", "203.0.113.10 a.example.com>none b.example.com>me", "", "", "b.example.com"},
		{"{name}", "203.0.113.10 a.example.com>none b.example.com>none", "", "", "a.example.com"},
		{"{name}", "203.0.113.10 localhost>?", "", "", "localhost"},
		{"{name} {addresses}", "203.0.113.10 a.example.com>none", "", "", "a.example.com nothing"},
		{"{addresses}.", "203.0.113.10 a.example.com>192.0.2.1", "", "", "192.0.2.1."},
		{"{addresses}.", "203.0.113.10 a.example.com>192.0.2.1+192.0.2.2+192.0.2.3", "", "", "192.0.2.1, 192.0.2.2, 192.0.2.3."},
		{"{addresses}.", "203.0.113.10 a.example.com>192.0.2.1+192.0.2.2+192.0.2.3+192.0.2.4+192.0.2.5", "", "", "192.0.2.1, 192.0.2.2, 192.0.2.3 and 2 more."},
		// What a client says is not read for placeholders.
		{"{helo} {name}", "203.0.113.10 a.example.com>me", "{name}{client}{help}", "", "{name}{client}{help} a.example.com"},
		{"{recipient}", "203.0.113.10", "", "{helo}@example.com", "{helo}@example.com"},
		{"{nothing} {", "203.0.113.10", "", "", "{nothing} {"},
		// It is bounded, so that the rule's own words stay in the line.
		{"{helo}.", "203.0.113.10", long, "", cut + "."},
		{"{recipient}.", "203.0.113.10", "", long, cut + "."},
		{"{name}.", "203.0.113.10 " + long + ">me", "", "", cut + "."},
		// The writer of the reply makes this harmless.
		{"{helo}", "203.0.113.10", "a\n\naction=OK", "", "a\n\naction=OK"},
		// There is neither contact nor page.
		{"x {contact} {help}", "203.0.113.10", "", "a@example.com", "x "},
		{"x (see {help}", "203.0.113.10", "", "a@example.com", "x (see"},
		{"x: {help}", "203.0.113.10", "", "a@example.com", "x"},
	}
	for _, tt := range tests {
		e := client(t, tt.client)
		e.Req.HELO, e.Req.Recipient = tt.helo, tt.to
		rules := policy.Rules{List: []policy.Rule{{Name: "r", Action: policy.Reject, Text: tt.text}}}
		d := rules.Judge(&e.Req, &e.Facts)
		if got := reply.Plain(&e.Req, &e.Facts, &d); got != "550 5.7.1 "+tt.want {
			t.Errorf("text %q for %s, HELO %q = %q; want %q", tt.text, tt.client, tt.helo, got, tt.want)
		}
	}
}

// The documented placeholders are those that are filled.
func TestPlaceholders(t *testing.T) {
	e := client(t, "203.0.113.10 mail.example.com>me helo:x.example.org to:bob@example.net")
	want := []string{
		"203.0.113.10", "x.example.org", "mail.example.com", "203.0.113.10", "bob@example.net", "help@example.net",
		helpURL + keys(t).Make(casenumber.Case{At: now, Client: e.Req.Client}),
	}
	all := reply.Placeholders()
	if len(all) != len(want) {
		t.Fatalf("placeholders %q; want those of %q", all, want)
	}
	for i, placeholder := range all {
		rules := policy.Rules{List: []policy.Rule{{Action: policy.Defer, Text: placeholder}}}
		texts := reply.New(&rules, reply.Settings{Contact: "help", Help: helpURL, Keys: keys(t)})
		d := rules.Judge(&e.Req, &e.Facts)
		if got := texts.Reply(&e.Req, &e.Facts, &d).Action; !strings.HasPrefix(got, "DEFER_IF_PERMIT 4.7.1 "+want[i]) && placeholder != "{help}" || !strings.HasSuffix(got, want[len(want)-1]) {
			t.Errorf("text %s = %q; want %q, and the URL at the end", placeholder, got, want[i])
		}
		if wrong := reply.Misplaced("x " + placeholder); wrong != "" {
			t.Errorf("text %s: %s", placeholder, wrong)
		}
	}
	for text, want := range map[string]string{
		"{nobody}":                 "unknown placeholder; known are {client}, {helo}, {name}, {addresses}, {recipient}, {contact}, {help}",
		"x {":                      "unknown placeholder; known are {client}, {helo}, {name}, {addresses}, {recipient}, {contact}, {help}",
		"{help}.":                  "{help} is the URL of the page: want it once, with nothing behind it, so that it is never cut",
		"see {help} or {help}":     "{help} is the URL of the page: want it once, with nothing behind it, so that it is never cut",
		"{name}, see {help}":       "",
		"{client} write {contact}": "",
	} {
		if got := reply.Misplaced(text); got != want {
			t.Errorf("Misplaced(%q) = %q; want %q", text, got, want)
		}
	}
}

// TestAdded: whom to write to and the URL are added once, as the text ends.
func TestAdded(t *testing.T) {
	number := keys(t).Make(casenumber.Case{At: now, Client: netip.MustParseAddr("203.0.113.10")})
	full := reply.Settings{Contact: "postmaster", Help: helpURL, Keys: keys(t)}
	tests := []struct {
		text, to string
		s        reply.Settings
		want     string
	}{
		{"no", "a@example.com", full, "no; contact postmaster@example.com; see " + helpURL + number},
		{"no.", "a@Example.COM.", full, "no. contact postmaster@example.com; see " + helpURL + number},
		{"no!", "", full, "no! see " + helpURL + number}, // there is no recipient yet
		{"no", "a@[192.0.2.1]", full, "no; see " + helpURL + number},
		{"no", "a@evil example", full, "no; see " + helpURL + number},
		{"no", "a@" + strings.Repeat("x.", 130) + "example", full, "no; see " + helpURL + number},
		{"no", "postmaster", full, "no; see " + helpURL + number},
		{"no, write to {contact}", "a@example.com", full, "no, write to postmaster@example.com; see " + helpURL + number},
		{"no. {help}", "a@example.com", full, "no. contact postmaster@example.com " + helpURL + number},
		{"no, why: {help}", "", full, "no, why: " + helpURL + number},
		{"no", "a@example.com", reply.Settings{Contact: "help@example.org"}, "no; contact help@example.org"},
		{"no", "a@example.com", reply.Settings{Help: helpURL, ByCause: true}, "no; see " + helpURL + "other"},
		{"no", "a@example.com", reply.Settings{Help: helpURL}, "no; see " + helpURL + strings.Repeat("x", casenumber.Length4)},
		{"no", "a@example.com", reply.Settings{}, "no"},
	}
	for _, tt := range tests {
		e := client(t, "203.0.113.10")
		e.Req.Recipient = tt.to
		rules := policy.Rules{List: []policy.Rule{{Name: "r", Action: policy.Reject, Text: tt.text}}}
		d := rules.Judge(&e.Req, &e.Facts)
		r := reply.New(&rules, tt.s).Reply(&e.Req, &e.Facts, &d)
		if want := "550 5.7.1 " + tt.want; r.Action != want {
			t.Errorf("text %q to %.60q = %q; want %q", tt.text, tt.to, r.Action, want)
		}
		if (r.Case == number) != (tt.s.Keys != nil) || r.Case != "" && tt.s.Keys == nil {
			t.Errorf("text %q to %.60q: case %q; want it where there are keys", tt.text, tt.to, r.Case)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"no; contact a@example.com; see https://mx.example.com/rdns/x": "no",
		"no. contact a@example.com":                                    "no.",
		"no! see http://mx.example.com/rdns/x":                         "no!",
		"see http://mx.example.com/rdns/x for more":                    "see http://mx.example.com/rdns/x for more",
		"contact us": "contact us",
		"no":         "no",
		"":           "",
	} {
		if got := reply.Sentence(text); got != want {
			t.Errorf("Sentence(%q) = %q; want %q", text, got, want)
		}
	}
}

// longest is a client with everything as long as it may be: a client name of 253 bytes,
// HELO and PTR name too, a recipient of 254, and five addresses.
func longest(t testing.TB, address string) *cases.Evidence {
	t.Helper()
	label := strings.Repeat("x", 63) + "."
	name := strings.Repeat(label, 3) + strings.Repeat("y", 61)
	e := client(t, address+" ptr:none")
	e.Req.ClientName, e.Req.HELO = name, name
	e.Req.Recipient = strings.Repeat("r", 64) + "@" + strings.Repeat(label, 3)[:189]
	e.Facts.PTR = resolver.Found
	n := policy.NewName(name, e.Req.Client)
	n.Forward = resolver.Forward{Outcome: resolver.Found}
	for i := range 5 {
		a := netip.AddrFrom4([4]byte{198, 51, 100, byte(200 + i)})
		if e.Req.Client.Is6() {
			a = netip.MustParseAddr(fmt.Sprintf("2001:db8:1111:2222:3333:4444:5555:666%d", i))
		}
		n.Forward.Addrs = append(n.Forward.Addrs, a)
	}
	e.Facts.Names = []policy.Name{n}
	if len(e.Req.ClientName) != 253 || len(e.Req.Recipient) != 254 {
		t.Fatalf("a name of %d bytes, a recipient of %d", len(e.Req.ClientName), len(e.Req.Recipient))
	}
	return e
}

// wrapped are the lines that the sending server reads, by list.
func wrapped(action string, req *policy.Request) []string {
	code, rest, _ := strings.Cut(postfix.NewReply(action).String(), " ")
	if code == "DEFER_IF_PERMIT" {
		code = "450"
	}
	enhanced, text, _ := strings.Cut(rest, " ")
	return []string{
		fmt.Sprintf("%s %s <%s>: Recipient address rejected: %s", code, enhanced, req.Recipient, text),
		fmt.Sprintf("%s %s <%s[%s]>: Client host rejected: %s", code, enhanced, req.ClientName, req.Client, text),
	}
}

// TestBuiltinTexts: every built-in text at its usual length and at its longest, of either
// address family, in either list. They stand in a file, to be read by people.
func TestBuiltinTexts(t *testing.T) {
	const url = "https://mx1.mail.example.com/xx/" // as long as it may be
	rules := policy.Rules{List: builtin.Rules()}
	texts := reply.New(&rules, reply.Settings{Contact: "postmaster", Help: url, Keys: keys(t)})
	var b strings.Builder
	tell := func(title string, d *policy.Decision) {
		fmt.Fprintf(&b, "%s\n", title)
		for _, address := range []string{"203.0.113.10", "2001:db8:1111:2222:3333:4444:5555:6666"} {
			usual := client(t, address+" mail.example.com>none helo:mail.example.org to:user@example.net")
			usual.Facts.Names[0].Forward = resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
			for _, e := range []*cases.Evidence{usual, longest(t, address)} {
				r := texts.Reply(&e.Req, &e.Facts, d)
				for _, line := range wrapped(r.Action, &e.Req) {
					if len(line) > smtp.MaxLine || !strings.HasSuffix(line, "see "+url+r.Case) || strings.Count(line, "https://") != 1 {
						t.Errorf("%s: %d bytes, want at most %d, and the URL at the end, once:\n%s", title, len(line), smtp.MaxLine, line)
					}
				}
				if c, err := keys(t).Read(r.Case, now); err != nil || c.Client != e.Req.Client {
					t.Errorf("%s: case %q reads %v, %v", title, r.Case, c, err)
				}
				fmt.Fprintf(&b, "    %s\n", r.Action)
			}
		}
	}
	for _, rule := range rules.List {
		if !rule.Exempt {
			tell(rule.Name, &policy.Decision{Action: rule.Action, Decided: rule.Action, Rule: rule.Name, Text: rule.Text})
		}
	}
	tell("(the DNS could not say)", &policy.Decision{Action: policy.Defer, Decided: policy.Defer, Rule: "no reverse name", Doubtful: true, Downgraded: true})
	const file = "testdata/builtin.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Errorf("%v: the texts are not those of %s (-update writes it anew):\n%s", err, file, b.String())
	}
}

// TestLosses: what is too long loses names first, then addresses, then whom to write to,
// then the end of the sentence.
func TestLosses(t *testing.T) {
	const text = "the name {name} and HELO {helo} of [{client}] go to {addresses}; write {contact} about {recipient}"
	e := client(t, "203.0.113.10 mail.example.com>198.51.100.1 helo:mail.example.org to:user@example.net")
	rules := policy.Rules{List: []policy.Rule{{Name: "r", Action: policy.Reject, Text: text}}}
	d := rules.Judge(&e.Req, &e.Facts)
	texts := reply.New(&rules, reply.Settings{Contact: "help@example.com", Help: helpURL, Keys: keys(t)})
	seen := []string{}
	lost := -1
	for name := 7; name <= 430; name++ {
		e.Req.ClientName = strings.Repeat("n", name)
		r := texts.Reply(&e.Req, &e.Facts, &d)
		if line := wrapped(r.Action, &e.Req)[1]; len(line) > smtp.MaxLine && name < 390 || !strings.HasSuffix(line, helpURL+r.Case) {
			t.Fatalf("a name of %d: %d bytes: %s", name, len(line), line)
		}
		now := strings.Count(r.Action, "...")
		if now != lost {
			seen = append(seen, strings.TrimSuffix(strings.TrimPrefix(r.Action, "550 5.7.1 "), helpURL+r.Case))
			lost = now
		}
	}
	want := []string{
		"the name mail.example.com and HELO mail.example.org of [203.0.113.10] go to 198.51.100.1; write help@example.com about user@example.net; see ",
		"the name ... and HELO ... of [203.0.113.10] go to 198.51.100.1; write help@example.com about ...; see ",
		"the name ... and HELO ... of [203.0.113.10] go to ...; write help@example.com about ...; see ",
		"the name ... and HELO ... of [203.0.113.10] go to ...; write ... about ...; see ",
	}
	for i := range want {
		if i >= len(seen) || seen[i] != want[i] {
			t.Errorf("loss %d: %q; want %q", i, seen, want[i])
		}
	}
	if last := seen[len(seen)-1]; last != "" {
		t.Errorf("in the end there is %q; want the URL alone", last)
	}
}

// TestRoom: whatever the lengths are, the lines are no longer than Postfix takes them, the
// URL stands whole, and nothing is lost for which there was room.
func TestRoom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		address := []string{"203.0.113.10", "2001:db8::1", "2001:db8:1111:2222:3333:4444:5555:6666"}[random.IntN(3)]
		e := longest(t, address)
		cut := func(s string) string { return s[:random.IntN(len(s)+1)] }
		e.Req.ClientName, e.Req.HELO, e.Req.Recipient = cut(e.Req.ClientName), cut(e.Req.HELO), "r@"+cut(e.Req.Recipient[2:])
		e.Facts.Names[0].Name = cut(e.Facts.Names[0].Name)
		text := strings.Repeat("w ", random.IntN(100))
		for _, p := range reply.Placeholders() {
			if random.IntN(3) == 0 && p != "{help}" {
				text += p + " "
			}
		}
		if random.IntN(4) == 0 {
			text += "{help}"
		}
		d := policy.Decision{Action: policy.Action([]policy.Action{policy.Reject, policy.Defer}[random.IntN(2)]), Rule: "r", Text: text}
		s := reply.Settings{Contact: []string{"", "postmaster", "help@example.com"}[random.IntN(3)], Help: helpURL, Keys: keys(t)}
		r := new(reply.Texts)
		r.Settings = s
		told := r.Reply(&e.Req, &e.Facts, &d)
		sent := postfix.NewReply(told.Action).String()
		for _, line := range wrapped(told.Action, &e.Req) {
			if len(line) > smtp.MaxLine || !strings.HasSuffix(line, helpURL+told.Case) || len(told.Case) < casenumber.Length4 {
				t.Fatalf("text %q, %q: %d bytes: %s", text, sent, len(line), line)
			}
		}
		if want := roomiest(e, &d, s, helpURL+told.Case); told.Action != want {
			t.Fatalf("text %q, contact %q, client name of %d bytes, recipient of %d:\n     %q\nwant %q",
				text, s.Contact, len(e.Req.ClientName), len(e.Req.Recipient), told.Action, want)
		}
	}
}

// roomiest is the action that loses least of all that there is room for, by the order of
// losses that the package comment has, found by trying.
func roomiest(e *cases.Evidence, d *policy.Decision, s reply.Settings, url string) string {
	// Of an address within 64:ff9b::/96 Postfix may write more than is known of it here.
	longer := e.Req
	if len(longer.ClientName) < len("unknown") {
		longer.ClientName = "unknown"
	}
	if least := netip.MustParseAddr("64:ff9b::ffff:ffff"); len(longer.Client.String()) < len(least.String()) {
		longer.Client = least
	}
	fits := func(action string) bool {
		for _, line := range wrapped(action, &longer) {
			if len(line) > smtp.MaxLine {
				return false
			}
		}
		return len(action) <= smtp.MaxAction
	}

	// What each placeholder stands for, told alone and with room enough.
	alone := func(placeholder string, s reply.Settings) string {
		short, of := e.Req, *d
		short.ClientName, of.Text = "", "x"+placeholder
		text := (&reply.Texts{Settings: s}).Reply(&short, &e.Facts, &of).Action
		return strings.TrimPrefix(text, d.ReplyHead()+"x")
	}
	values := map[string]string{}
	for _, p := range []string{"{client}", "{helo}", "{name}", "{addresses}", "{recipient}"} {
		values[p] = alone(p, reply.Settings{})
	}
	values["{contact}"] = alone("{contact}", reply.Settings{Contact: s.Contact})

	join := func(b string) string {
		switch {
		case strings.HasSuffix(b, " "):
			return b
		case strings.HasSuffix(b, "...") || !strings.HasSuffix(b, ".") && !strings.HasSuffix(b, "!") && !strings.HasSuffix(b, "?"):
			return b + "; "
		}
		return b + " "
	}
	sentence, named := strings.CutSuffix(d.Text, "{help}")
	if named {
		sentence = strings.TrimRight(sentence, " ")
	}
	if strings.TrimSpace(d.Text) == "" {
		sentence = "Access denied"
	}
	var body, action string
	lost := func(placeholders ...string) {
		for _, p := range placeholders {
			if len(values[p]) > len("...") {
				values[p] = "..."
			}
		}
	}
	for _, loses := range [][]string{nil, {"{helo}", "{name}", "{recipient}"}, {"{addresses}"}, {"{contact}"}} {
		adds := values["{contact}"] != "" && !strings.Contains(d.Text, "{contact}") && !slices.Contains(loses, "{contact}")
		lost(loses...)
		body = sentence
		for p, value := range values {
			body = strings.ReplaceAll(body, p, value)
		}
		action = d.ReplyHead() + body
		if adds {
			action = join(action) + "contact " + values["{contact}"]
		}
		if named {
			action += " "
		} else {
			action = join(action) + "see "
		}
		if action += url; fits(action) {
			return action
		}
	}
	words := strings.TrimRight(body, " ")
	rest := "; see " + url
	if named {
		rest = " " + url
	}
	for {
		i := strings.LastIndexByte(words, ' ')
		if i <= 0 {
			return d.ReplyHead() + url
		}
		words = words[:i]
		if action := d.ReplyHead() + words + " ..." + rest; fits(action) {
			return action
		}
	}
}

// TestCauses: each built-in rule has a cause, of which the page has something to say.
func TestCauses(t *testing.T) {
	rules := policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer}
	if err := rules.OwnNames.Add("mx.example.net"); err != nil {
		t.Fatal(err)
	}
	texts := reply.New(&rules, reply.Settings{})
	for _, tt := range []struct {
		client, rule string
		want         casenumber.Cause
	}{
		{"203.0.113.10 ptr:none helo:mail.example.org>none", "no reverse name", casenumber.NoPTR},
		{"203.0.113.10 localhost>? helo:mail.example.org>none", "no reverse name", casenumber.MalformedPTR},
		{"203.0.113.10 mail.example.org>none helo:mail.example.org>none", "reverse name does not resolve", casenumber.Unresolved},
		{"203.0.113.10 mail.example.org>192.0.2.1 helo:mail.example.org>192.0.2.1", "reverse name resolves elsewhere", casenumber.Elsewhere},
		{"203.0.113.10 203-0-113-10.dynamic.example.org>me helo:mail.example.com>none", "generic name, foreign HELO", casenumber.Generic},
		{"203.0.113.10 203-0-113-10.dynamic.example.org>me helo:203-0-113-10.dynamic.example.org>me from:a@example.org to:b@example.net past:new", "generic name and HELO", casenumber.Wait},
		{"203.0.113.10 mail.example.org>me helo:localhost from:a@example.org to:b@example.net past:new", "HELO is no host name", casenumber.Wait},
		{"203.0.113.10 ptr:none helo:203.0.113.10", "HELO is a bare address", casenumber.HELOBare},
		{"203.0.113.10 ptr:none helo:[192.0.2.9]", "HELO is another address", casenumber.HELOLiteral},
		{"203.0.113.10 ptr:none helo:mx.example.net>192.0.2.1", "HELO is our name", casenumber.HELOOurs},
		{"203.0.113.10 ptr:temperror helo:mail.example.org>none", "no reverse name", casenumber.Undetermined},
	} {
		e := client(t, tt.client)
		d := rules.Judge(&e.Req, &e.Facts)
		got := texts.Reply(&e.Req, &e.Facts, &d)
		if d.Rule != tt.rule || got.Cause != tt.want || !d.Action.Refuses() {
			t.Errorf("%s: %s by %q, cause %s; want %q, %s", tt.client, d.Action, d.Rule, got.Cause, tt.rule, tt.want)
		}
	}
	// Rules of the file's own.
	for _, tt := range []struct {
		client, rule string
		want         casenumber.Cause
	}{
		{"203.0.113.10 ptr:none", "r: reject when client=203.0.113.10", casenumber.Other},
		{"203.0.113.10 203-0-113-10.dynamic.example.org>me", "r: reject when kind=dynamic", casenumber.Generic},
		{"203.0.113.10 mail.example.com>me helo:mail.example.org>none", "r: reject when helo=unresolved", casenumber.HELOUnresolved},
		{"203.0.113.10 mail.example.com>me helo:mail.example.org>192.0.2.1", "r: reject when helo=mismatch", casenumber.HELOElsewhere},
		{"203.0.113.10 mail.example.org>me helo:pc", "r: reject when helo=unresolved", casenumber.HELONoName},
		{"203.0.113.10 mail.example.org>me helo:dsl-203-0-113-10.example.org>none", "r: defer when helo_name=generic", casenumber.HELOGeneric},
		{"203.0.113.10 mail.example.org>me helo:dsl-203-0-113-10.example.org>none past:new", "r: defer when history=new", casenumber.Wait},
	} {
		e := client(t, tt.client)
		own := policy.Rules{List: []policy.Rule{rule(t, tt.rule, "x", "")}, OnDoubt: policy.Defer}
		d := own.Judge(&e.Req, &e.Facts)
		if got := reply.New(&own, reply.Settings{}).Reply(&e.Req, &e.Facts, &d); got.Cause != tt.want || !d.Action.Refuses() {
			t.Errorf("%s, %s: %s, cause %s; want %s", tt.client, tt.rule, d.Action, got.Cause, tt.want)
		}
	}
}

// FuzzReply: whatever a client and the DNS say, a reply is one line of printable ASCII that
// ends with the URL.
func FuzzReply(f *testing.F) {
	f.Add("mail.example.com", "mail.example.org", "user@example.net", "unknown", uint8(0))
	f.Add("a\n\naction=OK", "x\r\n250 OK", "\"\x00\"@example.net", "\xff\xfe", uint8(3))
	f.Add("https://evil.example/{help}", "{client}{contact}", "{help}@{name}", strings.Repeat("é", 300), uint8(1))
	f.Add(strings.Repeat("h", 2048), strings.Repeat("n", 255), strings.Repeat("r", 2048), "", uint8(2))
	list := builtin.Rules()
	rules := policy.Rules{List: list}
	texts := reply.New(&rules, reply.Settings{Contact: "postmaster", Help: helpURL, Keys: keys(f)})
	f.Fuzz(func(t *testing.T, helo, name, recipient, clientName string, which uint8) {
		e := client(t, "203.0.113.10 ptr:none")
		e.Req.HELO, e.Req.Recipient, e.Req.ClientName = helo, recipient, clientName
		e.Facts.Names = []policy.Name{{Name: name, Forward: resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}}
		r := &list[int(which)%len(list)]
		d := policy.Decision{Action: policy.Reject, Decided: policy.Reject, Rule: r.Name, Text: r.Text}
		told := texts.Reply(&e.Req, &e.Facts, &d)
		sent := postfix.NewReply(told.Action).String()
		if !strings.HasSuffix(sent, helpURL+told.Case) || len(sent) > smtp.MaxAction || !strings.HasPrefix(sent, "550 5.7.1 ") || strings.ContainsFunc(sent, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Fatalf("%q", sent)
		}
		if room := smtp.MaxLine - len(wrapped("550 5.7.1 x", &e.Req)[0]) - len(helpURL+told.Case); room > 0 && len(clientName) < 254 {
			for _, line := range wrapped(told.Action, &e.Req) {
				if len(line) > smtp.MaxLine {
					t.Fatalf("%d bytes: %q", len(line), line)
				}
			}
		}
	})
}

func BenchmarkReply(b *testing.B) {
	rules := policy.Rules{List: builtin.Rules()}
	e := client(b, "203.0.113.10 mail.example.com>192.0.2.1 helo:mail.example.org>192.0.2.1 to:user@example.net")
	d := rules.Judge(&e.Req, &e.Facts)
	for _, bb := range []struct {
		name string
		s    reply.Settings
	}{
		{"text alone", reply.Settings{}},
		{"contact", reply.Settings{Contact: "postmaster"}},
		{"contact and case number", reply.Settings{Contact: "postmaster", Help: helpURL, Keys: keys(b)}},
	} {
		texts := reply.New(&rules, bb.s)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = texts.Reply(&e.Req, &e.Facts, &d)
			}
		})
	}
}
