package why

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// noon is when the questions of these tests are asked, in a place that is an hour ahead.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.FixedZone("", 3600))

// ask asks about a word.
func ask(t *testing.T, log []byte, word string, o Options) (answer string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	o.Files = []string{"-"}
	c := Command{Config: config.Defaults(), Stdin: bytes.NewReader(log), Stdout: &out, Stderr: &problems, Now: noon}
	err = c.Run(t.Context(), word, &o)
	if problems.Len() > 0 {
		t.Errorf("why %q tells of problems: %s", word, problems.String())
	}
	return out.String(), err
}

// refused is a line about a client without a name that was decided by the built-in rules
// and then changed.
func refused(at time.Time, client, instance, recipient string, change func(*journal.Record)) []byte {
	return week.Line(func(r *journal.Record) {
		q := &r.Request
		r.ID = "e13w" + instance
		q.Time, q.Client, q.HELO, q.Instance, q.Recipient = at, netip.MustParseAddr(client), "pc.example.net", instance, recipient
		r.Facts = policy.NewFacts(q)
		r.Facts.PTR, r.Facts.Past = resolver.None, policy.Past{Asked: true, DomainAsked: true}
		r.Facts.HELO.Forward = resolver.Forward{Outcome: resolver.None}
		r.Decision = config.Defaults().Rules.Judge(q, &r.Facts)
		if change != nil {
			change(r)
		}
		if r.Decision.Action != policy.DUNNO {
			r.Reply = reply.Plain(&r.Request, &r.Facts, &r.Decision)
		}
	})
}

// TestSince: which time the words of --since and --until mean.
func TestSince(t *testing.T) {
	var log []byte
	for days := 10; days >= 0; days-- {
		log = append(log, refused(noon.AddDate(0, 0, -days), "192.0.2.1", fmt.Sprint("i", days), "user@example.com", nil)...)
	}
	for _, test := range []struct {
		since, until string
		want         string // in the first line
	}{
		{"", "", "since 2026-11-13 12:00:00: 8 messages;"},
		{"1w", "", "since 2026-11-13 12:00:00: 8 messages;"},
		{"2d", "", "since 2026-11-18 12:00:00: 3 messages;"},
		{"today", "", "since 2026-11-20 00:00:00: 1 message;"},
		{"yesterday", "", "since 2026-11-19 00:00:00: 2 messages;"},
		{"yesterday", "today", "from 2026-11-19 00:00:00 to 2026-11-20 00:00:00: 1 message;"},
		{"2026-11-12", "2026-11-14", "from 2026-11-12 00:00:00 to 2026-11-14 00:00:00: 2 messages;"},
		{"26h", "12:00", "from 2026-11-19 10:00:00 to 2026-11-20 12:00:00: 1 message;"},
	} {
		answer, err := ask(t, log, "192.0.2.1", Options{Since: test.since, Until: test.until})
		answer = strings.Join(strings.Fields(answer), " ")
		if want := `"192.0.2.1" ` + test.want; err != nil || !strings.HasPrefix(answer, want) {
			t.Errorf("--since %q --until %q: %v, %.120s; want %s", test.since, test.until, err, answer, want)
		}
	}
	answer, err := ask(t, log, "192.0.2.1", Options{Since: "yesterday", Until: "2026-11-19 11:00", UTC: true})
	if !errors.Is(err, exit.ErrNotWell) || !strings.Contains(answer, "11 lines were read.") {
		t.Errorf("a time with nothing: %v, %s", err, answer)
	}
}

// TestCase: the number of a case finds the refusals of its client in its minute, with the
// key and without, however old they are.
func TestCase(t *testing.T) {
	const line = "key-1-0123456789abcdef"
	keys, err := casenumber.ParseKeys(line)
	if err != nil {
		t.Fatal(err)
	}
	at := noon.AddDate(0, 0, -20)
	number := keys.Make(casenumber.Case{Cause: casenumber.NoPTR, At: at, Client: netip.MustParseAddr("192.0.2.1")})
	log := slices.Concat(
		refused(at.Add(-time.Second), "192.0.2.1", "before", "user@example.com", nil),
		refused(at.Add(30*time.Second), "192.0.2.1", "told", "user@example.com", nil),
		refused(at.Add(31*time.Second), "192.0.2.2", "other", "user@example.com", nil),
		refused(at.Add(32*time.Second), "192.0.2.1", "passed", "user@example.com", func(r *journal.Record) {
			r.Decision = policy.Decision{}
		}),
		refused(at.Add(time.Minute), "192.0.2.1", "after", "user@example.com", nil))
	file := filepath.Join(t.TempDir(), "case.keys")
	for _, tt := range []struct{ keys, word, want string }{
		{"", number, "not verified: there is no key here"},
		{"", "https://mx.example.com/rdns/" + strings.ToUpper(number), "not verified: there is no key here"},
		{line, number, "verified"},
		{"key-2-0123456789abcdef\n" + line, number, "verified"},
		{"key-2-0123456789abcdef", number, "case number too old or not ours"},
	} {
		var out, problems bytes.Buffer
		c := Command{Config: config.Defaults(), Stdin: bytes.NewReader(log), Stdout: &out, Stderr: &problems, Now: noon}
		if tt.keys != "" {
			if err := os.WriteFile(file, []byte(tt.keys), 0o600); err != nil {
				t.Fatal(err)
			}
			c.Config.Reply.KeyFile = file
		}
		err := c.Run(t.Context(), tt.word, &Options{Files: []string{"-"}, UTC: true})
		answer := strings.Join(strings.Fields(out.String()), " ")
		want := "A case of 192.0.2.1 at " + at.UTC().Format(time.DateTime) + ", cause no-ptr (" + tt.want + ")."
		if err != nil || !strings.HasPrefix(answer, want) || !strings.Contains(answer, "1 message; case number in 1.") || !strings.Contains(answer, "e13wtold") {
			t.Errorf("why %s with the keys %q: %v, %s; want %s", tt.word, tt.keys, err, answer, want)
		}
	}
}

// TestAnswers: what is told of each outcome.
func TestAnswers(t *testing.T) {
	const mx = "192.0.2.1"
	at := noon.Add(-time.Hour)
	one := func(change func(*journal.Record)) []byte { return refused(at, mx, "1", "user@example.com", change) }
	for _, test := range []struct {
		about string
		log   []byte
		o     Options
		want  []string // parts, without the line breaks
		not   string   // and what is not told
	}{
		{
			"a message of several recipients",
			slices.Concat(one(nil), refused(at, mx, "1", "b@example.com", nil), refused(at, mx, "1", "c@example.com", nil), refused(at.Add(time.Second), mx, "2", "c@example.com", nil)),
			Options{},
			[]string{
				"2 messages; client address in 2.", "2026-11-20 11:00:01 rejected, 2 times since 2026-11-20 11:00:00 e13w2", "recipient c@example.com, b@example.com and user@example.com.",
				`Rule "no reverse name" decided. The reason: no reverse name`, "The sender read: 550 5.7.1 <c@example.com>: Recipient address rejected: ", "To let it pass: policyd-rdns allow 192.0.2.1",
			},
			"[[exempt]]",
		},
		{
			"a reject that waits, and was told apart from one that does not",
			slices.Concat(one(nil), refused(at.Add(-time.Hour), mx, "2", "user@example.com", func(r *journal.Record) {
				r.Decision.Action, r.Decision.Decided, r.Decision.Waiting = policy.Defer, policy.Defer, 3600
				r.Decision.Checks[policy.CheckHistory] = policy.New
			})),
			Options{},
			[]string{
				"2026-11-20 11:00:00 rejected", "2026-11-20 10:00:00 deferred for now", "resolve; never seen before.",
				"It is refused (5xx) in 1 h if nothing changes (defer_for).", "The sender read: 450 4.7.1 <user@example.com>: ", "To let it pass: policyd-rdns allow 192.0.2.1",
			},
			"It was not a reject",
		},
		{
			"a known client's",
			one(func(r *journal.Record) {
				r.Decision.Action, r.Decision.Decided, r.Decision.Waiting = policy.Defer, policy.Defer, 273_600
				r.Decision.Checks[policy.CheckHistory] = policy.Known
				r.Facts.Past = policy.Past{Asked: true, FirstContact: at.AddDate(0, -1, 0), LastPass: at.AddDate(0, 0, -1), PassDays: 2, Party: "example.org"}
			}),
			Options{},
			[]string{"deferred for now", "known since 2026-10-20, as example.org.", "It is refused (5xx) in 3 days 4 h if nothing changes (grace, since the client is known)."},
			"It was not a reject",
		},
		{"a block", one(nil), Options{Block: true}, []string{`[[exempt]] when = { client = "192.0.2.1" }`}, "All about"},
		{
			"a confirmed name",
			one(func(r *journal.Record) {
				n := policy.NewName("mail.example.org", r.Request.Client)
				n.Forward = resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{r.Request.Client}}
				r.Facts.PTR, r.Facts.Names = resolver.Found, []policy.Name{n}
			}),
			Options{},
			[]string{"From 192.0.2.1 (mail.example.org)", "policyd-rdns allow mail.example.org"},
			"allow 192.0.2.1",
		},
		{
			"an exemption",
			one(func(r *journal.Record) {
				r.Decision = policy.Decision{Rule: "partner", Exempt: true, Why: "ticket 4711."}
			}),
			Options{},
			[]string{"passed by an exemption e13w1", `Exemption "partner" applied: ticket 4711.`},
			"allow",
		},
		{
			"a tag",
			one(func(r *journal.Record) {
				r.Decision = policy.Decision{Action: policy.Tag, Tags: []string{"odd", "new"}}
			}),
			Options{},
			[]string{"passed with a tag", `No rule decided. Seen: tagged by odd, new. Rule "odd" tagged it: the message got a header that later filters can score. Rule "new" tagged it`},
			"allow",
		},
		{
			"held",
			one(func(r *journal.Record) {
				r.Decision = policy.Decision{Action: policy.Hold, Decided: policy.Hold, Rule: "look", Text: "look at it"}
			}),
			Options{},
			[]string{"held for the administrator", `Rule "look" decided.`, "hold queue", "policyd-rdns allow 192.0.2.1"},
			"The sender read",
		},
		{
			"observed",
			one(func(r *journal.Record) {
				r.Decision.Action, r.Decision.Mode = policy.DUNNO, policy.Observe
			}),
			Options{},
			[]string{"passed, as mode is observe: would have been rejected", "policyd-rdns allow 192.0.2.1"},
			"The sender read",
		},
		{
			"early",
			one(func(r *journal.Record) {
				r.Request.State = "MAIL"
				r.Decision = policy.Decision{Early: true, Rule: "postmaster"}
			}),
			Options{},
			[]string{"passed for now", `Rule "postmaster" may spare it`},
			"allow",
		},
		{
			"Postfix's own lookup",
			one(func(r *journal.Record) {
				r.Facts.PTR, r.Request.ClientName, r.Request.Sender = resolver.NotQueried, "mail.example.org", ""
				r.Decision = policy.Decision{Rule: "logged in", Exempt: true}
			}),
			Options{},
			[]string{"From 192.0.2.1 (mail.example.org by Postfix's own lookup), HELO pc.example.net; sender <>; recipient user@example.com."},
			"allow",
		},
		{
			"hostile",
			one(func(r *journal.Record) {
				r.Request.HELO, r.Request.Sender = "\x1b[2J\u202e"+strings.Repeat("x", 2000), "a\r\nb@\x9b"
				r.Decision.Rule, r.Decision.Text = "a\x1bb", "\x1b]0;owned\a"
			}),
			Options{},
			[]string{"HELO ?[2J?", "sender a??b@?", `Rule "a\U0000001Bb" decided.`},
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		},
	} {
		answer, err := ask(t, test.log, mx, test.o)
		flat := strings.Join(strings.Fields(answer), " ")
		for _, want := range test.want {
			if err != nil || !strings.Contains(flat, want) {
				t.Errorf("%s: %v\n%s\nwant %s", test.about, err, answer, want)
			}
		}
		if strings.Contains(flat, test.not) {
			t.Errorf("%s:\n%s\nthat tells %s", test.about, answer, test.not)
		}
		checkPlain(t, answer)
	}
}

// checkPlain: an answer is lines of printable ASCII.
func checkPlain(t *testing.T, answer string) {
	t.Helper()
	if i := strings.IndexFunc(answer, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }); i >= 0 {
		t.Errorf("byte %d of an answer is no text: %q", i, answer)
	}
}

// TestCrowds: many tries are one paragraph, and many kinds are not told without end.
func TestCrowds(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the race detector has nothing to see, and takes half a minute")
	}
	var log []byte
	at := noon.Add(-time.Hour)
	for i := range 10_000 {
		client := netip.AddrFrom4([4]byte{203, 0, 113, byte(i % 4)}).String()
		if i%2 > 0 {
			client = netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}).String()
		}
		log = append(log, refused(at.Add(time.Duration(i)*time.Millisecond), client, fmt.Sprint("x", i), "user@example.com", nil)...)
	}
	answer, err := ask(t, log, "pc.example.net", Options{})
	flat := strings.Join(strings.Fields(answer), " ")
	if want := `10,000 messages; HELO in 10,000. 2026-11-20 11:00:09 rejected, 10,000 times since 2026-11-20 11:00:00 e13wx9999 From more than 2,000 clients, most from 203.0.113.2 (2,500), 203.0.113.0 (2,500)`; err != nil || !strings.Contains(flat, want) {
		t.Errorf("of 10,000 tries: %v\n%s\nwant %s", err, answer, want)
	}
	if n := strings.Count(answer, "\n"); n > 16 {
		t.Errorf("10,000 tries take %d lines; want a paragraph:\n%s", n, answer)
	}
	answer, err = ask(t, log, "203.0.113.2", Options{})
	if n := strings.Count(answer, "\n"); err != nil || n > 14 || !strings.Contains(answer, "rejected, 2,500 times since") {
		t.Errorf("of one client: %v\n%s", err, answer)
	}

	log = nil
	for i := range 1000 {
		log = append(log, refused(at, "192.0.2.1", fmt.Sprint("x", i), "user@example.com", func(r *journal.Record) { r.Decision.Rule = fmt.Sprint("rule ", i%300) })...)
	}
	answer, err = ask(t, log, "192.0.2.1", Options{})
	if n := strings.Count(answer, "\n"); err != nil || n > mostGroups*12 || !strings.Contains(answer, "more in 181 groups, the last of 2026-11-20 11:00:00") {
		t.Errorf("of 300 rules: %v, %d lines:\n%s", err, n, answer[max(0, len(answer)-500):])
	}
}

// FuzzWhy: whatever is asked, of whatever log, the answer is printable text of bounded
// length.
func FuzzWhy(f *testing.F) {
	for _, helo := range testbed.HostileHELOs() {
		line := refused(noon, "192.0.2.1", "1", helo+"@example.com", func(r *journal.Record) { r.Request.HELO, r.ID, r.Decision.Why = helo, helo, helo })
		f.Add("192.0.2.1", line)
		f.Add(helo, line)
	}
	f.Add("0.0.0.0/0", []byte("time=2026-11-20T11:00:00.000Z level=INFO msg=decision id=x action=zap queries=0 client_address=\"a\\nb\" helo_is=y ms=1.0\n"))
	f.Fuzz(func(t *testing.T, word string, log []byte) {
		var out, problems bytes.Buffer
		c := Command{Config: config.Defaults(), Stdin: bytes.NewReader(log), Stdout: &out, Stderr: &problems, Now: noon}
		_ = c.Run(t.Context(), word, &Options{Files: []string{"-"}, Block: true, Since: "0001-01-01"})
		checkPlain(t, out.String())
		checkPlain(t, problems.String())
		if n := out.Len(); n > 100_000 {
			t.Errorf("an answer of %d bytes", n)
		}
	})
}
