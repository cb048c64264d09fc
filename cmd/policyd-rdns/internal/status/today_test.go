package status

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// todaySays is the section about deferred messages, without its marks.
func todaySays(t *testing.T, p *Page) string {
	t.Helper()
	_, body := get(p, "/")
	_, rest, ok := strings.Cut(body, `<h2 id="deferrals">`)
	section, _, end := strings.Cut(rest, "</section>")
	if !ok || !end {
		t.Fatalf("there is no such section:\n%s", body)
	}
	section = regexp.MustCompile(`</t[hd]>`).ReplaceAllString(section, "|")
	return strings.TrimSpace(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(section, "")))
}

// deferredAt is a decision about a message so long before noon.
func deferredAt(ago time.Duration, client, sender string, a policy.Action, rule string) *journal.Record {
	r := record(fmt.Sprint(ago, client, sender), client, ago, a)
	r.Request.Sender, r.Request.Instance, r.Decision.Rule = sender, fmt.Sprint(ago), rule
	return r
}

// TestToday: what became of the messages that were deferred since midnight, by rule; what
// was deferred before is none of today's.
func TestToday(t *testing.T) {
	s := well()
	s.Started = noon.Add(-48 * time.Hour)
	if got, want := todaySays(t, tested(s)), "Deferred today\nNo message since 00:00:00."; got != want {
		t.Errorf("of nothing: %q; want %q", got, want)
	}
	p := tested(s)
	p.keep(
		deferredAt(13*time.Hour, "203.0.113.10", "a@example.org", policy.Defer, "new"), // yesterday
		deferredAt(11*time.Hour, "203.0.113.10", "a@example.org", policy.DUNNO, ""),
		deferredAt(5*time.Hour, "203.0.113.10", "a@example.org", policy.Defer, "new"),
		deferredAt(4*time.Hour, "203.0.113.10", "a@example.org", policy.DUNNO, ""),
		deferredAt(3*time.Hour, "203.0.113.11", "a@example.net", policy.Defer, "<b>nameless"),
		deferredAt(2*time.Hour, "203.0.113.11", "a@example.net", policy.Reject, "<b>nameless"),
		deferredAt(90*time.Minute, "203.0.113.12", "a@example.com", policy.Defer, "new"),
		deferredAt(80*time.Minute, "203.0.113.12", "b@example.org", policy.DUNNO, ""),
		deferredAt(10*time.Minute, "203.0.113.13", "a@example.com", policy.Defer, "new"),
	)
	const want = `Deferred today
4 messages told to come again since 00:00:00: 2 came back, half of them within 60 min; 1 passed then, 1 of them after more than 5 min; 1 rejected in the end; 2 still waiting, or given up.


Rule|Deferred|Came back|Half within|Other mail|Not yet|Passed|> 5 min|Rejected|Waiting|

new|3|1|60 min|1|1|1|1|0|2|
<b>nameless|1|1|60 min|0|0|0|0|1|0|



A message is one sender’s domain and one recipient, by one client or its organisation. For longer times see policyd-rdns report.`
	if got := todaySays(t, p); got != want {
		t.Errorf("the page says\n%s\nwant\n%s", got, want)
	}
	// The next day there is nothing yet.
	p.now = func() time.Time { return noon.Add(12 * time.Hour) }
	if got, want := todaySays(t, p), "Deferred today\nNo message since 00:00:00."; got != want {
		t.Errorf("at midnight: %q; want %q", got, want)
	}
	// A restart forgets what was before.
	if got := todaySays(t, tested(well())); got != "Deferred today\nNo message since 09:00:30." {
		t.Errorf("after a restart: %q", got)
	}
}

// TestTodayMany: of many rules those with the most are told.
func TestTodayMany(t *testing.T) {
	p := tested(well())
	for i := range maxRules + 5 {
		p.keep(deferredAt(time.Duration(i)*time.Minute, fmt.Sprintf("203.0.113.%d", i), "a@example.org", policy.Defer, fmt.Sprint("rule ", i)))
	}
	if got := todaySays(t, p); strings.Count(got, "\nrule ") != maxRules || !strings.Contains(got, " 5 other rules are left out.") {
		t.Errorf("the page says\n%s", got)
	}
}
