package journal_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/smtp"
	"policyd-rdns/resolver"
)

// dice makes choices from the bytes of a fuzz input, and the first of each when
// they have run out.
type dice []byte

func (d *dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

func (d *dice) flip() bool { return d.roll(2) == 1 }

// text is one that means harm, now and then.
func (d *dice) text() string {
	pieces := []string{
		"", "a.example.com", "user@example.org", "\n", "\r\n", `"`, `\`, ",", ">", "=", " ", "\x00", "\x1b[1m", "\x7f",
		"é", "😀", "\u2028", "\ufffd", "{", "}", "{helo}", "temperror", "none", "+", ":", "msg=other", "%00", "'",
	}
	s := ""
	for range d.roll(4) {
		s += pieces[d.roll(len(pieces))]
	}
	if d.roll(16) == 1 {
		s = strings.Repeat(s, []int{3, 20, 100, 300}[d.roll(4)])
	}
	return strings.ToValidUTF8(s[:min(len(s), 2048)], "?") // as the server takes it
}

// name is one of the DNS: in presentation format.
func (d *dice) name() string {
	return []string{
		"a.example.com", "b.example.com", "ip-203-0-113-10.example.net", "localhost", ".", `my\010host.example.org`, `a\\b.example.com`,
		`a\,b.example.com`, "a,b.example.com", "a>b.example.com", "none", `"quoted".example.com`, "x.example.org", `\"`,
		strings.Repeat("a123456789.", 22) + "example.com", strings.Repeat(`\\,\007`, 60) + ".example.com",
	}[d.roll(16)]
}

func (d *dice) forward() resolver.Forward {
	return forward([]string{
		"", "none", "temperror", "203.0.113.10", "198.51.100.7", "2001:db8::26 2001:db8::25", "::ffff:203.0.113.10",
		"192.0.2.1 198.51.100.9 203.0.113.10 192.0.2.2",
	}[d.roll(8)])
}

func (d *dice) request() policy.Request {
	req := request([]string{"203.0.113.10", "2001:db8::25", "198.51.100.7"}[d.roll(3)], d.text())
	if d.roll(3) == 1 {
		req.HELO = []string{"a.example.com", "x.example.org", "[203.0.113.10]", "[IPv6:2001:db8::25]", "203.0.113.10", "mx.example.org"}[d.roll(6)]
	}
	req.Time = req.Time.Add(time.Duration(d.roll(256)) * 3 * time.Hour)
	req.State = []string{"RCPT", "CONNECT", "MAIL", "", d.text()}[d.roll(5)]
	req.Sender, req.Recipient, req.Instance, req.QueueID = d.text(), d.text(), d.text(), d.text()
	req.ClientName, req.ReverseClientName, req.Context = d.text(), d.text(), d.text()
	req.Authenticated, req.Encrypted = d.roll(8) == 1, d.flip()
	if d.roll(8) == 1 {
		req.Client, req.ClientText = policy.Request{}.Client, d.text()
	}
	if d.flip() {
		req.Server = policy.Request{}.Server
	}
	return req
}

// facts are some that Gather can bring: the well-formed names, or if there is
// none the malformed ones.
func (d *dice) facts(req *policy.Request) policy.Facts {
	f := policy.NewFacts(req)
	if !req.Client.IsValid() {
		return f // nobody asks about it
	}
	f.PTR = []resolver.Outcome{resolver.Found, resolver.None, resolver.TempError, resolver.NotQueried}[d.roll(4)]
	if f.PTR == resolver.Found {
		var malformed []policy.Name
		for range 1 + d.roll([]int{4, 4, 11}[d.roll(3)]) {
			n := policy.NewName(d.name(), req.Client)
			if !n.Valid {
				malformed = append(malformed, n)
				continue
			}
			if n.Forward = d.forward(); len(f.Names) < policy.MaxNames {
				f.Names = append(f.Names, n)
			}
		}
		if f.MoreNames = f.Names != nil && d.roll(4) == 1; f.Names == nil {
			f.Names = malformed
		}
	}
	f.HELO.Forward = d.forward()
	f.OwnClient, f.OwnHELO = d.roll(8) == 1, d.roll(8) == 1
	for range d.roll([]int{3, 13}[d.roll(2)]) {
		e := resolver.LookupError{About: d.name(), Reason: d.text()}
		if d.flip() {
			e.Server = netip.MustParseAddrPort([]string{"192.0.2.53:53", "[2001:db8::53]:5353"}[d.roll(2)])
		}
		f.Errors = append(f.Errors, e)
	}
	// Who came before is asked when all lookups are made that tell who it is.
	open := func(l resolver.Forward) bool { return l.Outcome == resolver.NotQueried }
	made := f.PTR != resolver.NotQueried && !open(f.HELO.Forward) &&
		!slices.ContainsFunc(f.Names, func(n policy.Name) bool { return open(n.Forward) })
	if made && d.flip() {
		ago := func() (t time.Time) {
			if d.flip() {
				t = req.Time.Add(-time.Duration(d.roll(200)) * time.Hour).Truncate(time.Second)
			}
			return t
		}
		f.Past = policy.Past{
			Asked: true, NAT: d.roll(8) == 1, FirstContact: ago(), LastContact: ago(), LastPass: ago(), Returned: ago(), Objected: ago(),
			PassDays: d.roll(3), Party: d.name(), Correspondent: d.flip(), DomainAsked: true,
		}
	}
	f.Past.DomainAsked, f.Past.Unsure = true, f.Past.PassDays == 2 // as good as any
	f.Queries = d.roll(21)
	f.Cached, f.Stale, f.Outage, f.Overload = d.flip(), d.flip(), d.roll(8) == 1, d.roll(8) == 1
	return f
}

// rules look at all that a line has to bring.
func (d *dice) rules(t testing.TB) policy.Rules {
	r := policy.Rules{
		Mode:     []policy.Mode{policy.Enforce, policy.Observe, policy.ObserveInfo}[d.roll(3)],
		OnDoubt:  []policy.Action{policy.Defer, policy.DUNNO}[d.roll(2)],
		OnOutage: []policy.Action{policy.DUNNO, policy.Defer}[d.roll(2)],
		DeferFor: []time.Duration{0, 0, 4 * time.Hour}[d.roll(3)],
		Grace:    []time.Duration{0, 96 * time.Hour}[d.roll(2)],
	}
	for _, err := range []error{r.OwnNames.Add("mx.example.org"), r.Networks.Add("198.51.100.0/28"), r.GenericNames.Add("x.example.org")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, values := range [][]string{
		{"until", "2026-12-01"},
		{"context", "mx in", "\ufffd"},
		{"sender", "<>", "example.org"},
		{"recipient", "user@", "a.example.com"},
		{"ptr_name", "a.example.com"},
		{"helo_is", "x.example.org", "[203.0.113.10]"},
		{"authenticated", "true"},
		{"encrypted", "true"},
		{"strength", "full", "half"},
		{"name", "generic"},
		{"fcrdns", "mismatch", "temperror"},
	} {
		e, errs := policy.NewEntry(values[0], values[1:], values[1:])
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		r.List = append(r.List, policy.Rule{
			Name: "r" + values[0] + strings.Repeat(d.text(), 1+d.roll(2)*20), When: policy.Table{e}, Text: "{client} {helo} {name} {recipient}",
			Action: policy.Action(d.roll(3)), Observe: d.roll(3) > 0, Percent: 50 * (i % 3),
		})
	}
	r.List = append(r.List, builtin.Rules()...)
	return r
}

// aSample is that of a fuzz input.
func aSample(t testing.TB, data []byte) sample {
	d := dice(data)
	s := sample{req: d.request()}
	s.facts = d.facts(&s.req)
	s.rules = d.rules(t)
	return s
}

// cutKeys are how lines begin to say what is cut.
var cutKeys = map[journal.Format]string{journal.Logfmt: " cut=", journal.JSON: `,"cut":`}

// checkLine holds a line to be one, of printable ASCII, and no longer than it may
// be.
func checkLine(t testing.TB, line []byte) {
	t.Helper()
	if len(line) > journal.MaxLine {
		t.Errorf("%d bytes; want at most %d: %s", len(line), journal.MaxLine, line)
	}
	for i, c := range line {
		if c == '\n' && i == len(line)-1 {
			return
		}
		if c < ' ' || c > '~' {
			t.Errorf("%q: byte %#02x at %d; want one printable line", line, c, i)
			return
		}
	}
	t.Errorf("%q: want a newline at the end", line)
}

// asLogged is a record as its line holds it, if nothing is cut but addresses: of
// each name the client's, or else one of its network, or else the first.
func asLogged(r journal.Record) journal.Record {
	r.Decision.Noted = 0            // follows from the rest
	r.Facts.Past.DomainAsked = true // or it did not matter
	r.Facts.Past.Asked = r.Decision.Checks[policy.CheckHistory] != policy.NotLearnt
	bits := 64
	if r.Request.Client.Is4() {
		bits = 24
	}
	network, _ := r.Request.Client.Prefix(bits)
	short := func(l resolver.Forward) resolver.Forward {
		switch near := slices.IndexFunc(l.Addrs, network.Contains); {
		case l.To(r.Request.Client):
			l.Addrs = []netip.Addr{r.Request.Client}
		case near >= 0:
			l.Addrs = l.Addrs[near : near+1]
		case len(l.Addrs) > 1:
			l.Addrs = l.Addrs[:1]
		}
		return l
	}
	r.Facts.Errors = slices.Clone(r.Facts.Errors)
	for i := range r.Facts.Errors {
		e := &r.Facts.Errors[i]
		e.About = strings.ReplaceAll(e.About, ">", "?")
	}
	r.Facts.Names = slices.Clone(r.Facts.Names)
	for i := range r.Facts.Names {
		r.Facts.Names[i].Forward = short(r.Facts.Names[i].Forward)
	}
	r.Facts.HELO.Forward = short(r.Facts.HELO.Forward)
	r.Request.Time = r.Request.Time.UTC()
	r.Elapsed = r.Elapsed.Round(time.Microsecond)
	// They follow from the request, the facts and the rules.
	r.Decision.Code, r.Decision.Text, r.Decision.Doubtful, r.Decision.Undetermined = smtp.Code{}, "", false, false
	r.Decision.Lacks = 0
	return r
}

// checkCut holds a line of which something was cut to say so, to hold the
// beginnings of what there was, and to read the same when it is written again.
func checkCut(t *testing.T, format journal.Format, line []byte, got, want *journal.Record) {
	t.Helper()
	again := format.Append(nil, got)
	if second, err := journal.Parse(again); err != nil || !reflect.DeepEqual(second, *got) {
		t.Errorf("%s is written again as %s, which reads, %v,\n%+v; want\n%+v", line, again, err, second, *got)
	}
	q, w := &got.Request, &want.Request
	for _, text := range [][2]string{
		{q.HELO, w.HELO},
		{q.Sender, w.Sender},
		{q.Recipient, w.Recipient},
		{q.Context, w.Context},
		{q.Instance, w.Instance},
		{q.QueueID, w.QueueID},
		{q.State, w.State},
		{q.ClientName, w.ClientName},
		{q.ClientText, w.ClientText},
		{got.Decision.Rule, want.Decision.Rule},
		{got.Reply, want.Reply},
		{got.ID, want.ID},
		{got.Host, want.Host},
	} {
		if !strings.HasPrefix(text[1], text[0]) || text[0] == "" && text[1] != "" {
			t.Errorf("%s: %q; want the beginning of %q", line, text[0], text[1])
		}
	}
	for _, cut := range []struct {
		is   bool
		name string
		flag policy.Attributes
	}{
		{q.HELO != w.HELO, "helo_is", policy.AttrHELO},
		{q.Sender != w.Sender, "sender", policy.AttrSender},
		{q.Recipient != w.Recipient, "recipient", policy.AttrRecipient},
		{q.Context != w.Context, "context", policy.AttrContext},
	} {
		if (q.Cut&cut.flag != 0) != cut.is {
			t.Errorf("%s: %s is cut: %v; the line says %v", line, cut.name, cut.is, !cut.is)
		}
	}
	if d := &got.Decision; d.Action != want.Decision.Action || d.Decided != want.Decision.Decided || d.Checks != want.Decision.Checks {
		t.Errorf("%s reads %+v; want %+v", line, *d, want.Decision)
	}
}

// checkRoundTrip writes a sample, reads it back and judges it again.
func checkRoundTrip(t *testing.T, s *sample) {
	t.Helper()
	r := s.record()
	for name, format := range formats {
		line := format.Append(nil, &r)
		checkLine(t, line)
		got, err := journal.Parse(line)
		if err != nil {
			t.Errorf("%s: Parse(%s): %v", name, line, err)
			continue
		}
		want := asLogged(r)
		want.Decision.Mode = got.Decision.Mode
		cut := bytes.Contains(line, []byte(cutKeys[format]))
		if cut {
			checkCut(t, format, line, &got, &want)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s reads\n%+v; want\n%+v", name, line, got, want)
		}
		if got.Decision.Mode.String() != r.Decision.Mode.String() {
			t.Errorf("%s: mode %v; want %v", name, got.Decision.Mode, r.Decision.Mode)
		}
		again := s.rules.Judge(&got.Request, &got.Facts)
		if again.Undetermined && got.Request.Cut != 0 {
			continue // for a text that is not whole
		}
		before := r.Decision
		if cut {
			again.Text, before.Text = "", "" // what is not whole may be in it
		}
		if !reflect.DeepEqual(again, before) {
			t.Errorf("%s: %s judged again:\n%+v; want\n%+v", name, line, again, r.Decision)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range samples() {
		checkRoundTrip(t, &s)
	}
	random := rand.NewChaCha8([32]byte{1})
	for range 3000 {
		data := make([]byte, 160)
		_, _ = random.Read(data)
		s := aSample(t, data)
		checkRoundTrip(t, &s)
		if t.Failed() {
			return
		}
	}
}

func TestRoundTripLists(t *testing.T) {
	all := [][]string{{"a", "b"}, {"a,b", "c"}, {`a\`, "b"}, {`\,`, `,\`}, {`\\`}, {","}, {"a\nb", "\x00"}}
	for _, elems := range all {
		s := samples()[0]
		s.facts.Errors = nil
		for _, e := range elems {
			s.facts.Errors = append(s.facts.Errors, resolver.LookupError{About: e, Reason: e})
		}
		checkRoundTrip(t, &s)
	}
}

// FuzzAppend: whatever the facts and the rules, a line is printable and brings
// the same decision when it is judged again.
func FuzzAppend(f *testing.F) {
	random := rand.NewChaCha8([32]byte{2})
	for n := range 30 {
		data := make([]byte, 6*n)
		_, _ = random.Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := aSample(t, data)
		checkRoundTrip(t, &s)
	})
}

// FuzzText: any text in any key leaves one printable line, in which all else
// is as it was.
func FuzzText(f *testing.F) {
	for _, text := range []string{"", "a b", "\n", "\xff\x00", `","action":"dunno`, "x action=dunno", `\`, `"`, "😀\u2029", "a,b", "{\"", "'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := samples()[2]
		s.req.Sender, s.req.Context, s.req.QueueID, s.req.ClientText = text, text, text, text
		s.facts.Errors = []resolver.LookupError{{About: "x.example.org", Reason: text}, {About: "y"}}
		r := s.record()
		r.ID, r.Reply, r.Host = text, text, text
		for name, format := range formats {
			line := format.Append([]byte("before\n"), &r)
			line, found := bytes.CutPrefix(line, []byte("before\n"))
			checkLine(t, line)
			got, err := journal.Parse(line)
			if err != nil || !found {
				t.Errorf("%s: Parse(%s): %v", name, line, err)
				continue
			}
			want := asUTF8(text)
			for _, read := range []string{got.Request.Sender, got.Request.Context, got.Request.QueueID, got.ID, got.Reply, got.Host} {
				if !begins(read, want) {
					t.Errorf("%s: %q reads %q", name, text, read)
				}
			}
			if errs := got.Facts.Errors; len(errs) != 2 || errs[0].About != "x.example.org" || !begins(errs[0].Reason, want) || errs[1] != s.facts.Errors[1] {
				t.Errorf("%s: errors %q; want %q of x.example.org, and y", name, errs, want)
			}
			if got.Request.HELO != s.req.HELO || got.Decision.Action != r.Decision.Action || got.Decision.Rule != r.Decision.Rule {
				t.Errorf("%s: %q elsewhere changes %s", name, text, line)
			}
		}
	})
}

// begins reports whether a text is another, or if that is long its beginning.
func begins(beginning, whole string) bool {
	const short = 2 // each rune may take 12 bytes
	return beginning == whole || len([]rune(whole)) > short && beginning != "" && strings.HasPrefix(whole, beginning)
}

// asUTF8 is what a reader of JSON makes of a text: U+FFFD for each byte that is
// not UTF-8.
func asUTF8(s string) string { return string([]rune(s)) }
