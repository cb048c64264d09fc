package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// logged are decisions as lines of a log.
func logged(all ...*journal.Record) []byte {
	var text []byte
	for _, r := range all {
		text = journal.Logfmt.Append(text, r)
	}
	return text
}

// TestRecall: after a restart the page has the decisions of the last day that the log has,
// whatever else stands there.
func TestRecall(t *testing.T) {
	state := well()
	state.Started = noon.Add(-time.Minute)
	p := tested(state)
	text := logged(
		record("old", "203.0.113.1", 25*time.Hour, policy.Reject),
		record("r1", "203.0.113.10", 3*time.Hour, policy.Reject),
		record("r2", "203.0.113.10", 2*time.Hour, policy.Reject),
		deferredAt(2*time.Hour, "203.0.113.11", "a@example.org", policy.Defer, "new"),
		record("p1", "203.0.113.12", time.Hour, policy.DUNNO),
		record("later", "203.0.113.13", -time.Hour, policy.Reject), // of a clock that was wrong
	)
	text = append([]byte("level=INFO msg=listening\n\x00garbage\n"), text...)
	if n := p.Recall(append(text, "time=2026-11-23T11:00:00.000Z level=INFO msg=decision id=cut act"...)); n != 4 {
		t.Errorf("%d decisions are recalled; want 4", n)
	}
	_, body := get(p, "/")
	for _, want := range []string{"203.0.113.10", "Most refused", ">2</td>", "Rules today", "a rule", "<b>1</b> message told to come again since"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has not %q:\n%s", want, body)
		}
	}
	for _, no := range []string{"203.0.113.1<", "203.0.113.13"} {
		if strings.Contains(body, no) {
			t.Errorf("the page has %s, of another day", no)
		}
	}
	if status, body := get(p, "/decision/r1"); status != 200 || !strings.Contains(body, "explained r1") {
		t.Errorf("a decision that was recalled: %d", status)
	}
	var none *Page
	if n := none.Recall(text); n != 0 {
		t.Errorf("no page recalls %d", n)
	}
}

// TestCounts: by rule and action, of today alone, and bounded.
func TestCounts(t *testing.T) {
	var c counts
	yesterday := record("y", "203.0.113.1", 30*time.Hour, policy.Reject)
	c.add(yesterday)
	if got := c.table(noon); got != nil {
		t.Errorf("yesterday's are told today: %v", got)
	}
	observed := record("o", "203.0.113.1", time.Hour, policy.Reject)
	observed.Decision.Action = policy.DUNNO
	observed.Decision.Would = []policy.Ruling{{Action: policy.Defer, Rule: "another"}}
	for range 3 {
		c.add(record("r", "203.0.113.1", time.Hour, policy.Reject))
	}
	c.add(observed)
	want := "[{{a rule reject false} 3} {{a rule reject true} 1} {{another defer true} 1}]"
	if got := fmt.Sprint(c.table(noon)); got != want {
		t.Errorf("table = %s; want %s", got, want)
	}
	for i := range 2 * maxCounted {
		r := record("r", "203.0.113.1", time.Hour, policy.Reject)
		r.Decision.Rule = fmt.Sprint("rule ", i)
		c.add(r)
	}
	if len(c.of) != maxCounted || c.cut == 0 {
		t.Errorf("%d rules are counted, %d decisions are not; want %d rules", len(c.of), c.cut, maxCounted)
	}
}

// TestTop: clients by their refusals, once is not among them.
func TestTop(t *testing.T) {
	var rows []found
	for _, one := range []struct {
		client string
		times  int
	}{{"a", 1}, {"b", 2}, {"c", 5}, {"b", 4}, {"d", 1}} {
		rows = append(rows, found{Summary: Summary{Client: one.client}, Times: one.times})
	}
	var got string
	for _, f := range top(rows) {
		got += fmt.Sprint(f.Client, f.Times, " ")
	}
	if want := "b6 c5 "; got != want {
		t.Errorf("top = %s; want %s", got, want)
	}
	if top(nil) != nil {
		t.Error("of nothing something is told")
	}
}

// FuzzRecall takes any log.
func FuzzRecall(f *testing.F) {
	f.Add(string(logged(record("r1", "203.0.113.10", time.Hour, policy.Reject))))
	f.Add("msg=decision\n")
	f.Add(`{"time":"2026-11-23T11:00:00Z","msg":"decision","id":"x"}` + "\n\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		p := tested(well())
		n := p.Recall([]byte(text))
		if lines := strings.Count(text, "\n") + 1; n > lines {
			t.Errorf("%d decisions of %d lines", n, lines)
		}
		_, body := get(p, "/")
		harmless(t, body)
	})
}
