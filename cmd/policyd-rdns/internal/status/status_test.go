package status

import (
	"fmt"
	"html"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// ownScript is the one that every page has.
const ownScript = `<script src="/live.js" defer></script>`

// noon is when the tests look at the page.
var noon = time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)

// well is the state of a daemon that has nothing to complain of.
func well() State {
	return State{
		State: metrics.State{
			Resolver:     resolver.Stats{Hits: 9, Misses: 1, Servers: []resolver.ServerStats{{Addr: netip.MustParseAddrPort("192.0.2.53:53"), Answers: 1, Took: time.Millisecond}}},
			CacheEntries: 100_000, MaxInFlight: 500, MaxConnections: 2000, Config: "09388c781a7e", Mode: "enforce",
		},
		Version: "1.2.3", Host: "mx.example.com", Started: noon.Add(-3 * time.Hour), Loaded: noon.Add(-time.Hour), Listening: true, Rules: 13,
	}
}

// tested is a page with sources that say next to nothing.
func tested(state State) *Page {
	return New(Source{
		State: func() State { return state },
		Summary: func(r *journal.Record) Summary {
			name := "-"
			if len(r.Facts.Names) > 0 {
				name = r.Facts.Names[0].Name
			}
			return Summary{r.Request.Client.String(), name, r.Request.HELO, r.Decision.Rule, "for a reason"}
		},
		Explain: func(r *journal.Record) Explanation {
			return Explanation{Decision: []string{"explained " + r.ID}, Reads: r.Reply}
		},
	}, func() time.Time { return noon })
}

// record is a decision about a client so long before noon.
func record(id, client string, ago time.Duration, a policy.Action) *journal.Record {
	r := &journal.Record{
		ID: id, Config: "09388c781a7e",
		Request:  policy.Request{Time: noon.Add(-ago), Client: netip.MustParseAddr(client), HELO: "mail.example.org", Sender: "a@example.org", Recipient: "b@example.com", State: "RCPT"},
		Decision: policy.Decision{Action: a, Decided: a, Rule: "a rule"},
	}
	if a != policy.DUNNO {
		r.Reply = "550 5.7.1 no"
	}
	return r
}

func (p *Page) keep(records ...*journal.Record) {
	for _, r := range records {
		p.Keep(r, journal.Logfmt.Append(nil, r))
	}
}

func get(p *Page, path string) (status int, body string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// listed are the IDs of the decisions that a page links to, in their order.
func listed(body string) string {
	var ids []string
	for part := range strings.SplitSeq(body, `href="/decision/`) {
		id, _, _ := strings.Cut(part, `"`)
		ids = append(ids, id)
	}
	return strings.Join(ids[1:], " ")
}

// TestSearch finds decisions by all that a mail administrator may have in hand.
func TestSearch(t *testing.T) {
	p := tested(well())
	named := record("r1", "203.0.113.10", 5*time.Hour, policy.Reject)
	named.Facts.Names = []policy.Name{{Name: "ip-10.provider.example"}}
	heloGiven := record("d1", "2001:db8::1", 4*time.Hour, policy.Defer)
	heloGiven.Request.HELO = "Ubuntu"
	mailed := record("p1", "198.51.100.7", time.Hour, policy.DUNNO)
	mailed.Request.Sender, mailed.Request.QueueID = "boss@customer.example", "4XyZ"
	p.keep(named, heloGiven, mailed, record("r2", "203.0.113.10", time.Minute, policy.Reject), record("r3", "203.0.113.101", time.Second, policy.Reject))
	for _, test := range []struct{ q, show, want string }{
		{"", "", "r3 r2 d1 r1"},
		{"", "rejected", "r3 r2 r1"},
		{"", "deferred", "d1"},
		{"", "passed", "p1"},
		{"", "all", "r3 r2 p1 d1 r1"},
		{"203.0.113.10", "", "r2 r1"},
		{" 203.0.113.10\t", "", "r2 r1"},
		{"203.0.113.", "", "r3 r2 r1"},
		{"203.0.113.0/24", "", "r3 r2 r1"},
		{"::ffff:203.0.113.10", "", "r2 r1"},
		{"64:ff9b::203.0.113.10", "", "r2 r1"},
		{"[64:ff9b::203.0.113.10]", "", "r2 r1"},
		{"64:ff9b::cb00:7100/120", "", "r3 r2 r1"},
		{"64:ff9b::/96", "all", "r3 r2 p1 r1"},
		{"64:ff9b::/64", "all", ""},
		{"2001:DB8:0::1", "", "d1"},
		{"[2001:db8::1]", "", "d1"},
		{"2001:db8::/32", "all", "d1"},
		{"PROVIDER.example", "", "r1"},
		{"ubuntu", "", "d1"},
		{"r2", "", "r2"},
		{"R2", "", "r2"},
		{"customer.example", "", ""},
		{"customer.example", "all", "p1"},
		{"4xyz", "passed", "p1"},
		{"b@example.com", "all", "r3 r2 p1 d1 r1"},
		{"nobody", "all", ""},
	} {
		status, body := get(p, "/?"+url.Values{"q": {test.q}, "show": {test.show}}.Encode())
		if got := listed(body); status != 200 || got != test.want {
			t.Errorf("q=%q show=%q: %d, %q; want %q", test.q, test.show, status, got, test.want)
		}
	}
}

// TestAlike: decisions about one client that are alike are one line, the last of
// them, with their number.
func TestAlike(t *testing.T) {
	p := tested(well())
	for i := range 5 {
		p.keep(record(fmt.Sprintf("a%d", i), "203.0.113.10", time.Duration(9-i)*time.Minute, policy.Reject))
	}
	other := record("o1", "203.0.113.10", time.Minute, policy.Reject)
	other.Request.HELO = "another.example"
	p.keep(other, record("b1", "203.0.113.11", time.Second, policy.Reject))
	_, body := get(p, "/")
	if got := listed(body); got != "b1 o1 a4" {
		t.Errorf("listed %q; want b1 o1 a4", got)
	}
	if !strings.Contains(body, `title="All decisions about this client">×5<`) {
		t.Errorf("the five are not counted:\n%s", body)
	}
}

// TestPages: a long list comes in parts, and none is lost between them.
func TestPages(t *testing.T) {
	p := tested(well())
	const n = 2*rowsShown + 3
	for i := range n {
		p.keep(record(fmt.Sprintf("x%03d", i), fmt.Sprintf("203.0.113.%d", i), time.Duration(n-i)*time.Second, policy.Reject))
	}
	for _, q := range []string{"", "203.0.113."} {
		var all []string
		path := "/?" + url.Values{"q": {q}}.Encode()
		for pages := 0; path != ""; pages++ {
			_, body := get(p, path)
			all = append(all, strings.Fields(listed(body))...)
			path = ""
			if _, rest, ok := strings.Cut(body, `rel="next"`); ok {
				before := body[:len(body)-len(rest)]
				path, _, _ = strings.Cut(before[strings.LastIndex(before, `href="`)+len(`href="`):], `"`)
				path = html.UnescapeString(path)
			}
			if pages > 5 {
				t.Fatalf("q=%q: no end of pages", q)
			}
		}
		if len(all) != n || all[0] != fmt.Sprintf("x%03d", n-1) || all[n-1] != "x000" {
			t.Errorf("q=%q: %d decisions, from %v; want %d from the latest on", q, len(all), all, n)
		}
	}
	if status, body := get(p, "/?page=9"); status != 200 || !strings.Contains(body, "There are no more.") {
		t.Errorf("a page behind the last: %d", status)
	}
}

// TestAsked: whatever is asked for, the answer is a page, and bounded.
func TestAsked(t *testing.T) {
	p := tested(well())
	p.keep(record("r1", "203.0.113.10", time.Minute, policy.Reject))
	for _, test := range []struct {
		path string
		want int
		text string
	}{
		{"/", 200, "All is well"},
		{"/decision/r1", 200, "explained r1"},
		{"/decision/R1", 404, "no longer kept here"},
		{"/decision/", 404, "no longer kept here"},
		{"/decision/r", 404, "no longer kept here"},
		{"/decision/../../etc/passwd", 404, "no longer kept here"},
		{"/nothing", 404, "There is no such page."},
		{"/pages/front.html", 404, "There is no such page."},
		{"/style.css", 200, "prefers-color-scheme"},
		{"/icon.svg", 200, "<svg"},
		{"/live.js", 200, "use strict"},
		{"/?hours=99&page=-1&show=none&q=" + strings.Repeat("x", 5000), 200, "Nothing found for"},
		{"/?page=99999999999999999999", 200, ""},
		{"/?q=%00%ff%3Cb%3E", 200, "Nothing found for"},
		{"/?q=%3Cscript%3Ealert(1)%3C/script%3E", 200, "&lt;script&gt;alert(1)&lt;/script&gt;"},
	} {
		status, body := get(p, test.path)
		if status != test.want || !strings.Contains(body, test.text) {
			t.Errorf("GET %.60s = %d, %.3000s; want %d with %q", test.path, status, body, test.want, test.text)
		}
		body = strings.Replace(body, ownScript, "", 1)
		if strings.Contains(body, "<script") || strings.Contains(body, "style=") && strings.HasPrefix(body, "<!DOCTYPE") || len(body) > 64<<10 {
			t.Errorf("GET %.60s: %d bytes, or a script or a style in the page", test.path, len(body))
		}
	}
}

// TestHealth: what is told, and what comes first.
func TestHealth(t *testing.T) {
	for _, test := range []struct {
		name  string
		set   func(*State)
		level string
		text  string
	}{
		{"well", func(*State) {}, "well", "All is well"},
		{"starting", func(s *State) { s.Listening = false }, "trouble", "Not listening for Postfix"},
		{"outage", func(s *State) { s.Resolver.Outage, s.Resolver.Since = true, noon.Add(-10*time.Minute) }, "trouble", "No DNS server has answered for 10 min"},
		{"one server", func(s *State) { s.Resolver.Servers[0].Failing = true }, "warning", "DNS server 192.0.2.53:53 did not answer the last time"},
		{"nearly full", func(s *State) { s.Server.Open = 1800 }, "warning", "1800 of 2000 connections are open"},
		{"not nearly full", func(s *State) { s.Server.Open = 1799 }, "well", "All is well"},
		{"NAT", func(s *State) { s.Unseen = "all have one address" }, "trouble", "Postfix does not see who its clients are"},
		{"NAT, and lines were lost", func(s *State) { s.Unseen, s.LostLines = "all have one address", 3 }, "trouble", "Postfix does not see who its clients are"},
		{"reload", func(s *State) { s.ReloadFailed = "config.toml:1: no" }, "warning", "The configuration could not be read again"},
		{"exempt_file", func(s *State) { s.ExemptFailed = "exempt.toml: no" }, "warning", "exempt_file is damaged"},
		{"store", func(s *State) { s.History = &history.State{Store: true} }, "warning", "The store of what is remembered does not answer"},
		{"store that answers", func(s *State) { s.History = &history.State{Store: true, StoreAnswers: true} }, "well", "All is well"},
		{"no store", func(s *State) { s.History = &history.State{} }, "well", "All is well"},
		{"lost lines", func(s *State) { s.LostLines = 3 }, "warning", "3 lines of the decision log were lost since the start"},
		{"panic", func(s *State) { s.Server.Panics = 1 }, "warning", "The program failed over 1 requests since the start"},
		{"observed", func(s *State) { s.Mode = "observe" }, "well", "All is well"},
		{"several", func(s *State) { s.LostLines, s.Resolver.Outage = 3, true; s.Resolver.Since = noon }, "trouble", "No DNS server has answered for 0 s"},
	} {
		s := well()
		test.set(&s)
		if got := diagnose(&s, tally{}, noon); got.Level != test.level || got.Text != test.text {
			t.Errorf("%s: %s, %q; want %s, %q", test.name, got.Level, got.Text, test.level, test.text)
		}
	}
	s := well()
	if got := diagnose(&s, tally{Passed: 9, Overload: 2}, noon); got.Level != "trouble" || !strings.HasPrefix(got.Text, "2 decisions in the last 5 minutes") {
		t.Errorf("overloaded: %s, %q; want trouble", got.Level, got.Text)
	}
}

// TestClientsUnseen: the page's headline says that Postfix does not see its
// clients, and below it stands what to do.
func TestClientsUnseen(t *testing.T) {
	s := well()
	s.Unseen = "All have one address, <172.17.0.1>. Use host networking."
	status, page := get(tested(s), "/")
	for _, want := range []string{
		`<h1 id="health">Postfix does not see who its clients are</h1>`,
		"All have one address, &lt;172.17.0.1&gt;. Use host networking.",
	} {
		if status != 200 || !strings.Contains(page, want) {
			t.Errorf("GET / = %d, %.2000s; want 200 with %s", status, page, want)
		}
	}
}

// TestKeepAllocatesNothing: a decision pays for a copy.
func TestKeepAllocatesNothing(t *testing.T) {
	p, r := tested(well()), record("r1", "203.0.113.10", 0, policy.Reject)
	line := journal.Logfmt.Append(nil, r)
	if got := testing.AllocsPerRun(1000, func() { p.Keep(r, line) }); got != 0 {
		t.Errorf("Keep: %v allocations; want none", got)
	}
	var none *Page
	none.Keep(r, line)
}

func BenchmarkKeep(b *testing.B) {
	p, r := tested(well()), record("r1", "203.0.113.10", 0, policy.Reject)
	line := append(journal.Logfmt.Append(nil, r), make([]byte, 400)...)
	b.ReportAllocs()
	for b.Loop() {
		p.Keep(r, line)
	}
}

// BenchmarkSearch is the most that a page can cost: all is full, nothing is
// found.
func BenchmarkSearch(b *testing.B) {
	p := tested(well())
	for i := range 2 * maxLines {
		p.keep(record(fmt.Sprintf("x%d", i), "203.0.113.10", 0, policy.Action(i%2*2)))
	}
	for b.Loop() {
		if status, _ := get(p, "/?q=nothing&show=all"); status != 200 {
			b.Fatal(status)
		}
	}
}

// TestEnding: exemptions about to end are a note, each by its name, and no more than can
// be read.
func TestEnding(t *testing.T) {
	s := well()
	s.Ending = []string{"a <b> ends on 2026-11-24 at 10:00 (UTC)"}
	_, body := get(tested(s), "/")
	if want := "<strong>1 exemption ends within a day.</strong> a &lt;b&gt; ends on 2026-11-24 at 10:00 (UTC)."; !strings.Contains(body, want) || !strings.Contains(body, "All is well") {
		t.Errorf("no %q on the page:\n%s", want, body)
	}
	for i := range maxEnding + 1 {
		s.Ending = append(s.Ending, fmt.Sprint("number ", i))
	}
	_, body = get(tested(s), "/")
	if !strings.Contains(body, "22 exemptions end within a day.") || !strings.Contains(body, "; number 18; and 2 more.") || strings.Contains(body, "number 19") {
		t.Errorf("the page:\n%s", body)
	}
}
