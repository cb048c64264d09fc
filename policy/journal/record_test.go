package journal_test

import (
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// formats are both.
var formats = map[string]journal.Format{"logfmt": journal.Logfmt, "json": journal.JSON}

// A sample is a request with its facts, and the rules that it was judged by.
type sample struct {
	name  string
	req   policy.Request
	facts policy.Facts
	rules policy.Rules
}

// record is the sample as the daemon would log it.
func (s *sample) record() journal.Record {
	d := s.rules.Judge(&s.req, &s.facts)
	keys, err := casenumber.ParseKeys("key-1-0123456789abcdef")
	if err != nil {
		panic(err)
	}
	texts := reply.New(&s.rules, reply.Settings{Contact: "postmaster", Help: "https://mx.example.com/rdns/", Keys: keys})
	r := journal.Record{
		ID: "1z141z3", Config: "5f2d1a90", Host: "mx1.example.com", Elapsed: 1234567 * time.Nanosecond,
		Request: s.req, Facts: s.facts, Decision: d,
	}
	if d.Action != policy.DUNNO {
		told := texts.Reply(&s.req, &s.facts, &d)
		r.Reply, r.Case = told.Action, told.Case
	}
	return r
}

func addrs(text string) []netip.Addr {
	var all []netip.Addr
	for s := range strings.FieldsSeq(text) {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

// request is one for a recipient.
func request(client, helo string) policy.Request {
	return policy.Request{
		Time:   time.Date(2026, 11, 23, 8, 30, 15, 250e6, time.UTC),
		Client: netip.MustParseAddr(client), HELO: helo, State: "RCPT",
		Sender: "alice@example.org", Recipient: "bob@example.com", Instance: "1b2c.66f0a1b2.c3d4e.0",
		Server: netip.MustParseAddr("192.0.2.25"), ClientName: "unknown", ReverseClientName: "unknown",
	}
}

// named adds a name and what it resolves to: "none", "temperror", "" or addresses.
func named(req *policy.Request, f *policy.Facts, name, to string) {
	n := policy.NewName(name, req.Client)
	n.Forward = forward(to)
	f.PTR, f.Names = resolver.Found, append(f.Names, n)
}

func forward(to string) resolver.Forward {
	switch to {
	case "":
		return resolver.Forward{}
	case "none":
		return resolver.Forward{Outcome: resolver.None}
	case "temperror":
		return resolver.Forward{Outcome: resolver.TempError}
	}
	return resolver.Forward{Outcome: resolver.Found, Addrs: addrs(to)}
}

// day is a day of November 2026.
func day(n int) time.Time { return time.Date(2026, 11, n, 8, 0, 0, 0, time.UTC) }

// samples show every key of a line.
func samples() []sample {
	builtin := policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()}

	nameless := sample{name: "no reverse name", req: request("203.0.113.10", "mail.example.org"), rules: builtin}
	nameless.facts = policy.NewFacts(&nameless.req)
	nameless.facts.PTR = resolver.None
	nameless.facts.HELO.Forward = forward("198.51.100.7 198.51.100.8")
	nameless.facts.Queries = 2
	nameless.req.QueueID, nameless.req.Context = "4ZxY3k1Nw2z5QkG", "mx in"

	well := sample{name: "well set up", req: request("2001:db8::25", "mail.example.org"), rules: builtin}
	well.facts = policy.NewFacts(&well.req)
	named(&well.req, &well.facts, "mail.example.org", "2001:db8::25")
	named(&well.req, &well.facts, "2001-db8--25.example.net", "2001:db8::25") // does no harm
	well.facts.HELO.Forward = forward("2001:db8::25")
	well.facts.Cached, well.facts.Stale = true, true
	well.req.ClientName, well.req.ReverseClientName = "mail.example.org", "mail.example.org"
	well.req.Encrypted = true

	failing := sample{name: "a temporary failure, and hostile names", req: request("203.0.113.10", "a b\n\"=\\\x00é😀"), rules: builtin}
	failing.facts = policy.NewFacts(&failing.req)
	named(&failing.req, &failing.facts, "ip-203-0-113-10.example.net", "temperror")
	named(&failing.req, &failing.facts, "a.example.net", "none")
	named(&failing.req, &failing.facts, "b.example.net", "198.51.100.7")
	failing.facts.MoreNames = true
	failing.facts.Errors = []resolver.LookupError{
		{About: "ip-203-0-113-10.example.net", Server: netip.MustParseAddrPort("192.0.2.53:53"), Reason: "SERVFAIL"},
		{About: "ip-203-0-113-10.example.net", Server: netip.MustParseAddrPort("[2001:db8::53]:53"), Reason: "no reply (but a reply to another query)"},
		{About: "mail.example.org", Reason: `CNAME loop at "a>b, \c"`},
	}
	failing.facts.Queries = 6

	remembered := sample{name: "remembered", req: request("203.0.113.10", "mail.example.org"), rules: policy.Rules{
		OnDoubt: policy.Defer, DeferFor: 4 * time.Hour, List: []policy.Rule{{Name: "all", Action: policy.Reject, Text: "no"}},
	}}
	remembered.facts = policy.NewFacts(&remembered.req)
	named(&remembered.req, &remembered.facts, "mail.example.org", "203.0.113.10")
	remembered.facts.HELO.Forward = forward("203.0.113.10")
	remembered.facts.Past = policy.Past{
		Asked: true, FirstContact: day(20), LastContact: day(23), LastPass: day(21), PassDays: 2, Returned: day(20), Objected: day(23),
		Party: "example.org", Correspondent: true,
	}

	outage := sample{name: "no DNS server answers, and too many ask", req: request("203.0.113.10", "ubuntu"), rules: builtin}
	outage.facts = policy.NewFacts(&outage.req)
	outage.facts.PTR, outage.facts.Errors = resolver.TempError, []resolver.LookupError{{About: "203.0.113.10", Reason: "deadline"}}
	outage.facts.Outage, outage.facts.Overload = true, true

	watched := sample{name: "observed, by INFO", req: request("203.0.113.10", "ourhost"), rules: policy.Rules{
		Mode: policy.ObserveInfo, OnDoubt: policy.Defer, List: []policy.Rule{
			{Name: "watch, closely", Action: policy.Defer, Observe: true},
			{Name: "all", Action: policy.Reject, Text: "no, {helo} at {name}"},
		},
	}}
	watched.facts = policy.NewFacts(&watched.req)
	named(&watched.req, &watched.facts, `my\,host`, "")
	watched.facts.OwnClient, watched.facts.OwnHELO = true, true
	watched.req.Authenticated, watched.req.Sender = true, ""

	nobody := sample{name: "no address", req: policy.Request{
		Time: time.Date(2026, 11, 23, 9, 30, 15, 0, time.FixedZone("", 3600)), ClientText: "unknown", State: "CONNECT",
	}, rules: builtin}
	nobody.facts = policy.NewFacts(&nobody.req)

	long := sample{name: "more than a line takes", req: request("203.0.113.10", strings.Repeat("b", 385)), rules: builtin}
	long.facts = policy.NewFacts(&long.req)
	for range 4 {
		named(&long.req, &long.facts, "_", "")
		long.facts.Errors = append(long.facts.Errors, resolver.LookupError{About: "203.0.113.10", Reason: strings.Repeat("e", 121)})
	}
	long.req.Sender, long.req.Context = strings.Repeat("é", 75)+"@example.org", strings.Repeat("c", 129)
	for _, s := range []*sample{&nameless, &well, &failing, &outage, &long} {
		s.facts.Past.Asked, s.facts.Past.DomainAsked = true, true
	}
	return []sample{nameless, well, failing, remembered, outage, watched, nobody, long}
}

// golden are the lines of testdata/lines.txt: for each sample its name as a
// comment, the logfmt line and the JSON line.
func golden(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		name, lines, _ := strings.Cut(strings.TrimPrefix(block, "# "), "\n")
		blocks[name] = strings.TrimSuffix(lines, "\n")
	}
	return blocks
}

var update = flag.Bool("update", false, "write testdata and the package comment's list of keys anew")

func TestLines(t *testing.T) {
	if *update {
		var text strings.Builder
		for i, s := range samples() {
			r := s.record()
			text.WriteString([]string{"", "\n"}[min(i, 1)] + "# " + s.name + "\n")
			text.Write(journal.JSON.Append(journal.Logfmt.Append(nil, &r), &r))
		}
		if err := os.WriteFile("testdata/lines.txt", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := golden(t)
	for _, s := range samples() {
		r := s.record()
		for c := policy.CheckHistory + 1; c < policy.NumChecks; c++ {
			r.Decision.Checks[c] = policy.NotLearnt // a further check adds its key
		}
		lines := journal.JSON.Append(journal.Logfmt.Append(nil, &r), &r)
		if got := strings.TrimSuffix(string(lines), "\n"); got != want[s.name] {
			t.Errorf("%s:\n%s\nwant\n%s", s.name, got, want[s.name])
		}
	}
}
